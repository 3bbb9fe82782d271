"""From the table of measurements to estimates and verdicts; needs no torch."""


rule explanations:
    input:
        study=ancient(HANDED),
    output:
        EXPLAINED or f"{RESULTS}/explained/none.json",
    log:
        f"{RESULTS}/logs/explanations.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        study=handed,
    shell:
        "python -m gnn_checkpointing explanations --study {params.study} --output {output} > {log} 2>&1"


rule analyse:
    input:
        table=f"{RESULTS}/measurements.csv",
        trainings=f"{RESULTS}/trainings.json",
        graphs=f"{RESULTS}/graphs.json",
        explanations=EXPLAINED,
        encodings=ENCODINGS,
        study=HANDED,
    output:
        multiext(
            f"{RESULTS}/analysis/",
            "effects.json",
            "trends.json",
            "regressions.json",
            "predictions.json",
            "explained.json",
            "robustness.json",
            "accuracy.json",
            "quality.json",
        ),
    log:
        f"{RESULTS}/logs/analyse.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        run=lambda wildcards, input: Path(input.table).parent,
        settings=[
            study.analysis.model_dump(mode="json"),
            study.seed,
            study.measurement.ratio_half_width,
            study.measurement.allocators[0],
            study.measurement.rounds.model_dump(mode="json"),
            study.measurement.processes,
            study.measurement.timeout_seconds,
        ],
        beside=beside,
        code=code_fingerprint("analysis"),
    shell:
        "python -m gnn_checkpointing analyse --run {params.run} {params.beside} > {log} 2>&1"


rule judge:
    input:
        hardware=f"{RESULTS}/hardware.json",
        analysis=rules.analyse.output,
        study=HANDED,
    output:
        f"{RESULTS}/claims.json",
    log:
        f"{RESULTS}/logs/judge.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        run=lambda wildcards, input: Path(input.hardware).parent,
        code=code_fingerprint("claims"),
    shell:
        "python -m gnn_checkpointing judge --run {params.run} > {log} 2>&1"


rule audit:
    input:
        hardware=f"{RESULTS}/hardware.json",
        table=f"{RESULTS}/measurements.csv",
        analysis=rules.analyse.output,
        claims=f"{RESULTS}/claims.json",
        graphs=f"{RESULTS}/graphs.json",
        demonstration=f"{RESULTS}/demonstration.json",
        study=HANDED,
    output:
        f"{RESULTS}/audit.json",
    log:
        f"{RESULTS}/logs/audit.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        run=lambda wildcards, input: Path(input.hardware).parent,
        settings=digest(study.model_dump(mode="json", by_alias=True)),
        code=code_fingerprint("audit"),
    shell:
        "python -m gnn_checkpointing audit --run {params.run} > {log} 2>&1"


rule knowledge:
    input:
        hardware=f"{RESULTS}/hardware.json",
        analysis=rules.analyse.output,
        table=f"{RESULTS}/measurements.csv",
        graphs=f"{RESULTS}/graphs.json",
        study=HANDED,
    output:
        f"{RESULTS}/planner.json",
    log:
        f"{RESULTS}/logs/knowledge.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        run=lambda wildcards, input: Path(input.hardware).parent,
        settings=digest(study.model_dump(mode="json", by_alias=True)),
        code=code_fingerprint("planning"),
    shell:
        "python -m gnn_checkpointing knowledge --run {params.run} > {log} 2>&1"
