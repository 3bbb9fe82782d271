"""Commands that publish: one study's report, the comparison of machines, and the index of all reports."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from gnn_checkpointing.cli import options
from gnn_checkpointing.cli.options import says
from gnn_checkpointing.refusal import Refusal, plain

if TYPE_CHECKING:
    from gnn_checkpointing.report.index import Compared

_BELIEVED = Path("results/.believed.json")


def report(
    *,
    run: options.Run,
    explanations: options.Explanations = None,
    encodings: options.Encodings = None,
    templates: options.Templates,
    output_folder: options.OutputFolder,
) -> None:
    from gnn_checkpointing.report.inputs import ANALYSIS, ENCODINGS, EXPLAINED
    from gnn_checkpointing.report.render import published_sources, read_inputs, render_report

    given = {EXPLAINED: explanations, ENCODINGS: encodings}
    sources = {name: path for name, path in {**published_sources(run), **given}.items() if path is not None}
    render_report(read_inputs(sources, run / ANALYSIS), sources, templates, output_folder)


def rebuild(
    *,
    frozen: Annotated[Path, says("folder of a published report: report/<hardware>/<study>")],
    templates: options.Templates,
    output_folder: options.OutputFolder,
) -> None:
    from gnn_checkpointing.cli.commands.judging import analyse, audit, judge
    from gnn_checkpointing.cli.commands.planning import knowledge
    from gnn_checkpointing.packed import bounded_bytes
    from gnn_checkpointing.report.inputs import GIVEN, published
    from gnn_checkpointing.validation.checksums import refuse_changed
    from gnn_checkpointing.validation.validate import measured_complaints

    given = published(frozen)
    refuse_changed(frozen, given)
    # What was concluded is made again; what was measured must be what `validate` takes.
    _refuse(measured_complaints(frozen))
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        for name, path in given.items():
            (run / name).write_bytes(bounded_bytes(path))
        some = {option: run / name if name in given else None for option, name in GIVEN.items()}
        analyse(run=run, **some)
        for conclude in (judge, audit, knowledge):
            conclude(run=run)
        report(run=run, **some, templates=templates, output_folder=output_folder)


def validate(
    folders: Annotated[list[Path], says("reports: report/<hardware>/<study>")],
    *,
    seconds: options.Seconds = 600.0,
) -> None:
    from gnn_checkpointing.validation.validate import complaints

    for folder in folders:
        if not folder.is_dir():
            raise Refusal(f"{folder}: no such folder; name that of a published report, report/<hardware>/<study>")
    found = {folder: complaints(folder.resolve(), seconds) for folder in folders}
    for text in (text for texts in found.values() for text in texts):
        print(f"error: {plain(text)}", file=sys.stderr)
    if any(found.values()):
        raise SystemExit(2)
    for folder in found:
        print(f"{folder}: valid")


def compare(*, reports: options.Reports, templates: options.Templates, output_folder: options.OutputFolder) -> None:
    from gnn_checkpointing.comparison.compare import compare as compared
    from gnn_checkpointing.comparison.folders import refuse_strangers, shared, summaries, why_nothing
    from gnn_checkpointing.comparison.render import render_comparison
    from gnn_checkpointing.validation.remembered import believed_complaints

    refuse_strangers(reports)
    if not why_nothing(reports):
        for folder in [one for folders in shared(summaries(reports)).values() for one in folders]:
            _refuse(believed_complaints(folder, _BELIEVED))
    render_comparison(compared(reports), templates, output_folder)


def index(*, reports: options.Reports, templates: options.Templates, output: options.Output) -> None:
    """Leave out reports that cannot be believed, and say why on the page.

    What takes long to compute again is taken as it is published: `validate` and `compare` compute it.
    """
    from gnn_checkpointing.comparison.folders import COMPARISON, PAGE, summaries, why_nothing
    from gnn_checkpointing.report.index import Compared, render_index
    from gnn_checkpointing.validation.remembered import believed_complaints
    from gnn_checkpointing.validation.validate import quick_complaints

    left_out = {}
    for path in summaries(reports):
        complaints = believed_complaints(path.parent, _BELIEVED, quick_complaints)
        if complaints:
            left_out[path.parent] = _first_of(complaints)
            print(f"warning: left out of the index: {left_out[path.parent]}", file=sys.stderr)
    reason = why_nothing(reports, left_out)
    if reason:
        # What was compared when there was more must not stay beside an index that does not know it.
        for name in (COMPARISON, PAGE):
            (output.parent / name).unlink(missing_ok=True)
    found = Compared((reason,)) if reason else _compared(reports, templates, output.parent, left_out)
    render_index(reports, templates, output, found, left_out)


def export(
    folder: Annotated[Path, says("a published report: report/<hardware>/<study>")],
    /,
    *,
    format: Annotated[Literal["parquet", "csv", "json"], says("of the table")] = "parquet",
    output_folder: options.OutputFolder,
) -> None:
    from gnn_checkpointing.records.exporting import export as exported
    from gnn_checkpointing.validation.checksums import refuse_changed

    refuse_changed(folder, ["measurements.csv"])
    print(exported(folder, format, output_folder))


def _compared(reports: Path, templates: Path, folder: Path, left_out: Collection[Path]) -> Compared:
    """Write the comparison into `folder`, beside the index; the sentences that the index has of it."""
    from gnn_checkpointing.comparison.compare import compare as compared
    from gnn_checkpointing.comparison.folders import PAGE
    from gnn_checkpointing.comparison.render import render_comparison
    from gnn_checkpointing.comparison.words import index_sentences
    from gnn_checkpointing.report.index import Compared

    comparison = compared(reports, left_out)
    render_comparison(comparison, templates, folder)
    return Compared(tuple(index_sentences(comparison)), PAGE)


def _refuse(complaints: Sequence[str]) -> None:
    if complaints:
        raise Refusal(_first_of(complaints))


def _first_of(complaints: Sequence[str]) -> str:
    """The first complaint, and how many more there are."""
    more = f" (and {len(complaints) - 1} more; `validate` says all)" if len(complaints) > 1 else ""
    return plain(f"{complaints[0]}{more}")
