"""From the table of measurements to estimates and verdicts; needs no torch."""

TRAININGS = expand(
    f"{RESULTS}/training/{{graph}}-{{convolution}}.json",
    graph=[spec.id for spec in design.trained_graphs(study)],
    convolution=study.architecture.convolutions,
)


rule analyse:
    input:
        table=f"{RESULTS}/measurements.csv",
        training=TRAININGS,
    output:
        multiext(
            f"{RESULTS}/analysis/",
            "effects.json",
            "regressions.json",
            "frontier.json",
            "variants.json",
            "accuracy.json",
            "quality.json",
        ),
    log:
        f"{RESULTS}/logs/analyse.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        study=STUDY,
        folder=lambda wildcards, output: Path(output[0]).parent,
        settings=[
            study.analysis.model_dump(mode="json"),
            study.seed,
            study.measurement.ratio_half_width,
            study.measurement.allocators[0],
        ],
        code=code_fingerprint("analysis"),
    shell:
        "python -m gnn_checkpointing analyse --study {params.study} --table {input.table}"
        " --training {input.training} --output-folder {params.folder} > {log} 2>&1"


rule judge:
    input:
        rules.analyse.output,
    output:
        f"{RESULTS}/claims.json",
    log:
        f"{RESULTS}/logs/judge.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        study=STUDY,
        folder=lambda wildcards, input: Path(input[0]).parent,
        code=code_fingerprint("claims"),
    shell:
        "python -m gnn_checkpointing judge --study {params.study} --analysis {params.folder} --output {output}"
        " > {log} 2>&1"
