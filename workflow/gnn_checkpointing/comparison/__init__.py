"""Comparison of machines by their published reports: which reports there are, and each pair of machines."""

from collections.abc import Collection, Iterable
from itertools import combinations
from operator import attrgetter
from pathlib import Path

from gnn_checkpointing.analysis.table import grouped, time_ratio
from gnn_checkpointing.comparison import ratios
from gnn_checkpointing.comparison.checks import around, compared, joined
from gnn_checkpointing.comparison.results import Comparison, Machine, Pair, StudyCompared
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.run_folder import RunFolder

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


def refuse_strangers(reports: Path) -> None:
    """Refuse a folder that does not exist, and any folder two levels below it that is not a report."""
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


def compare(reports: Path, left_out: Collection[Path] = ()) -> Comparison:
    """Compare the reports below `reports`, or refuse if no study has two.

    Reports of a study that no other machine has are named but not read; those in `left_out` are neither.
    """
    reason = why_nothing(reports, left_out)
    if reason:
        raise Refusal(f"{reports}: {reason[0].lower()}{reason[1:]}")
    found = folders(reports, left_out)
    studies_of, labels = machines(found), dict[str, str]()
    studies, pairs = list[StudyCompared](), list[Pair]()
    for name, places in shared(found).items():
        # Study by study: their records take memory.
        runs = {folder.parent.name: RunFolder(folder) for folder in places}
        pairs += [_pair(*two) for two in combinations(runs.values(), 2)]
        labels |= {slug: run.machine.label for slug, run in runs.items()}
        missing = sorted(studies_of.keys() - runs.keys())
        title = next(iter(runs.values())).study.title
        studies.append(StudyCompared(name=name, title=title, machines=list(runs), missing=missing))
    return Comparison(
        confidence=ratios.CONFIDENCE,
        resamples=ratios.RESAMPLES,
        seed=ratios.SEED,
        machines=[Machine(slug=slug, label=labels.get(slug, slug), studies=own) for slug, own in studies_of.items()],
        studies=studies,
        pairs=pairs,
        findings=sum(pair.findings for pair in pairs),
    )


def _pair(first: RunFolder, second: RunFolder) -> Pair:
    rows = joined(first, second)
    cells = {str(pair.first["cell"]) for pair in rows}
    one, other = ({(record.cell, record.fingerprint) for record in run.records} for run in (first, second))
    checks, differences = compared(rows, first, second)
    crossings, never = ratios.break_evens(first, second)
    times, laws = ratios.at_rows(rows, time_ratio), ratios.per_edge(first, second)
    confidences = first.study.analysis.confidence, second.study.analysis.confidence
    return Pair(
        study=first.study.name,
        first=first.machine.slug,
        second=second.machine.slug,
        cells=len(cells),
        same_code=len({cell for cell, _ in one & other} & cells),
        rows=len(rows),
        checks=checks,
        findings=len(differences),
        differences=[*differences, *around(rows, first, second)],
        ratios=times,
        ratio_summaries=ratios.ratio_summaries(times, confidences),
        throughput=ratios.throughputs(rows),
        per_edge=laws,
        per_edge_ranks=ratios.exact_rank_agreement(
            [(law.first.estimate, law.second.estimate) for law in laws if law.first and law.second]
        ),
        break_evens=crossings,
        no_break_even=never,
    )
