"""Joining published reports: every study that several machines have, each two of them against each other."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from pathlib import Path

from gnn_checkpointing.comparison.checks import checks, half_decided
from gnn_checkpointing.comparison.folders import machines, shared, summaries, why_nothing
from gnn_checkpointing.comparison.ratios import (
    CONFIDENCE,
    RESAMPLES,
    SEED,
    break_evens,
    exact_rank_agreement,
    per_edge,
    ratio_pairs,
    ratio_summaries,
    throughputs,
)
from gnn_checkpointing.comparison.reports import Report, alone, differing, joined, place, read_report, settings
from gnn_checkpointing.comparison.results import Comparison, Difference, Machine, Pair, StudyCompared
from gnn_checkpointing.refusal import Refusal


def compare(reports: Path, left_out: Collection[Path] = ()) -> Comparison:
    """What the reports below `reports` say of each other; refused where there are no two of one study.

    Reports of a study that no other machine has are named, and not read; those that are `left_out` are neither.
    """
    reason = why_nothing(reports, left_out)
    if reason:
        raise Refusal(f"{reports}: {reason[0].lower()}{reason[1:]}")
    found = summaries(reports, left_out)
    read = [[read_report(folder) for folder in folders] for folders in shared(found).values()]
    published = machines(found)
    labels = {report.slug: report.label for several in read for report in several}
    studies = [
        StudyCompared(
            name=several[0].study.name,
            title=several[0].study.title,
            machines=[report.slug for report in several],
            missing=sorted(published.keys() - {report.slug for report in several}),
            pairs=[_pair(*two) for two in combinations(several, 2)],
        )
        for several in read
    ]
    return Comparison(
        confidence=CONFIDENCE,
        resamples=RESAMPLES,
        seed=SEED,
        machines=[Machine(slug=slug, label=labels.get(slug, slug), studies=own) for slug, own in published.items()],
        studies=studies,
        findings=sum(pair.findings for study in studies for pair in study.pairs),
    )


def _pair(first: Report, second: Report) -> Pair:
    rows = joined(first, second)
    cells = {str(pair.first["cell"]) for pair in rows}
    found = checks(rows, first, second)
    ratios = ratio_pairs(rows)
    crossings, never = break_evens(first, second)
    laws = per_edge(first, second)
    ranked = [(law.first.estimate, law.second.estimate) for law in laws if law.first and law.second]
    return Pair(
        first=first.slug,
        second=second.slug,
        facts=differing(first.facts, second.facts),
        settings=differing(settings(first), settings(second)),
        cells=len(cells),
        same_code=sum(cell in cells for cell, _ in first.fingerprints.items() & second.fingerprints.items()),
        rows=len(rows),
        alone=[*alone(first, second), *alone(second, first)],
        outcomes=[
            Difference(place=place(row.first), first=str(row.first["outcome"]), second=str(row.second["outcome"]))
            for row in rows
            if row.first["outcome"] != row.second["outcome"]
        ],
        checks=found,
        findings=sum(check.differ for check in found),
        half_decided=half_decided(first, second),
        ratios=ratios,
        ratio_summaries=ratio_summaries(ratios, (first.study.analysis.confidence, second.study.analysis.confidence)),
        throughput=throughputs(rows),
        per_edge=laws,
        per_edge_ranks=exact_rank_agreement([one for one, _ in ranked], [other for _, other in ranked]),
        break_evens=crossings,
        no_break_even=never,
    )
