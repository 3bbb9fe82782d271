"""Results of a comparison of machines: the content of `comparison.json`."""

from typing import Literal

from pydantic import Field

from gnn_checkpointing.analysis.results import Estimate, OfPolicy, Quantity, Result


class Machine(Result):
    """A machine that has published a report of one of the compared studies; `studies` are those of all its reports."""

    slug: str
    label: str
    studies: list[str]


class Difference(Result):
    """A difference: its place, both values, their distance relative to the larger, and what may explain it.

    `what`: the check that it breaks, or else `facts` and `settings` (of `hardware.json` and `study.json`), `outcomes`
    (how a measurement ended), `half` (claims that one machine alone decides), `alone` (policies of a cell that one
    machine alone measured).
    """

    what: str
    place: str
    first: int | float | str
    second: int | float | str
    relative: float | None = None
    note: str = ""


class Check(Result):
    """A check of what must be the same on every machine: numbers of items compared and differing, and by how much."""

    id: str
    question: str
    rule: str
    matched: int
    differ: int
    worst: float | None
    word: Literal["same", "different", "not compared"]
    note: str


class OnBoth(OfPolicy):
    """A policy's number on both machines, and the second over the first; `apart` if the intervals do not meet."""

    first: Estimate | None
    second: Estimate | None
    quotient: Estimate | None
    apart: bool


class AtRow(OnBoth):
    """A number of one cell, with its row of `measurements.csv` on each machine, counted from 0."""

    first: Estimate
    second: Estimate
    quotient: Estimate
    graph: str
    graph_label: str
    num_edges: int
    allocator: str
    first_row: int
    second_row: int


class PerEdge(OnBoth):
    """Time per edge by the laws of each machine: in seconds, and as the ratio to none's on the same machine.

    Ratios are None for none itself, and where an interval reaches down to 0.
    """

    first_seconds: Estimate
    second_seconds: Estimate


class BreakEvenPair(OnBoth):
    """The average degree at which a policy breaks even, None where the ratio does not cross its threshold.

    Courses are as in `analysis/trends.json`; `apart` is also true if they differ.
    """

    quantity: Quantity
    threshold: float
    first_course: str
    second_course: str


class RatioSummary(OfPolicy):
    """Summary of the time ratios of several cells; an empty `convolution` or `policy` stands for all.

    `quotient` is the median of second / first, `rank_agreement` Kendall's tau-b, None where ratios do not rank.
    """

    allocator: str
    cells: int
    graphs: int
    quotient: Estimate
    rank_agreement: Estimate | None


class RankAgreement(Result):
    """Kendall's tau-b between two machines over `series` pairs, and the probability of one so far from 0 by chance."""

    series: int
    tau: float
    p_value: float


class Pair(Result):
    """One study on two machines; `cells` and `rows` count those that both have."""

    study: str
    first: str
    second: str
    cells: int
    same_code: int = Field(description="cells whose records have one fingerprint")
    rows: int
    checks: list[Check]
    findings: int = Field(description="how much differs that must be the same")
    differences: list[Difference]
    ratios: list[AtRow] = Field(description="a policy's time / none's")
    ratio_summaries: list[RatioSummary]
    throughput: list[AtRow] = Field(description="edges per second on the largest graph that both machines timed")
    per_edge: list[PerEdge]
    per_edge_ranks: RankAgreement | None
    break_evens: list[BreakEvenPair]
    no_break_even: int = Field(description="ratios that pass no threshold on either machine")

    def different(self, *what: str) -> list[Difference]:
        """The differences of some kinds."""
        return [one for one in self.differences if one.what in what]

    @property
    def over_all(self) -> list[RatioSummary]:
        """The time ratios of all convolutions together, under each allocator."""
        return [one for one in self.ratio_summaries if not one.convolution]


class StudyCompared(Result):
    """A study that several machines have published; `missing` are the slugs of those that have not."""

    name: str
    title: str
    machines: list[str]
    missing: list[str]


class Comparison(Result):
    """The whole comparison: every pair of machines of each study."""

    confidence: float
    resamples: int
    seed: int
    machines: list[Machine]
    studies: list[StudyCompared]
    pairs: list[Pair]
    findings: int
