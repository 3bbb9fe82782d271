"""Commands that publish: one study's report, the comparison of machines, and the index of all reports."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gnn_checkpointing.comparison.results import Comparison
    from gnn_checkpointing.report.index import Compared


def report(options: argparse.Namespace) -> None:
    """Render report.html and report.pdf, with the data beside them."""
    from gnn_checkpointing.analysis.analyse import read_analysis
    from gnn_checkpointing.artefacts import read_json
    from gnn_checkpointing.audit.grades import read_audit
    from gnn_checkpointing.claims.answer import answer
    from gnn_checkpointing.claims.ledger import read_ledger
    from gnn_checkpointing.planning.knowledge import read_knowledge
    from gnn_checkpointing.records.demonstration import read_demonstration
    from gnn_checkpointing.records.graph_facts import read_graphs
    from gnn_checkpointing.records.measurements_table import read_table
    from gnn_checkpointing.records.traces import read_traces
    from gnn_checkpointing.report import inputs as published
    from gnn_checkpointing.report.render import Sources, render_report
    from gnn_checkpointing.sourced import sourced
    from gnn_checkpointing.study.reading import read_study

    # From here on every number knows the file and field that it was read from.
    findings = published.sourced_findings(read_analysis(options.analysis))
    ledger = sourced(read_ledger(options.claims), f"{published.CLAIMS}#")
    inputs = published.report_inputs(
        sourced(read_study(options.study), f"{published.STUDY}#"),
        read_json(options.hardware_file),
        sourced(read_table(options.table), f"{published.MEASUREMENTS}#"),
        findings,
        ledger,
        answer(ledger, findings),
        sourced(read_audit(options.audit), f"{published.AUDIT}#"),
        read_knowledge(options.planner_file),
        sourced(read_graphs(options.graphs), f"{published.GRAPHS}#/graphs"),
        sourced(read_traces(options.traces), f"{published.TRACES}#/traces"),
        sourced(read_demonstration(options.demonstration), f"{published.DEMONSTRATION}#"),
    )
    sources = Sources(
        measurements=options.table,
        claims=options.claims,
        audit=options.audit,
        planner=options.planner_file,
        graphs=options.graphs,
        traces=options.traces,
        demonstration=options.demonstration,
        records=options.records,
        trainings=options.trainings,
        hardware=options.hardware_file,
        study=options.study,
        explained=options.explanations,
        encodings=options.encodings,
    )
    render_report(inputs, sources, options.templates, options.output_folder)


def rebuild(options: argparse.Namespace) -> None:
    """Make a published report again from the data beside it: no torch, no measuring, the same bytes."""
    from gnn_checkpointing.cli.commands.judging import analyse, audit, judge
    from gnn_checkpointing.cli.commands.planning import knowledge
    from gnn_checkpointing.report.inputs import GIVEN, published
    from gnn_checkpointing.validation.manifest import refuse_changed

    given = published(options.frozen)
    refuse_changed(options.frozen, [path.name for path in given.values()])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        found = (
            dict.fromkeys(GIVEN)
            | given
            | {
                "analysis": work / "analysis",
                "claims": work / "claims.json",
                "audit": work / "audit.json",
                "planner_file": work / "planner.json",
            }
        )
        for command, output in (
            (analyse, {"output_folder": found["analysis"]}),
            (judge, {"output": found["claims"]}),
            (audit, {"output": found["audit"]}),
            (knowledge, {"output": found["planner_file"]}),
            (report, {"output_folder": options.output_folder, "templates": options.templates}),
        ):
            command(argparse.Namespace(**{**found, **output}))


def validate(options: argparse.Namespace) -> None:
    """Say what speaks against a published report: whole, unchanged, what its study asked for, possible?"""
    from gnn_checkpointing.refusal import Refusal
    from gnn_checkpointing.validation.validate import complaints

    for folder in options.folders:
        if not folder.is_dir():
            raise Refusal(f"{folder}: no such folder; name that of a published report, report/<hardware>/<study>")
    found = {folder: complaints(folder.resolve()) for folder in options.folders}
    for text in (text for texts in found.values() for text in texts):
        print(f"error: {text}", file=sys.stderr)
    if any(found.values()):
        raise SystemExit(2)
    for folder in found:
        print(f"{folder}: valid")


def compare(options: argparse.Namespace) -> None:
    """Compare machines by their published reports; write comparison.json and comparison.html."""
    from gnn_checkpointing.comparison.folders import refuse_strangers
    from gnn_checkpointing.comparison.render import render_comparison

    refuse_strangers(options.reports)
    render_comparison(_comparison(options.reports), options.templates, options.output_folder)


def index(options: argparse.Namespace) -> None:
    """Write the index of all reports, and beside it the comparison of machines that have one of the same study."""
    from gnn_checkpointing.comparison.folders import COMPARISON, PAGE, why_nothing
    from gnn_checkpointing.report.index import Compared, render_index

    reason = why_nothing(options.reports)
    if reason:
        # What was compared when there was more must not stay beside an index that does not know it.
        for name in (COMPARISON, PAGE):
            (options.output.parent / name).unlink(missing_ok=True)
    found = Compared((reason,)) if reason else _compared(options)
    render_index(options.reports, options.templates, options.output, found)


def _compared(options: argparse.Namespace) -> Compared:
    """Write the comparison beside the index, and return what the index says of it."""
    from gnn_checkpointing.comparison.folders import PAGE
    from gnn_checkpointing.comparison.render import render_comparison
    from gnn_checkpointing.comparison.words import index_sentences
    from gnn_checkpointing.report.index import Compared

    comparison = _comparison(options.reports)
    render_comparison(comparison, options.templates, options.output.parent)
    return Compared(tuple(index_sentences(comparison)), PAGE)


def _comparison(reports: Path) -> Comparison:
    """Return what the reports say of each other, of files that are as they were published."""
    from gnn_checkpointing.comparison.compare import compare as compared
    from gnn_checkpointing.comparison.folders import shared, summaries
    from gnn_checkpointing.comparison.published import READ
    from gnn_checkpointing.validation.manifest import refuse_changed

    for folders in shared(summaries(reports)).values():
        for folder in folders:
            refuse_changed(folder, READ)
    return compared(reports)
