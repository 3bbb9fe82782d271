"""Training jobs: each convolution trains under every policy from one seed; killed, it resumes where it was."""


rule train:
    input:
        f"{DRAWN}/{{graph}}.npz",
    output:
        f"{TRAINED}/{{graph}}-{{convolution}}.json",
    log:
        f"{RESULTS}/logs/train/{{graph}}-{{convolution}}.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        study=STUDY,
        graph=lambda wildcards: IDS[wildcards.graph],
    shell:
        "python -m gnn_checkpointing train --study {params.study} --graph {params.graph}"
        " --convolution {wildcards.convolution} --graph-file {input} --output {output} > {log} 2>&1"
