"""Joining published reports: every study that several machines have, each two of them against each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from pathlib import Path

from gnn_checkpointing.comparison import joining
from gnn_checkpointing.comparison.agreement import CONFIDENCE, RESAMPLES, SEED, exact_rank_agreement
from gnn_checkpointing.comparison.checks import checks, half_decided
from gnn_checkpointing.comparison.folders import machines, shared, summaries, why_nothing
from gnn_checkpointing.comparison.published import Report, read_report
from gnn_checkpointing.comparison.ratios import break_evens, per_edge, ratio_pairs, ratio_summaries, throughputs
from gnn_checkpointing.comparison.results import Comparison, Machine, Pair, PerEdge, RankAgreement, StudyCompared
from gnn_checkpointing.refusal import Refusal


def compare(reports: Path, left_out: Collection[Path] = ()) -> Comparison:
    """Return what the reports below `reports` say of each other, or refuse where there are no two of one study.

    Reports of a study that no other machine has are named, and not read; those that are `left_out` are neither.
    """
    reason = why_nothing(reports, left_out)
    if reason:
        raise Refusal(f"{reports}: {reason[0].lower()}{reason[1:]}")
    found = summaries(reports, left_out)
    read = {study: [read_report(folder) for folder in folders] for study, folders in shared(found).items()}
    published = machines(found)
    labels = {one.machine.slug: one.machine.label for several in read.values() for one in several}
    studies = [study_compared(several, sorted(published)) for several in read.values()]
    return Comparison(
        confidence=CONFIDENCE,
        resamples=RESAMPLES,
        seed=SEED,
        machines=[
            Machine(slug=slug, label=labels.get(slug, slug), studies=studies) for slug, studies in published.items()
        ],
        studies=studies,
        findings=sum(pair.findings for study in studies for pair in study.pairs),
    )


def study_compared(reports: Sequence[Report], slugs: Sequence[str]) -> StudyCompared:
    """Return one study's reports in pairs; `slugs` are all machines that have published anything."""
    there = [report.machine.slug for report in reports]
    return StudyCompared(
        name=reports[0].study.name,
        title=reports[0].study.title,
        machines=there,
        missing=[slug for slug in slugs if slug not in there],
        pairs=[compared(first, second) for first, second in combinations(reports, 2)],
    )


def compared(first: Report, second: Report) -> Pair:
    """Return all that two machines' reports of one study say of each other."""
    pairs = joining.joined(first, second)
    cells = list(dict.fromkeys(str(pair.first["cell"]) for pair in pairs))
    found = checks(pairs, first, second)
    ratios = ratio_pairs(pairs)
    crossings, never = break_evens(first, second)
    laws = per_edge(first, second)
    return Pair(
        first=first.machine.slug,
        second=second.machine.slug,
        facts=joining.facts(first, second),
        settings=joining.settings(first, second),
        cells=len(cells),
        same_code=sum(
            cell in first.fingerprints and first.fingerprints[cell] == second.fingerprints.get(cell) for cell in cells
        ),
        rows=len(pairs),
        alone=joining.alone(first, second),
        outcomes=joining.outcomes(pairs),
        checks=found,
        findings=sum(check.differ for check in found),
        half_decided=half_decided(first, second),
        ratios=ratios,
        ratio_summaries=ratio_summaries(ratios, (first.study.analysis.confidence, second.study.analysis.confidence)),
        throughput=throughputs(pairs),
        per_edge=laws,
        per_edge_ranks=_per_edge_ranks(laws),
        break_evens=crossings,
        no_break_even=never,
    )


def _per_edge_ranks(laws: Sequence[PerEdge]) -> RankAgreement | None:
    both = [(law.first.estimate, law.second.estimate) for law in laws if law.first and law.second]
    return exact_rank_agreement([first for first, _ in both], [second for _, second in both])
