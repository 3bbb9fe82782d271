"""All that speaks against a published report, in the order in which it matters: each complaint one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from gnn_checkpointing.report.render import report_code
from gnn_checkpointing.validation import again, possible, whole
from gnn_checkpointing.validation.checksums import changed_files, made_with
from gnn_checkpointing.validation.limits import MOST_SECONDS, within
from gnn_checkpointing.validation.pages import TEMPLATES, pages
from gnn_checkpointing.validation.published import Measured, Published, read_measured, read_published

Read = TypeVar("Read")
Check = Callable[[Read], Iterator[str]]

_MEASURED: tuple[Check[Measured], ...] = (
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
        return unread if found is None else _of_all(_MEASURED, found, folder)

    return within(MOST_SECONDS, folder, check)


def _complaints(folder: Path, checks: Sequence[Check[Published]]) -> list[str]:
    changed = changed_files(folder)
    measured, unread = read_measured(folder)
    if measured is None:
        return list(dict.fromkeys([*unread, *changed]))  # each file of an archive says the same of it
    wrong = _of_all((whole.names, *_MEASURED), measured, folder)
    if wrong or changed:
        # What was changed afterwards is named; computing all of it again would say the same at length.
        return [*changed, *wrong]
    published, unread = read_published(measured)
    if published is None:
        return _in_one(folder, unread)
    # What a false number is printed in is false, too, and says no more: the first check that complains is the last.
    found = next((said for check in checks if (said := _said(check, published))), [])
    return _in_one(folder, [f"{folder}: {text}" for text in found])


def _of_all(checks: Sequence[Check[Measured]], found: Measured, folder: Path) -> list[str]:
    """What all checks say; that one cannot compute is worth a word only where no other names the reason."""
    said = [text for check in checks for text in _said(check, found)]
    named = [text for text in said if _NO_SENSE not in text]
    return [f"{folder}: {text}" for text in named or said]


def _said(check: Check[Read], found: Read) -> list[str]:
    """What a check says, and where it fails at numbers that no run gives, that it does."""
    complaints: list[str] = []
    try:
        complaints.extend(check(found))
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


def _pages(found: Published) -> Iterator[str]:
    return pages(found.measured.folder)
