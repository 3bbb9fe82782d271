"""Commands that publish: one study's report, the comparison of machines, and the index of all reports."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_checkpointing.refusal import Refusal

if TYPE_CHECKING:
    from gnn_checkpointing.report.index import Compared


def report(options: argparse.Namespace) -> None:
    """Render report.html and report.pdf, with the data beside them."""
    from gnn_checkpointing.report.render import Sources, read_inputs, render_report

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
    render_report(read_inputs(sources, options.analysis), sources, options.templates, options.output_folder)


def rebuild(options: argparse.Namespace) -> None:
    """Make a published report again from the data beside it: no torch, no measuring, the same bytes."""
    from gnn_checkpointing.cli.commands.judging import analyse, audit, judge
    from gnn_checkpointing.cli.commands.planning import knowledge
    from gnn_checkpointing.report.inputs import GIVEN, published
    from gnn_checkpointing.validation.manifest import refuse_changed
    from gnn_checkpointing.validation.validate import measured_complaints

    given = published(options.frozen)
    refuse_changed(options.frozen, [path.name for path in given.values()])
    # What was concluded is made anew; what was measured must be what `validate` takes.
    _refuse(measured_complaints(options.frozen))
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
    """Compute a published report again from its measurements, and say what speaks against it."""
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
    from gnn_checkpointing.comparison.compare import compare as compared
    from gnn_checkpointing.comparison.folders import refuse_strangers, shared, summaries, why_nothing
    from gnn_checkpointing.comparison.render import render_comparison
    from gnn_checkpointing.validation.remembered import believed_complaints

    refuse_strangers(options.reports)
    if not why_nothing(options.reports):
        for folder in [one for folders in shared(summaries(options.reports)).values() for one in folders]:
            _refuse(believed_complaints(folder, _BELIEVED))
    render_comparison(compared(options.reports), options.templates, options.output_folder)


def index(options: argparse.Namespace) -> None:
    """Write the index of all reports, and beside it the comparison of machines that have one of the same study.

    A report that cannot be believed is left out, and the page says why. What takes long to compute again is taken as it
    is published: `validate` and `compare` do not.
    """
    from gnn_checkpointing.comparison.folders import COMPARISON, PAGE, summaries, why_nothing
    from gnn_checkpointing.report.index import Compared, render_index
    from gnn_checkpointing.validation.remembered import believed_complaints
    from gnn_checkpointing.validation.validate import quick_complaints

    left_out = {}
    for path in summaries(options.reports):
        complaints = believed_complaints(path.parent, _BELIEVED, quick_complaints)
        if complaints:
            left_out[path.parent] = _first_of(complaints)
            print(f"warning: left out of the index: {left_out[path.parent]}", file=sys.stderr)
    reason = why_nothing(options.reports, left_out)
    if reason:
        # What was compared when there was more must not stay beside an index that does not know it.
        for name in (COMPARISON, PAGE):
            (options.output.parent / name).unlink(missing_ok=True)
    found = Compared((reason,)) if reason else _compared(options, left_out)
    render_index(options.reports, options.templates, options.output, found, left_out)


_BELIEVED = Path("results/.believed.json")


def _compared(options: argparse.Namespace, left_out: Collection[Path]) -> Compared:
    """Write the comparison beside the index, and return what the index says of it."""
    from gnn_checkpointing.comparison.compare import compare as compared
    from gnn_checkpointing.comparison.folders import PAGE
    from gnn_checkpointing.comparison.render import render_comparison
    from gnn_checkpointing.comparison.words import index_sentences
    from gnn_checkpointing.report.index import Compared

    comparison = compared(options.reports, left_out)
    render_comparison(comparison, options.templates, options.output.parent)
    return Compared(tuple(index_sentences(comparison)), PAGE)


def _refuse(complaints: Sequence[str]) -> None:
    """Refuse a report of which there is anything to complain."""
    if complaints:
        raise Refusal(_first_of(complaints))


def _first_of(complaints: Sequence[str]) -> str:
    """Return the first complaint, and how many more there are."""
    more = f" (and {len(complaints) - 1} more; `validate` says all)" if len(complaints) > 1 else ""
    return f"{complaints[0]}{more}"
