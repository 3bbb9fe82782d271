"""Comparison of machines by their published reports. Here: which reports there are, from names and places alone."""

from collections.abc import Collection, Iterable
from operator import attrgetter
from pathlib import Path

from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.refusal import Refusal

SUMMARY = "summary.json"
"""A folder with this file is a published report; only the pages, the pack and the crate are written after it."""

COMPARISON, PAGE = "comparison.json", "comparison.html"
"""Files beside the folders of all machines."""

DOCUMENTATION = "docs"
"""Folder of the documentation, where it is published beside the machines; it holds no reports."""


def folders(reports: Path, left_out: Collection[Path] = ()) -> list[Path]:
    """The folder of every report <hardware>/<study>/ below `reports`, except those that are `left_out`."""
    return sorted({path.parent for path in reports.glob(f"*/*/{SUMMARY}")} - {*left_out})


def shared(found: Iterable[Path]) -> dict[str, list[Path]]:
    """The report folders of each study that two or more machines have published."""
    by_study = grouped(sorted(found, key=attrgetter("name")), attrgetter("name")).items()
    return {study: places for study, places in by_study if len(places) > 1}


def machines(found: Iterable[Path]) -> dict[str, list[str]]:
    """The studies that each machine has published."""
    by_machine = grouped(found, attrgetter("parent.name")).items()
    return {slug: [folder.name for folder in own] for slug, own in by_machine}


def refuse_elsewhere(reports: Path) -> None:
    """Refuse a folder that does not exist, and the folder of a machine or of one report."""
    if not reports.is_dir():
        raise Refusal(f"{reports}: no such folder; name the one that holds the reports as <hardware>/<study>/")
    if inside := [path for path in (reports / SUMMARY, *reports.glob(f"*/{SUMMARY}")) if path.is_file()]:
        raise Refusal(f"{reports}: {inside[0]} lies too high in it; name the folder that holds <hardware>/<study>/")


def refuse_strangers(reports: Path) -> None:
    """Refuse what `refuse_elsewhere` does, and any folder two levels below that is not a report."""
    refuse_elsewhere(reports)
    for folder in sorted(
        path
        for path in reports.glob("*/*")
        if path.is_dir() and not path.name.startswith(".") and path.parent.name != DOCUMENTATION
    ):
        if not (folder / SUMMARY).is_file():
            raise Refusal(
                f"{folder}: no {SUMMARY} there, so it is no published report; render it again or take it away"
            )


def why_nothing(reports: Path, left_out: Collection[Path] = ()) -> str:
    """One sentence on why nothing can be compared and what would change that; empty if something can."""
    found = folders(reports, left_out)
    if shared(found):
        return ""
    by_machine = machines(found)
    if not by_machine:
        return "No report has been published yet, and a comparison takes the same study on two machines."
    if len(by_machine) == 1:
        return (
            f"Only one machine, {next(iter(by_machine))}, has published a report, so nothing is compared yet: it takes "
            "the same study on a second one."
        )
    listed = "; ".join(f"{slug} has {', '.join(studies)}" for slug, studies in by_machine.items())
    return f"No study has been published by two machines ({listed}), so nothing is compared yet."
