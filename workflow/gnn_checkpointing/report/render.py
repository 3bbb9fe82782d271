"""Write a study's report: HTML, PDF and their data, completely or not at all."""

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

from gnn_checkpointing.analysis.analyse import analysis_files, sourced_findings
from gnn_checkpointing.analysis.rounding import all_significant
from gnn_checkpointing.artefacts import digest, json_text, sealed_bytes, sha256_of, text_cell, whole_file
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.measurement.fingerprint import code_fingerprint
from gnn_checkpointing.packed import PACK, is_there, pack_of
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import inputs as names
from gnn_checkpointing.report.appendix import texts_from
from gnn_checkpointing.report.documents import Documents, answer_of, documents, opening
from gnn_checkpointing.report.html import report_html
from gnn_checkpointing.report.inputs import ReportInputs, in_series
from gnn_checkpointing.report.page import Block, Bullets, Figure, Paragraph, Span, Table, words_of
from gnn_checkpointing.report.pdf import report_pdf
from gnn_checkpointing.report.provenance import CRATE, FIGURES, crate
from gnn_checkpointing.report.run_folder import READERS, RunFolder
from gnn_checkpointing.report.sections.history import continued, read_history
from gnn_checkpointing.report.texts import TEMPLATES
from gnn_checkpointing.sourced import bare, plain, sourced

HTML = "report.html"
PDF = "report.pdf"
APPENDIX_HTML = "appendix.html"
APPENDIX_PDF = "appendix.pdf"
SUMMARY = "summary.json"
TABLES = "tables"


Sources = Mapping[str, Path]
"""Files that the inputs were read from, by their published names."""


def published_sources(folder: Path) -> dict[str, Path]:
    """The files beside a published report."""
    some = (name for name in (names.DEMONSTRATION, *names.GIVEN.values()) if is_there(folder / name))
    first, *others = names.MEASURED
    known = (first, names.CLAIMS, names.AUDIT, names.PLANNER, *others, *some)
    return {name: folder / name for name in known}


def read_inputs(run: RunFolder) -> ReportInputs:
    """Read the inputs of a report; every number carries the file and the field that it was read from."""

    def read(part: str, list_of: str = "") -> Any:
        return sourced(getattr(run, part), f"{READERS[part][0]}#{list_of}")

    return ReportInputs(
        **sourced_findings(run.findings),
        **{part: read(part) for part in ("study", "ledger", "audit", "demonstration")},
        machine=run.machine,
        rows=in_series(read("rows")),
        knowledge=run.knowledge,
        graphs=read("graphs", "/graphs"),
        traces=read("traces", "/traces"),
    )


def report_code(templates: Path) -> str:
    """Digest of everything that turns measurements into a report: our sources and the templates."""
    parts = ("collecting", "analysis", "claims", "audit", "planning", "report")
    files = sorted(path for path in templates.rglob("*.*") if path.is_file())
    return digest([*map(code_fingerprint, parts), *map(sha256_of, files)])


def render_report(
    inputs: ReportInputs, sources: Sources, templates: Path, output_folder: Path, apart: Path | None = None
) -> None:
    """Write report and appendix in HTML and PDF, their data, summary.json and the RO-Crate metadata.

    `sources` are the files that `inputs` were read from. All files but the pages, the summary and `PLAIN` are packed
    into one archive. Nothing is written before both documents are made. The crate has the SHA-256 of every file; for a
    packed file, that of its unpacked content. If `apart` is given, every drawing and table is also written there.
    """
    given = {name: sealed_bytes(path) for name, path in sources.items()}
    before = (sources[names.STUDY].parent, output_folder)
    history = continued(next(filter(None, (read_history(folder / names.HISTORY) for folder in before)), []), inputs)
    made = documents(inputs, {name: hashlib.sha256(one).hexdigest() for name, one in given.items()}, templates, history)
    summarised = summary(inputs, templates)
    contents = {
        **given,
        **{f"{names.ANALYSIS}/{name}": text.encode() for name, text in analysis_files(inputs).items()},
        **{f"{FIGURES}/{figure.id}.csv": _drawn(figure).encode() for figure in made.figures()},
        SUMMARY: json_text(summarised).encode(),
        names.HISTORY: json_text([one.model_dump(mode="json") for one in history]).encode(),
    }
    plain = {name: contents.pop(name) for name in (*names.PLAIN, SUMMARY)}

    # Threads, not forks: a forked process would wait forever for Typst's own threads, which it lacks.
    with ThreadPoolExecutor(3) as beside:
        appendix, pack = beside.submit(report_pdf, made.appendix, templates), beside.submit(pack_of, contents)
        report = beside.submit(report_pdf, made.report, templates)
        plain[HTML] = report_html(made.report, templates).encode()
        plain[APPENDIX_HTML] = report_html(made.appendix, templates, "appendix.html").encode()
        plain |= {PACK: pack.result(), PDF: report.result(), APPENDIX_PDF: appendix.result()}
    with texts_from(templates):
        described = crate(plain, contents, inputs, summarised["headline"], report_code(templates))
    _publish(output_folder, {**plain, CRATE: json_text(described).encode()}, contents)
    if apart is not None:  # what else lies there is not ours to delete
        for name, text in _apart(made):
            with whole_file(apart / name) as stream:
                stream.write(text.encode())


def _apart(made: Documents) -> Iterator[tuple[str, str]]:
    """Each drawing as SVG and each table as CSV, by the name of its file."""
    for figure in made.figures():
        yield from ((f"{FIGURES}/{panel.id}.svg", panel.svg) for panel in figure.panels)
    for page in (made.report, made.appendix):
        blocks = (*page.opening, *(block for section in page.sections for block in section.blocks))
        for table in (block for block in blocks if isinstance(block, Table)):
            columns = [f"{one.name} ({one.unit})" if one.unit else one.name for one in table.columns]
            rows = ([text_cell(bare(cell)) for cell in row] for row in (columns, *table.rows))
            yield f"{TABLES}/{table.id}.csv", _csv(rows)


def _publish(folder: Path, files: Mapping[str, bytes], packed: Iterable[str]) -> None:
    """Write all files or none; of an unpacked report or a run in that folder, delete the files that are packed now."""
    there = {name for name in (names.STUDY, names.RECORDS, PACK) if (folder / name).is_file()}
    is_run = names.STUDY in there and len(there) > 1
    if taken := [] if is_run else [name for name in packed if os.path.lexists(folder / name)]:
        raise Refusal(f"{folder / taken[0]}: no part of a report, and would be taken for one; name another folder")
    with ExitStack() as written:
        for name, content in files.items():
            stream = written.enter_context(whole_file(folder / name))
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())  # a full disk says so here at the latest, before any file has its name
    if not is_run:
        return
    for name in packed:
        (folder / name).unlink(missing_ok=True)
    for place in (folder / names.ANALYSIS, folder / FIGURES):
        if place.is_dir():
            for path in (*place.glob("*.json"), *place.glob("*.csv"), *place.glob(".snakemake_timestamp")):
                path.unlink()
            if not any(place.iterdir()):
                place.rmdir()


def _drawn(figure: Figure) -> str:
    """Data of a figure as CSV: numbers to ten significant digits, texts without addresses."""

    def written(value: str | float) -> str:
        return text_cell(bare(value)) if isinstance(value, str) else repr(all_significant(plain(value), digits=10))

    panels = [panel for panel in figure.panels if panel.drawn.columns]
    rows = [(written(panel.title), *map(written, row)) for panel in panels for row in panel.drawn.rows]
    return _csv([("panel", *(panels[0].drawn.columns if panels else ())), *rows])


def _csv(rows: Iterable[Sequence[str]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def summary(inputs: ReportInputs, templates: Path = TEMPLATES) -> dict[str, Any]:
    """Facts about this report for the index."""
    first = opening(inputs, templates)
    return {
        "hardware": {"slug": inputs.machine.slug, "label": inputs.machine.label},
        "study": {"name": inputs.study.name, "title": inputs.study.title},
        "measured_on": inputs.measured_on,
        "cells": inputs.quality.cells,
        "kind": answer_of(inputs),
        "headline": " ".join(bare(words_of(one.text)) for one in first[:1] if isinstance(one, Paragraph)),
        "answer": list(_lines(first)),
        "audit": {
            "passed": inputs.audit.passed,
            "applicable": inputs.audit.applicable,
            "failed": [check.question for check in inputs.audit.failed],
        },
    }


def _lines(opening: Sequence[Block]) -> Iterator[dict[str, str]]:
    """Each judged line of the answer, with its verdict."""
    for block in opening:
        for item in block.items if isinstance(block, Bullets) else ():
            spans = [item] if isinstance(item, Span) else item
            verdicts = [span.look for span in spans if isinstance(span, Span) and span.look in get_args(Verdict)]
            if verdicts:
                words = "".join(s.text for s in spans if isinstance(s, Span) and s.look != verdicts[0]).strip()
                yield {"text": words, "verdict": verdicts[0]}
