"""Graphs: drawn or loaded once, shared by all studies that name the same ones."""


rule graph:
    input:
        study=ancient(HANDED),
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
        study=handed,
        # The path of the output names all that a graph depends on. Which study asks for it is not among that: Snakemake
        # keeps no record of a parameter that is made from the output or the input.
        graph=lambda wildcards, output: IDS[wildcards.graph],
    shell:
        "python -m gnn_checkpointing graph --study {params.study} --graph {params.graph} --output {output} > {log} 2>&1"
