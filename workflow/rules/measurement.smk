"""Measuring: one job a graph, alone on the machine, in the design's random order."""

from gnn_checkpointing.measurement.fingerprint import measuring_settings


rule measure:
    input:
        graph="results/graphs/{graph}.npz",
        # Another type of machine is refused. Its description may be made anew without measuring again.
        hardware=ancient(f"{RESULTS}/hardware.json"),
    output:
        f"{RESULTS}/measurements/{{graph}}/complete.json",
    log:
        f"{RESULTS}/logs/measure/{{graph}}.log",
    priority: lambda wildcards: design.measuring_priority(study, wildcards.graph)
    conda:
        "../envs/gnn_checkpointing.yaml"
    resources:
        machine_percent=100,
        cpus_per_task=study.measurement.threads,
    params:
        study=STUDY,
        settings=measuring_settings(study),
    shell:
        "python -m gnn_checkpointing measure --study {params.study} --graph {wildcards.graph}"
        " --graph-file {input.graph} --hardware-file {input.hardware} --output {output} --log {log}"


rule encode:
    input:
        [f"results/graphs/{spec.base.id}.npz" for spec in EGOS],
        hardware=ancient(f"{RESULTS}/hardware.json"),
    output:
        f"{RESULTS}/encodings.json",
    log:
        f"{RESULTS}/logs/encode.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    resources:
        machine_percent=100,
        cpus_per_task=study.measurement.threads,
    params:
        study=STUDY,
        asked=[spec.id for spec in EGOS],
        code=code_fingerprint("encoding"),
        versions=library_versions(),
    shell:
        "python -m gnn_checkpointing encode --study {params.study} --graph-files results/graphs --output {output}"
        " --hardware-file {input.hardware} > {log} 2>&1"


rule collect:
    input:
        measurements=expand(
            f"{RESULTS}/measurements/{{graph}}/complete.json", graph=GRAPHS
        ),
        training=expand(
            f"{RESULTS}/training/{{graph}}-{{convolution}}.json",
            graph=[spec.id for spec in design.trained_graphs(study)],
            convolution=study.architecture.convolutions,
        ),
    output:
        table=f"{RESULTS}/measurements.csv",
        traces=f"{RESULTS}/traces.json",
        graphs=f"{RESULTS}/graphs.json",
        records=f"{RESULTS}/records.jsonl.gz",
        trainings=f"{RESULTS}/trainings.json",
    log:
        f"{RESULTS}/logs/collect.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    threads: 2
    params:
        study=STUDY,
        measurements=lambda wildcards, input: Path(input.measurements[0]).parents[1],
        settings=[
            study.analysis.confidence,
            study.analysis.resamples,
            study.measurement.allocators[0],
        ],
        code=code_fingerprint("collecting"),
    shell:
        "python -m gnn_checkpointing collect --study {params.study} --measurements {params.measurements}"
        " --training {input.training} --trainings {output.trainings}"
        " --output {output.table} --traces {output.traces} --graphs {output.graphs}"
        " --records {output.records} > {log} 2>&1"


rule demonstrate:
    output:
        f"{RESULTS}/demonstration/step.json",
    log:
        f"{RESULTS}/logs/demonstrate.log",
    # Not how anything here is measured: what it would have said is the point.
    benchmark:
        f"{RESULTS}/demonstration/benchmark.tsv"
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        versions=library_versions(),
        code=code_fingerprint("demonstrating"),
    shell:
        "python -m gnn_checkpointing demonstrate --output {output} > {log} 2>&1"


rule demonstration:
    input:
        step=f"{RESULTS}/demonstration/step.json",
        benchmark=f"{RESULTS}/demonstration/benchmark.tsv",
    output:
        f"{RESULTS}/demonstration.json",
    log:
        f"{RESULTS}/logs/demonstration.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        code=code_fingerprint("demonstrating"),
    shell:
        "python -m gnn_checkpointing demonstration --step {input.step} --benchmark {input.benchmark}"
        " --output {output} > {log} 2>&1"
