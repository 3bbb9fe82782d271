"""Commands that publish: one study's report, the comparison of machines, and the index of all reports."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from gnn_checkpointing import comparison as published
from gnn_checkpointing.audit.validate import believed_complaints, complaints, measured_complaints, quick_complaints
from gnn_checkpointing.cli import app as options
from gnn_checkpointing.cli.app import says
from gnn_checkpointing.cli.judging import write_audit, write_claims, write_findings, write_knowledge
from gnn_checkpointing.comparison.page import compare as compared
from gnn_checkpointing.comparison.page import index_sentences, render_comparison
from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.refusal import Refusal, plain
from gnn_checkpointing.report import inputs
from gnn_checkpointing.report.index import Compared, render_index
from gnn_checkpointing.report.provenance import refuse_changed
from gnn_checkpointing.report.render import published_sources, read_inputs, render_report
from gnn_checkpointing.report.run_folder import RunFolder

_BELIEVED = Path("results/.believed.json")


def report(
    *,
    run: options.Run,
    explanations: options.Explanations = None,
    encodings: options.Encodings = None,
    templates: options.Templates,
    output_folder: options.OutputFolder,
    apart: Annotated[
        Path | None, says("folder for every figure and table as a file of its own (default: none)")
    ] = None,
) -> None:
    given = {inputs.EXPLAINED: explanations, inputs.ENCODINGS: encodings}
    sources = {name: path for name, path in {**published_sources(run), **given}.items() if path is not None}
    render_report(read_inputs(RunFolder(run)), sources, templates, output_folder, apart)


def rebuild(
    *,
    frozen: Annotated[Path, says("folder of a published report: report/<hardware>/<study>")],
    templates: options.Templates,
    output_folder: options.OutputFolder,
) -> None:
    given = inputs.published(frozen)
    refuse_changed(frozen, given)
    # What was concluded is made again; what was measured must be what `validate` takes.
    measured = RunFolder(frozen)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        for name, path in given.items():
            (run.folder / name).write_bytes(bounded_bytes(path))
        some = {option: run.folder / name if name in given else None for option, name in inputs.GIVEN.items()}
        _refuse(measured_complaints(measured))
        write_findings(run, **some)
        run = measured.but(folder=run.folder)
        for conclude in (write_claims, write_audit, write_knowledge):
            conclude(run)
        render_report(read_inputs(run), published_sources(run.folder), templates, output_folder)


def validate(
    folders: Annotated[list[Path], says("reports: report/<hardware>/<study>")],
    *,
    seconds: options.Seconds = 600.0,
) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise Refusal(f"{folder}: no such folder; name that of a published report, report/<hardware>/<study>")
    found = {folder: complaints(folder.resolve(), seconds) for folder in folders}
    for text in (text for texts in found.values() for text in texts):
        print(f"error: {plain(text)}", file=sys.stderr)
    if any(found.values()):
        raise SystemExit(2)
    for folder in found:
        print(plain(f"{folder}: valid"))


def compare(*, reports: options.Reports, templates: options.Templates, output_folder: options.OutputFolder) -> None:
    published.refuse_strangers(reports)
    if not published.why_nothing(reports):
        shared = [one for folders in published.shared(published.folders(reports)).values() for one in folders]
        for wrong in believed_complaints(shared, _BELIEVED).values():
            _refuse(wrong)
    render_comparison(compared(reports), templates, output_folder)


def index(*, reports: options.Reports, templates: options.Templates, output: options.Output) -> None:
    """Leave out reports that cannot be believed, and say why on the page.

    What takes long to compute again is taken as it is published: `validate` and `compare` compute it.
    """
    published.refuse_elsewhere(reports)
    left_out = {}
    for folder, wrong in believed_complaints(published.folders(reports), _BELIEVED, quick_complaints).items():
        if wrong:
            left_out[folder] = _first_of(wrong)
            print(f"warning: left out of the index: {left_out[folder]}", file=sys.stderr)
    reason = published.why_nothing(reports, left_out)
    if reason:
        # What was compared when there was more must not stay beside an index that does not know it.
        for name in (published.COMPARISON, published.PAGE):
            if os.path.realpath(output.parent) == os.path.realpath(reports):  # elsewhere it may be a user's own
                (output.parent / name).unlink(missing_ok=True)
        found = Compared((reason,))
    else:
        comparison = compared(reports, left_out)
        render_comparison(comparison, templates, output.parent)
        found = Compared(tuple(index_sentences(comparison, templates)), published.PAGE)
    render_index(reports, templates, output, found, left_out)


def _refuse(wrong: Sequence[str]) -> None:
    if wrong:
        raise Refusal(_first_of(wrong))


def _first_of(wrong: Sequence[str]) -> str:
    """The first complaint, and how many more there are."""
    more = f" (and {len(wrong) - 1} more; `validate` says all)" if len(wrong) > 1 else ""
    return plain(f"{wrong[0]}{more}")
