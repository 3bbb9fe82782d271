"""Graphs: drawn or loaded once, shared by all studies that name the same ones."""

from dataclasses import asdict

from gnn_checkpointing.artefacts import digest


rule graph:
    output:
        "results/graphs/{graph}.npz",
    log:
        f"{RESULTS}/logs/graph/{{graph}}.log",
    # All graphs before the first measurement: the order of measuring is then the design's, not that of their arrival.
    priority: 2_000_000
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        study=STUDY,
        code=code_fingerprint("graphs"),
    shell:
        "python -m gnn_checkpointing graph --study {params.study} --graph {wildcards.graph} --output {output} > {log} 2>&1"
