"""Training jobs: each convolution trains under every policy from one seed; killed, it resumes where it was."""


rule train:
    input:
        "results/graphs/{graph}.npz",
    output:
        f"{RESULTS}/training/{{graph}}-{{convolution}}.json",
    log:
        f"{RESULTS}/logs/train/{{graph}}-{{convolution}}.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        study=STUDY,
        settings=study.training.model_dump(
            mode="json", exclude={"graphs", "save_every"}
        ),
        models=[
            study.architecture.model_dump(mode="json", exclude={"convolutions"}),
            study.policies,
        ],
        code=code_fingerprint("training"),
        versions=library_versions(),
    shell:
        "python -m gnn_checkpointing train --study {params.study} --graph {wildcards.graph}"
        " --convolution {wildcards.convolution} --graph-file {input} --output {output} > {log} 2>&1"
