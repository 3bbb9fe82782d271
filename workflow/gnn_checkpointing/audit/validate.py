"""All complaints about a published report, the most important first, each in one sentence."""

import contextlib
import importlib.metadata
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from gnn_checkpointing.artefacts import digest, read_json, sha256_of, write_json
from gnn_checkpointing.audit import again, possible, whole
from gnn_checkpointing.audit.pages import pages
from gnn_checkpointing.packed import MOST_BYTES, PACK, is_there
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.index import read_summary
from gnn_checkpointing.report.inputs import HISTORY, MEASUREMENTS, RECORDS, STUDY
from gnn_checkpointing.report.provenance import CRATE, changed_files, made_with
from gnn_checkpointing.report.render import SUMMARY, report_code
from gnn_checkpointing.report.run_folder import READERS, RunFolder
from gnn_checkpointing.report.sections.history import read_history
from gnn_checkpointing.report.texts import TEMPLATES

Check = Callable[[RunFolder], Iterator[str]]

MOST_FOLDER_BYTES = 2 * MOST_BYTES
"""Limit for all files together: about fifty times the largest published report."""

MOST_SECONDS = 600.0
"""Time limit for checking one report; a published report takes about ten seconds."""

MOST_COMPLAINTS = 500
"""Limit for one check and for a whole report: nobody reads more."""

_CONCLUDED = ("findings", "ledger", "audit", "knowledge")
_MEASURED: tuple[Check, ...] = (
    whole.doubles,
    whole.cells,
    whole.machines,
    possible.sizes,
    possible.records,
    possible.demonstration,
    whole.graphs,
    whole.beside,
    whole.table,
    whole.traces,
)
_NO_SENSE = "nothing can be made of its values"
_LIBRARIES = ("numpy", "scipy", "statsmodels", "matplotlib", "typst")


class _TooLong(BaseException):
    """The time is up; not an `Exception`, which a check could take for an answer."""


def complaints(folder: Path, seconds: float = MOST_SECONDS) -> list[str]:
    """Complaints about the report in `folder`; none if it can be believed.

    All conclusions are computed again and both pages are rendered again, which takes about ten seconds.
    """
    return within(seconds, folder, lambda own: _complaints(own, (again.analysis, again.conclusions, pages)))


def quick_complaints(folder: Path) -> list[str]:
    """As `complaints`, without the slow checks: the analysis of the table and the pages are taken as published."""
    return within(MOST_SECONDS, folder, lambda own: _complaints(own, (again.conclusions,)))


def measured_complaints(run: RunFolder) -> list[str]:
    """Complaints about the measurements, from which a report can be made again."""
    measured = READERS.keys() - _CONCLUDED
    return within(MOST_SECONDS, run.folder, lambda _: _unread(run, measured) or _of_all(_MEASURED, run))


def believed_complaints(
    folders: Iterable[Path], memory: Path, check: Callable[[Path], list[str]] = complaints
) -> dict[Path, list[str]]:
    """Complaints of `check` about each report; a report that this code has found correct is not checked again.

    `memory` lists digests of correct reports, computed from the crate (which has the checksums of all files), our code
    and the versions of libraries. Files that differ from the crate are found each time.
    """
    found = {folder: changed_files(folder) for folder in folders}
    versions = [importlib.metadata.version(name) for name in _LIBRARIES]
    code = [check.__name__, report_code(TEMPLATES), versions]
    code += [sha256_of(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    keys = {
        folder: digest([folder.parent.name, folder.name, sha256_of(folder / CRATE), code], 32)
        for folder, changed in found.items()
        if not changed
    }
    try:
        listed = read_json(memory)
    except Refusal:
        listed = []
    known = {str(one) for one in listed} if isinstance(listed, list) else set()
    asked = [folder for folder, key in keys.items() if key not in known]
    found |= {folder: check(folder) for folder in asked}
    believed = {keys[folder] for folder in asked if not found[folder]}
    if believed:
        with contextlib.suppress(OSError):  # if it cannot be written, the next run just checks again
            write_json(memory, sorted(known | believed))
    return found


def within(seconds: float, folder: Path, check: Callable[[Path], list[str]]) -> list[str]:
    """Complaints of a check about a folder, or that the folder is too large or the check took longer than `seconds`.

    The clock is the alarm signal of the process, so there is no time limit outside the main thread.
    """
    large = _too_large(folder)
    if large or threading.current_thread() is not threading.main_thread():
        return large or _shortened(check(folder), folder)
    before = signal.signal(signal.SIGALRM, _stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        return _shortened(check(folder), folder)
    except _TooLong:
        return [f"{folder}: checking it took longer than {seconds:g} s and was stopped; allow more with --seconds"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _shortened(found: list[str], folder: Path) -> list[str]:
    more = f"{folder}: {len(found) - MOST_COMPLAINTS} complaints more"
    return [*found[:MOST_COMPLAINTS], more] if len(found) > MOST_COMPLAINTS else found


def _stop(_signal: int, _frame: object) -> None:
    raise _TooLong


def _too_large(folder: Path) -> list[str]:
    sizes = {path: path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    words, total = "{}: {} bytes{}, at most {} are read; it is {} of this project", sum(sizes.values())
    large = [(path, size) for path, size in sizes.items() if size > MOST_BYTES]
    if not large and total > MOST_FOLDER_BYTES:
        return [words.format(folder, total, " in all", MOST_FOLDER_BYTES, "no report")]
    return [words.format(path, size, "", MOST_BYTES, "not a file") for path, size in large]


def _complaints(folder: Path, checks: Sequence[Check]) -> list[str]:
    if not any(is_there(folder / name) for name in (STUDY, RECORDS, CRATE)):
        return [f"{folder}: no published report there; name its folder, report/<hardware>/<study>"]
    if not any(is_there(folder / name) for name in (RECORDS, MEASUREMENTS)):
        return [f"{folder / PACK}: not there, nor what it holds; copy the report with all its files"]
    changed, run = changed_files(folder), RunFolder(folder)
    unread = _unread(run, READERS.keys() - _CONCLUDED)
    if unread:
        return list(dict.fromkeys([*unread, *changed]))  # each file of an archive gives the same complaint
    wrong = _of_all((whole.names, *_MEASURED), run)
    if wrong or changed:
        # Files that were changed are named; computing everything again would only repeat that at length.
        return [*changed, *wrong]
    unread = _unread(run, _CONCLUDED, partial(read_summary, folder / SUMMARY), partial(read_history, folder / HISTORY))
    # Whatever prints a false number is false, too, and tells nothing new: stop at the first check that complains.
    found = unread or next(([f"{folder}: {text}" for text in said] for one in checks if (said := _said(one, run))), [])
    if not found or made_with(folder) == report_code(TEMPLATES):
        return found
    first = found[0].removeprefix(f"{folder}: ")
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return [
        f"{folder}: made with another version of this project, which says something else of its measurements, or "
        f"changed by hand: {first}{more}; make it again with `make report-from FROZEN={folder}`"
    ]


def _unread(run: RunFolder, parts: Iterable[str], *more: Callable[[], object]) -> list[str]:
    """A complaint for each of `parts` of a run that cannot be read, in the order of their readers."""
    said = []
    reads: list[Callable[[], object]] = [partial(getattr, run, part) for part in READERS if part in set(parts)]
    for read in [*reads, *more]:
        try:
            read()
        except Refusal as refusal:
            said.append(str(refusal))
    return said


def _of_all(checks: Sequence[Check], run: RunFolder) -> list[str]:
    """Complaints of all checks; that a check cannot compute is reported only if no other complaint gives the reason."""
    said = [text for check in checks for text in _said(check, run)]
    named = [text for text in said if _NO_SENSE not in text]
    return [f"{run.folder}: {text}" for text in named or said]


def _said(check: Check, run: RunFolder) -> list[str]:
    """Complaints of a check, including one if it fails on impossible numbers."""
    complaints: list[str] = []
    try:
        complaints.extend(islice(check(run), MOST_COMPLAINTS))
    except again.MISFITS as error:
        name = check.__name__.strip("_").replace("_", " ")
        complaints.append(f"{name}: {_NO_SENSE} ({type(error).__name__}: {error})")
    return complaints
