"""The published pages: HTML and PDF from one page data, the data beside them, and the index of all machines."""

from gnn_checkpointing import comparison
from gnn_checkpointing.artefacts import sha256_of
from gnn_checkpointing.comparison import (
    COMPARISON,
    PAGE,
    SUMMARY,
    folders,
    shared,
)

# The folders of all reports there are, this run's among them. A remote storage is not searched for others.
FOLDERS = sorted({Path(REPORT), *(() if REMOTE else folders(Path("report")))})
SUMMARIES = [folder / SUMMARY for folder in FOLDERS]
# As soon as two machines have a report of one study.
COMPARED = [f"report/{COMPARISON}", f"report/{PAGE}"] if shared(FOLDERS) else []


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
        records=f"{RESULTS}/records.jsonl",
        trainings=f"{RESULTS}/trainings.json",
        explanations=EXPLAINED,
        encodings=ENCODINGS,
        study=HANDED,
        templates=sorted(
            local(str(path))
            for path in Path(TEMPLATES).rglob("*.*")
            if path.name not in ("index.html", "comparison.html", "comparison.md")
        ),
    output:
        [
            report(
                f"{REPORT}/{name}",
                category="Reports",
                subcategory=study.name,
                labels={"document": name.split(".")[0], "format": name.split(".")[1]},
            )
            for name in ("report.html", "report.pdf", "appendix.html", "appendix.pdf")
        ],
        report(
            f"{REPORT}/data.tar.xz",
            category="Data",
            subcategory=study.name,
            labels={"data": "measurements, records, analysis and figures"},
        ),
        report(
            f"{REPORT}/claims.json",
            category="Data",
            subcategory=study.name,
            labels={"data": "every claim with its verdict"},
        ),
        multiext(
            f"{REPORT}/",
            "planner.json",
            "hardware.json",
            "study.json",
            "summary.json",
            "ro-crate-metadata.json",
        ),
        # Goes on from the last report's, which must still be there.
        update(f"{REPORT}/history.json"),
        # For Snakemake's own report.
        figures=report(
            directory(f"{RESULTS}/shown/figures"),
            patterns=["{figure}.svg"],
            category="Figures",
            subcategory=study.name,
            labels={"figure": "{figure}"},
        ),
        tables=report(
            directory(f"{RESULTS}/shown/tables"),
            patterns=["{table}.csv"],
            category="Tables",
            subcategory=study.name,
            labels={"table": "{table}"},
        ),
    log:
        f"{RESULTS}/logs/report.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        run=lambda wildcards, input: Path(input.hardware).parent,
        templates=lambda wildcards, input: os.path.commonpath(input.templates),
        folder=lambda wildcards, output: Path(output[0]).parent,
        apart=lambda wildcards, output: Path(output.figures).parent,
        settings=digest(study.model_dump(mode="json", by_alias=True)),
        beside=beside,
        code=code_fingerprint("report"),
    shell:
        "python -m gnn_checkpointing report --run {params.run} {params.beside}"
        " --templates {params.templates:q} --output-folder {params.folder} --apart {params.apart} > {log} 2>&1"


rule index:
    input:
        SUMMARIES,
        # All files of the report, where they come from elsewhere; here the summaries tell, whichever study asks.
        report=rules.report.output if REMOTE else [],
        template=local(f"{TEMPLATES}/html/index.html"),
        page=local(f"{TEMPLATES}/html/comparison.html"),
        words=local(f"{TEMPLATES}/appendix/comparison.md"),
    output:
        *COMPARED,
        html=report(
            "report/index.html",
            category="Reports",
            labels={"document": "index of all reports", "format": "html"},
        ),
    log:
        f"{RESULTS}/logs/index.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    params:
        reports=lambda wildcards, input: (
            Path(input.report[0]).parents[2] if REMOTE else "report"
        ),
        templates=lambda wildcards, input: Path(input.template).parents[1],
        code=code_fingerprint("report"),
        # What compares machines renders no report, and so is no part of that digest.
        comparing=[
            sha256_of(path)
            for path in sorted(Path(comparison.__file__).parent.glob("*.*"))
        ],
    shell:
        "python -m gnn_checkpointing index --reports {params.reports:q} --templates {params.templates:q} --output {output.html}"
        " > {log} 2>&1"
