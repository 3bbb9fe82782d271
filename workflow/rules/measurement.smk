"""Measuring: one job a graph, alone on the machine, in the design's random order."""


rule measure:
    input:
        graph=lambda wildcards: f"{DRAWN}/{place(VISITS[wildcards.visit].graph)}.npz",
        # Another type of machine is refused. Its description may be made anew without measuring again.
        hardware=ancient(f"{RESULTS}/hardware.json"),
        study=ancient(HANDED),
    output:
        complete=f"{MEASURED}/{{visit}}/complete.json",
        cells=f"{MEASURED}/{{visit}}/cells.zip",
    log:
        f"{RESULTS}/logs/measure/{{visit}}.log",
    priority: lambda wildcards: PRIORITIES[wildcards.visit]
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    resources:
        machine_percent=100,
        cpus_per_task=study.measurement.threads,
    params:
        study=handed,
        graph=lambda wildcards: VISITS[wildcards.visit].graph.id,
        visit=lambda wildcards: VISITS[wildcards.visit].number,
    shell:
        "python -m gnn_checkpointing measure --study {params.study} --graph {params.graph}"
        " --graph-file {input.graph} --hardware-file {input.hardware} --output {output.complete} --log {log}"
        " --visit {params.visit}"


rule encode:
    input:
        graphs=[f"{DRAWN}/{place(spec.base)}.npz" for spec in EGOS],
        hardware=ancient(f"{RESULTS}/hardware.json"),
        study=ancient(HANDED),
    output:
        ENCODINGS or f"{RESULTS}/encodings/none.json",
    log:
        f"{RESULTS}/logs/encode.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    resources:
        machine_percent=100,
        cpus_per_task=study.measurement.threads,
    params:
        study=handed,
        graphs=lambda wildcards, input: Path(input.graphs[0]).parent,
    shell:
        "python -m gnn_checkpointing encode --study {params.study} --graph-files {params.graphs} --output {output}"
        " --hardware-file {input.hardware} > {log} 2>&1"


rule collect:
    input:
        measurements=expand(f"{MEASURED}/{{visit}}/complete.json", visit=VISITS),
        cells=expand(f"{MEASURED}/{{visit}}/cells.zip", visit=VISITS),
        study=HANDED,
        training=expand(
            f"{TRAINED}/{{graph}}-{{convolution}}.json",
            graph=[place(spec) for spec in design.trained_graphs(study)],
            convolution=study.architecture.convolutions,
        ),
    output:
        table=report(
            f"{RESULTS}/measurements.csv",
            category="Data",
            subcategory=study.name,
            labels={"data": "measurements, one row per cell and policy"},
        ),
        traces=f"{RESULTS}/traces.json",
        graphs=f"{RESULTS}/graphs.json",
        records=f"{RESULTS}/records.jsonl",
        trainings=f"{RESULTS}/trainings.json",
    log:
        f"{RESULTS}/logs/collect.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        study=handed,
        measurements=lambda wildcards, input: Path(input.measurements[0]).parents[1],
        folder=lambda wildcards, output: Path(output.table).parent,
        settings=[
            study.analysis.confidence,
            study.analysis.resamples,
            study.measurement.allocators[0],
        ],
        code=code_fingerprint("collecting"),
    shell:
        "python -m gnn_checkpointing collect --study {params.study} --measurements {params.measurements}"
        " --training {input.training} --output-folder {params.folder} > {log} 2>&1"


rule demonstrate:
    output:
        f"{RESULTS}/demonstration/step.json",
    log:
        f"{RESULTS}/logs/demonstrate.log",
    # Not how anything here is measured: what it would have said is the point.
    benchmark:
        f"{RESULTS}/demonstration/benchmark.tsv"
    # It imports torch by itself, and begins first: on the other core graphs are drawn meanwhile.
    priority: 3_000_000
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
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
    envmodules:
        "gnn-checkpointing",
    params:
        code=code_fingerprint("demonstrating"),
    shell:
        "python -m gnn_checkpointing demonstration --step {input.step} --benchmark {input.benchmark}"
        " --output {output} > {log} 2>&1"
