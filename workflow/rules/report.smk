"""The published pages: HTML and PDF from one page data, the data beside them, and the index of all machines."""


rule report:
    input:
        hardware=f"{RESULTS}/hardware.json",
        table=f"{RESULTS}/measurements.csv",
        analysis=rules.analyse.output,
        claims=f"{RESULTS}/claims.json",
        audit=f"{RESULTS}/audit.json",
        planner=f"{RESULTS}/planner.json",
        graphs=f"{RESULTS}/graphs.json",
        traces=f"{RESULTS}/traces.json",
        demonstration=f"{RESULTS}/demonstration.json",
        records=f"{RESULTS}/records.jsonl.gz",
        trainings=f"{RESULTS}/trainings.json",
        explanations=EXPLAINED,
        encodings=ENCODINGS,
        templates=sorted(
            str(path)
            for path in Path(TEMPLATES).rglob("*.*")
            if path.name != "index.html"
        ),
    output:
        multiext(
            f"{REPORT}/",
            "report.html",
            "report.pdf",
            "measurements.csv",
            "claims.json",
            "audit.json",
            "planner.json",
            "graphs.json",
            "traces.json",
            "demonstration.json",
            "records.jsonl.gz",
            "trainings.json",
            "hardware.json",
            "study.json",
            "summary.json",
            "manifest.json",
            *(["explained.json"] if EXPLAINED else []),
            *(["encodings.json"] if ENCODINGS else []),
        ),
        figures=directory(f"{REPORT}/figures"),
    log:
        f"{RESULTS}/logs/report.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        study=STUDY,
        analysis=lambda wildcards, input: Path(input.analysis[0]).parent,
        templates=lambda wildcards, input: os.path.commonpath(input.templates),
        folder=lambda wildcards, output: Path(output[0]).parent,
        title=study.title,
        beside=BESIDE,
        code=code_fingerprint("report"),
    shell:
        "python -m gnn_checkpointing report --study {params.study} --hardware-file {input.hardware}"
        " --table {input.table} --analysis {params.analysis} --claims {input.claims}"
        " --audit {input.audit} --planner-file {input.planner} --graphs {input.graphs} --traces {input.traces}"
        " --demonstration {input.demonstration} --records {input.records} --trainings {input.trainings}"
        " {params.beside}"
        " --templates {params.templates} --output-folder {params.folder} > {log} 2>&1"


rule index:
    input:
        # The summaries of all reports there are, this run's among them.
        lambda wildcards: sorted(
            {
                *map(str, Path("report").glob("*/*/summary.json")),
                f"{REPORT}/summary.json",
            }
        ),
        template=f"{TEMPLATES}/html/index.html",
    output:
        "report/index.html",
    log:
        f"{RESULTS}/logs/index.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    params:
        templates=lambda wildcards, input: Path(input.template).parents[1],
        code=code_fingerprint("report"),
    shell:
        "python -m gnn_checkpointing index --reports report --templates {params.templates} --output {output}"
        " > {log} 2>&1"
