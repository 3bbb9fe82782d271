"""Which published folders there are to compare: names and places alone, nothing in them is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from gnn_checkpointing.refusal import Refusal

SUMMARY = "summary.json"
"""A folder that has one is a published report: it is written last but for what can be seen of the report."""

COMPARISON, PAGE = "comparison.json", "comparison.html"
"""Beside the folders of all machines."""

DOCUMENTATION = "docs"
"""Beside them, too, where it is published: a folder that holds no reports."""


def summaries(reports: Path, left_out: Collection[Path] = ()) -> list[Path]:
    """Return the summary of every report below `reports`, which lie there as <hardware>/<study>/.

    The folders that are `left_out` are passed by.
    """
    return sorted(path for path in reports.glob(f"*/*/{SUMMARY}") if path.parent not in left_out)


def shared(found: Iterable[Path]) -> dict[str, list[Path]]:
    """Return by study the folders of those that two or more machines have published; `found` are summaries."""
    folders = sorted({path.parent for path in found})
    by_study: dict[str, list[Path]] = {}
    for folder in folders:
        by_study.setdefault(folder.name, []).append(folder)
    return {study: places for study, places in sorted(by_study.items()) if len(places) > 1}


def machines(found: Iterable[Path]) -> dict[str, list[str]]:
    """Return by machine the studies that it has published; `found` are summaries."""
    by_machine: dict[str, list[str]] = {}
    for folder in sorted({path.parent for path in found}):
        by_machine.setdefault(folder.parent.name, []).append(folder.name)
    return by_machine


def refuse_strangers(reports: Path) -> None:
    """Refuse a place that holds no reports, and any folder two levels down that is none."""
    if not reports.is_dir():
        raise Refusal(f"{reports}: no such folder; name the one that holds the reports as <hardware>/<study>/")
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
    """Return in one sentence why nothing can be compared, and what would change that; empty where something can."""
    found = summaries(reports, left_out)
    if shared(found):
        return ""
    by_machine = machines(found)
    if not by_machine:
        return "No report has been published yet, and a comparison takes the same study on two machines."
    if len(by_machine) == 1:
        (slug,) = by_machine
        return (
            f"Only one machine, {slug}, has published a report, so nothing is compared yet: it takes the same study "
            "on a second one."
        )
    told = "; ".join(f"{slug} has {', '.join(studies)}" for slug, studies in by_machine.items())
    return f"No study has been published by two machines ({told}), so nothing is compared yet."
