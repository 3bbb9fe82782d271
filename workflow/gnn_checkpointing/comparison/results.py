"""What a comparison of machines finds, as values: the content of `comparison.json`."""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.analysis.results import Estimate, Quantity, Result


class Machine(Result):
    """A machine that has published a report of one of the compared studies; `studies` are those of all its reports."""

    slug: str
    label: str
    studies: list[str]


class Difference(Result):
    """What is not the same: its place, what either says, how far apart over the larger number, what may explain it."""

    place: str
    first: int | float | str
    second: int | float | str
    relative: float | None = None
    note: str = ""


class Check(Result):
    """Something that must be the same on every machine: how many were compared, how many differ and by how much."""

    id: str
    question: str
    rule: str
    matched: int
    differ: int
    worst: float | None
    word: Literal["same", "different", "not compared"]
    note: str
    findings: list[Difference]


class Alone(Result):
    """A cell that only one of two machines has, or has under other policies: `policies` are those that it has alone."""

    machine: str
    cell: str
    policies: list[str]


class RatioPair(Result):
    """A policy's time / none's in one cell, on either machine with its row of `measurements.csv`, counted from 0."""

    graph: str
    graph_label: str
    convolution: str
    policy: str
    allocator: str
    first_row: int
    second_row: int
    first: Estimate
    second: Estimate
    quotient: float


class RatioSummary(Result):
    """The time ratios of some cells together; `convolution` and `policy` are empty where all are.

    `quotient` is the median of second / first, `rank_agreement` Kendall's tau-b, None where ratios do not rank.
    """

    convolution: str
    policy: str
    allocator: str
    cells: int
    graphs: int
    quotient: Estimate
    rank_agreement: Estimate | None


class RankAgreement(Result):
    """Kendall's tau-b between two machines over `series`, and the probability of one as far from 0 by chance."""

    series: int
    tau: float
    p_value: float


class PerEdge(Result):
    """Time per edge by the laws of either machine: in seconds, and as the ratio to none's on the same machine.

    Ratios are None for none itself, and where an interval reaches down to 0; `apart` if their intervals do not meet.
    """

    convolution: str
    policy: str
    first_seconds: Estimate
    second_seconds: Estimate
    first: Estimate | None
    second: Estimate | None
    quotient: Estimate | None
    apart: bool


class Throughput(Result):
    """Edges per second on the largest graph that both machines timed; `quotient` is second / first."""

    convolution: str
    policy: str
    allocator: str
    graph_label: str
    num_edges: int
    first: float
    second: float
    quotient: float


class BreakEvenPair(Result):
    """Where along density a policy breaks even on either machine, None where the ratio does not cross its threshold.

    `course` is as in `analysis/trends.json`; `apart` if the courses differ or the intervals do not meet.
    """

    convolution: str
    policy: str
    quantity: Quantity
    threshold: float
    first_course: str
    second_course: str
    first: Estimate | None
    second: Estimate | None
    quotient: Estimate | None
    apart: bool


class Pair(Result):
    """One study on two machines.

    `facts` and `settings` are what differs in `hardware.json` and `study.json`; `cells` and `rows` what both have, of
    these cells `same_code` with one fingerprint. `outcomes` are rows that ended otherwise on either, `half_decided`
    claims that one decides alone, `no_break_even` counts ratios that pass no threshold on either machine.
    """

    first: str
    second: str
    facts: list[Difference]
    settings: list[Difference]
    cells: int
    same_code: int
    rows: int
    alone: list[Alone]
    outcomes: list[Difference]
    checks: list[Check]
    findings: int
    half_decided: list[Difference]
    ratios: list[RatioPair]
    ratio_summaries: list[RatioSummary]
    throughput: list[Throughput]
    per_edge: list[PerEdge]
    per_edge_ranks: RankAgreement | None
    break_evens: list[BreakEvenPair]
    no_break_even: int


class StudyCompared(Result):
    """One study on all machines that have published it, in pairs; `missing` are the slugs of those that have not."""

    name: str
    title: str
    machines: list[str]
    missing: list[str]
    pairs: list[Pair]


class Comparison(Result):
    """Everything compared; `findings` counts what must be the same and is not."""

    confidence: float
    resamples: int
    seed: int
    machines: list[Machine]
    studies: list[StudyCompared]
    findings: int
