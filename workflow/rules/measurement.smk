"""Measuring: one job a graph, alone on the machine, in the design's random order."""

from gnn_checkpointing.measurement.fingerprint import measuring_settings


rule measure:
    input:
        "results/graphs/{graph}.npz",
    output:
        f"{RESULTS}/measurements/{{graph}}/complete.json",
    log:
        f"{RESULTS}/logs/measure/{{graph}}.log",
    priority: lambda wildcards: design.measuring_priority(study, wildcards.graph)
    conda:
        "../envs/gnn_checkpointing.yaml"
    resources:
        machine_percent=100,
    params:
        study=STUDY,
        settings=measuring_settings(study),
    shell:
        "python -m gnn_checkpointing measure --study {params.study} --graph {wildcards.graph}"
        " --graph-file {input} --output {output} --log {log}"


rule collect:
    input:
        expand(f"{RESULTS}/measurements/{{graph}}/complete.json", graph=GRAPHS),
    output:
        f"{RESULTS}/measurements.csv",
    log:
        f"{RESULTS}/logs/collect.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        study=STUDY,
        measurements=lambda wildcards, input: Path(input[0]).parents[1],
        settings=study.analysis.model_dump(mode="json"),
        code=code_fingerprint("collecting"),
    shell:
        "python -m gnn_checkpointing collect --study {params.study} --measurements {params.measurements}"
        " --output {output} > {log} 2>&1"
