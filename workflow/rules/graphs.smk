"""Graphs: drawn or loaded once, shared by all studies that name the same ones."""


rule graph:
    input:
        study=ancient(STUDY),
    output:
        f"{DRAWN}/{{graph}}.npz",
    log:
        f"{RESULTS}/logs/graph/{{graph}}.log",
    # All graphs before the first measurement: the order of measuring is then the design's, not that of their arrival.
    priority: 2_000_000
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        # Snakemake keeps no record of a parameter that is made from the output, whose path names all it depends on.
        graph=lambda wildcards, output: IDS[wildcards.graph],
    shell:
        "python -m gnn_checkpointing graph --study {input.study} --graph {params.graph} --output {output} > {log} 2>&1"
