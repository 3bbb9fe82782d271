"""Commands that publish: one study's report, and the index of all reports."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path


def report(options: argparse.Namespace) -> None:
    """Render report.html and report.pdf, with the data beside them."""
    from gnn_checkpointing.analysis.analyse import read_analysis
    from gnn_checkpointing.artefacts import read_json
    from gnn_checkpointing.audit.grades import read_audit
    from gnn_checkpointing.claims.answer import answer
    from gnn_checkpointing.claims.ledger import read_ledger
    from gnn_checkpointing.graph_facts import read_graphs
    from gnn_checkpointing.measurements_table import read_table
    from gnn_checkpointing.planning.knowledge import read_knowledge
    from gnn_checkpointing.records import read_demonstration, read_traces
    from gnn_checkpointing.report.inputs import report_inputs
    from gnn_checkpointing.report.render import Sources, render_report
    from gnn_checkpointing.study import read_study

    findings, ledger = read_analysis(options.analysis), read_ledger(options.claims)
    inputs = report_inputs(
        read_study(options.study),
        read_json(options.hardware_file),
        read_table(options.table),
        findings,
        ledger,
        answer(ledger, findings),
        read_audit(options.audit),
        read_knowledge(options.planner_file),
        read_graphs(options.graphs),
        read_traces(options.traces),
        read_demonstration(options.demonstration),
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
    )
    render_report(inputs, sources, options.templates, options.output_folder)


def rebuild(options: argparse.Namespace) -> None:
    """Make a published report again from the data beside it: no torch, no measuring, the same bytes."""
    from gnn_checkpointing.cli.commands.judging import analyse, audit, judge
    from gnn_checkpointing.cli.commands.planning import knowledge
    from gnn_checkpointing.report.inputs import published

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        found = published(options.frozen) | {
            "analysis": work / "analysis",
            "claims": work / "claims.json",
            "audit": work / "audit.json",
            "planner_file": work / "planner.json",
        }
        for command, output in (
            (analyse, {"output_folder": found["analysis"]}),
            (judge, {"output": found["claims"]}),
            (audit, {"output": found["audit"]}),
            (knowledge, {"output": found["planner_file"]}),
            (report, {"output_folder": options.output_folder, "templates": options.templates}),
        ):
            command(argparse.Namespace(**{**found, **output}))


def index(options: argparse.Namespace) -> None:
    """Write the index of all machines and studies that have a report."""
    from gnn_checkpointing.report.index import render_index

    render_index(options.reports, options.templates, options.output)
