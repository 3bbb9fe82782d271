"""Compare each pair of machines on every study that several machines have published."""

from collections.abc import Collection
from itertools import combinations
from pathlib import Path

from gnn_checkpointing.analysis.table import time_ratio
from gnn_checkpointing.comparison import folders, machines, ratios, shared, why_nothing
from gnn_checkpointing.comparison.checks import around, compared, joined
from gnn_checkpointing.comparison.results import Comparison, Machine, Pair, StudyCompared
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.run_folder import RunFolder


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
