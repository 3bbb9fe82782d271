"""Training jobs: each convolution trains under every policy from one seed; killed, it resumes where it was."""


rule train:
    input:
        graph=f"{DRAWN}/{{graph}}.npz",
        study=ancient(HANDED),
    output:
        f"{TRAINED}/{{graph}}-{{convolution}}.json",
    log:
        f"{RESULTS}/logs/train/{{graph}}-{{convolution}}.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        study=handed,
        graph=lambda wildcards: IDS[wildcards.graph],
    shell:
        "python -m gnn_checkpointing train --study {params.study} --graph {params.graph}"
        " --convolution {wildcards.convolution} --graph-file {input.graph} --output {output} > {log} 2>&1"
