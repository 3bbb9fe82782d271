"""All that speaks against a published report, in the order in which it matters: each complaint one sentence."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.artefacts import digest, read_json, sha256_of, write_json
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.provenance import CRATE
from gnn_checkpointing.report.render import report_code
from gnn_checkpointing.report.texts import TEMPLATES
from gnn_checkpointing.validation import again, possible, whole
from gnn_checkpointing.validation.checksums import changed_files, made_with
from gnn_checkpointing.validation.limits import MOST_SECONDS, within
from gnn_checkpointing.validation.pages import pages
from gnn_checkpointing.validation.published import Measured, read_findings, read_measured

Check = Callable[..., Iterator[str]]

_MEASURED: tuple[Check, ...] = (
    whole.doubles,
    whole.cells,
    whole.machines,
    possible.graphs,
    possible.records,
    whole.graphs,
    whole.table,
    whole.traces,
)
_NO_SENSE = "nothing can be made of its values"
_LIBRARIES = ("numpy", "scipy", "statsmodels", "matplotlib", "typst")


def complaints(folder: Path, seconds: float = MOST_SECONDS) -> list[str]:
    """What is wrong with the report in `folder`; nothing where it can be believed.

    All that was concluded is computed again, and both pages are rendered again: some ten seconds.
    """
    return within(seconds, folder, lambda own: _complaints(own, (again.analysis, again.conclusions, _pages)))


def quick_complaints(folder: Path) -> list[str]:
    """The same but for what takes long: the analysis of the table, and the pages, are taken as published."""
    return within(MOST_SECONDS, folder, lambda own: _complaints(own, (again.conclusions,)))


def measured_complaints(folder: Path) -> list[str]:
    """What is wrong with what was measured: all that a report is made from again."""

    def check(folder: Path) -> list[str]:
        found, unread = read_measured(folder)
        return unread if found is None else _of_all(_MEASURED, found)

    return within(MOST_SECONDS, folder, check)


def believed_complaints(folder: Path, memory: Path, check: Callable[[Path], list[str]] = complaints) -> list[str]:
    """What `check` says against a report; one that this code found nothing wrong with is not checked again.

    `memory` lists the digests of such reports: of the crate, which has the checksums of all their files, of our code
    and of the libraries. Files that are not those of the crate are seen each time.
    """
    changed = changed_files(folder)
    if changed:
        return changed
    names = [check.__name__, folder.parent.name, folder.name]
    versions = [importlib.metadata.version(name) for name in _LIBRARIES]
    checking = [sha256_of(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    key = digest([names, sha256_of(folder / CRATE), report_code(TEMPLATES), checking, versions], 32)
    try:
        listed = read_json(memory)
    except Refusal:
        listed = []
    known = {str(one) for one in listed} if isinstance(listed, list) else set()
    if key in known:
        return []
    found = check(folder)
    if not found:
        with contextlib.suppress(OSError):  # where nothing can be written, the next run only checks again
            write_json(memory, sorted({*known, key}))
    return found


def _complaints(folder: Path, checks: Sequence[Check]) -> list[str]:
    changed = changed_files(folder)
    measured, unread = read_measured(folder)
    if measured is None:
        return list(dict.fromkeys([*unread, *changed]))  # each file of an archive says the same of it
    wrong = _of_all((whole.names, *_MEASURED), measured)
    if wrong or changed:
        # What was changed afterwards is named; computing all of it again would say the same at length.
        return [*changed, *wrong]
    findings, unread = read_findings(folder)
    if findings is None:
        return _in_one(folder, unread)
    # What a false number is printed in is false, too, and says no more: the first check that complains is the last.
    found = next((said for check in checks if (said := _said(check, measured, findings))), [])
    return _in_one(folder, [f"{folder}: {text}" for text in found])


def _of_all(checks: Sequence[Check], found: Measured) -> list[str]:
    """What all checks say; that one cannot compute is worth a word only where no other names the reason."""
    said = [text for check in checks for text in _said(check, found)]
    named = [text for text in said if _NO_SENSE not in text]
    return [f"{found.folder}: {text}" for text in named or said]


def _said(check: Check, *found: Measured | Findings) -> list[str]:
    """What a check says, and where it fails at numbers that no run gives, that it does."""
    complaints: list[str] = []
    try:
        complaints.extend(check(*found))
    except again.MISFITS as error:
        name = check.__name__.strip("_").replace("_", " ")
        complaints.append(f"{name}: {_NO_SENSE} ({type(error).__name__}: {error})")
    return complaints


def _in_one(folder: Path, found: list[str]) -> list[str]:
    """Complaints as they are, or in one sentence where other code than this made the report."""
    if not found or made_with(folder) == report_code(TEMPLATES):
        return found
    first = found[0].removeprefix(f"{folder}: ")
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return [
        f"{folder}: made with another version of this project, which says something else of its measurements, or "
        f"changed by hand: {first}{more}; make it again with `make report-from FROZEN={folder}`"
    ]


def _pages(found: Measured, _findings: Findings) -> Iterator[str]:
    return pages(found.folder)
