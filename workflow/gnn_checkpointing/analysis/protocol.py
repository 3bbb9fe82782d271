"""What the analysis fixes before it sees any data: levels, resamples, targets and the candidates for a law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gnn_checkpointing.study.graph_design import derived_seed, large_graphs
from gnn_checkpointing.study.study import Study


@dataclass(frozen=True)
class Protocol:
    """The study's settings of the analysis, as plain values: the statistics know no study.

    `processes` is in how many fresh processes each cell is timed, which share `rounds`, the fewest and the most of a
    cell, out among them. `large_graphs` are the ids of graphs beyond the grids, on which laws alone are fitted.
    `memory_forms` and `time_forms` name the forms of law to be tried for bytes and for seconds
    (`laws/series.py`), in the order in which equals are preferred.
    """

    reference_allocator: str
    confidence: float
    resamples: int
    ratio_half_width: float
    seed: int
    memory_forms: Sequence[str]
    time_forms: Sequence[str]
    rounds: tuple[int, int]
    processes: int
    timeout_seconds: float
    capacity_gib: Sequence[float]
    large_graphs: frozenset[str] = frozenset()


def protocol_of(study: Study) -> Protocol:
    """The study's settings of the analysis as plain values."""
    rounds = study.measurement.rounds
    return Protocol(
        reference_allocator=study.measurement.allocators[0],
        confidence=study.analysis.confidence,
        resamples=study.analysis.resamples,
        ratio_half_width=study.measurement.ratio_half_width,
        seed=derived_seed(study.seed, "analysis"),
        memory_forms=study.analysis.laws.memory,
        time_forms=study.analysis.laws.time,
        rounds=(rounds.at_least, rounds.at_most),
        processes=study.measurement.processes,
        timeout_seconds=study.measurement.timeout_seconds,
        capacity_gib=study.analysis.capacity_gib,
        large_graphs=large_graphs(study),
    )
