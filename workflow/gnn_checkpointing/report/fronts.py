"""Which policies win, and which others they beat in memory and time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.claims.rules import below
from gnn_checkpointing.report.inputs import ReportInputs, Row
from gnn_checkpointing.report.sections.parts import in_order, spans

WORTH = 0.95
"""A policy saves if its activation memory is below this fraction of none's: a smaller saving is not worth its time."""

TIE = 0.95
"""Two times, or two numbers of bytes, tie if their ratio is above this: noise changes times by a few percent."""

_SAME = {"memory_budget(1)": "compiled"}
"""Policies under the names that readers know: a memory budget of 1 is plain compilation."""


@dataclass(frozen=True)
class Winner:
    """Fastest and smallest of the Pareto-optimal policies at one density of one convolution.

    Policies that tie for the least time are named by the least memory, and the other way round.
    """

    convolution: str
    level: str
    fastest: Effect
    smallest: Effect


class Fronts:
    """The policies of one study, compared at each density; every number keeps its address."""

    def __init__(self, inputs: ReportInputs) -> None:
        self._inputs, self._order = inputs, inputs.convolutions
        self._points: list[Effect] = self.those(inputs.effects.points, allocator=inputs.reference)

    def winners(self) -> list[Winner]:
        """Fastest and smallest of the Pareto-optimal policies at each density of each convolution."""
        found = []
        for best in self._inputs.effects.pareto:
            if timed := self._front(best.convolution, best.level):
                # The noise of a few percent of time must not choose between policies of very different memory.
                fast = [p for p in timed if _time(p) * TIE <= _time(timed[0])]
                small = [p for p in timed if p.activation_bytes * TIE <= min(q.activation_bytes for q in timed)]
                fastest, smallest = min(fast, key=lambda p: p.activation_bytes), min(small, key=_time)
                found.append(Winner(best.convolution, best.level, fastest, smallest))
        return in_order(self._inputs, found, "convolution", "level")

    def _front(self, convolution: str, level: str) -> list[Effect]:
        """The Pareto-optimal policies at one density of one convolution that were timed, fast ones first."""
        points = {point.policy: point for point in self.those(self._points, convolution=convolution, level=level)}
        (best,) = self.those(self._inputs.effects.pareto, convolution=convolution, level=level)
        own = [points.get(_SAME.get(name, name)) or points[name] for name in best.policies]
        return sorted(filter(_has_both, own), key=_time)

    def smaller(self, winner: Winner) -> bool:
        """Whether the smallest policy is worth naming: its activation memory is below TIE times the fastest one's."""
        smallest, fastest = (getattr(winner, one).activation_ratio.estimate for one in ("smallest", "fastest"))
        return bool(smallest < TIE * fastest)

    def runs(self, convolution: str) -> list[tuple[Effect, str]]:
        """Each policy that is fastest at some levels: its effect at the densest of them, and these levels in words."""
        own = self.those(self.winners(), convolution=convolution)
        levels = [one.level for one in own]
        runs = grouped(reversed(own), lambda one: one.fastest.policy).values()
        return [(run[0].fastest, spans([one.level for one in run], levels)) for run in runs]

    def rivals(self, convolution: str, level: str, policies: Sequence[str]) -> list[Effect]:
        """Some policies at one density, in the order asked for."""
        own = self.those(self._points, convolution=convolution, level=level)
        return sorted((p for p in own if p.policy in policies), key=lambda p: policies.index(p.policy))

    def larger_budgets(self) -> list[tuple[str, float]]:
        """Convolutions with which a memory budget of 0 peaks above one of 0.5, and up to how many times as high."""
        found, budgets = [], ("memory_budget(0)", "memory_budget(0.5)")
        for name in self._order:
            own = self.those(self._points, convolution=name, policy=budgets[0])
            pairs = (self.rivals(name, point.level, budgets) for point in own)
            both = [pair for pair in pairs if len(pair) == len(budgets)]
            ratios = [none.activation_bytes / half.activation_bytes for none, half in both]
            most = max(ratios, default=0.0, key=float)
            found += [(name, most)] if most * TIE > 1 else []
        return found

    def beaten(self, points: Sequence[Effect]) -> list[tuple[Effect, list[Effect]]]:
        """Policies that no other beats, each with those of `points` that it beats in both and faster ones do not."""
        found: dict[str, tuple[Effect, list[Effect]]] = {}
        for point in filter(_has_both, points):
            better = [best for best in self._front(point.convolution, point.level) if _less_of_both(best, point)]
            if better:
                found.setdefault(better[0].policy, (better[0], []))[1].append(point)
        return list(found.values())

    def sparse(self, level: str) -> list[Effect]:
        """Timed effects at a sparse level: the fastest policy's of many, else those of layers and edge blocks."""
        if self._inputs.has_frontier:
            return [best.fastest for best in self.those(self.winners(), level=level) if best.fastest.policy != "none"]
        own = self.those(self._inputs.effects.generated, level=level)
        return [e for e in own if e.policy in ("layers", "edge_blocks") and e.time_ratio]

    def beats(self, point: Effect) -> Verdict:
        """Whether a policy needs both less memory and less time than none."""
        return below(1.0).verdict([ratio for ratio in (point.activation_ratio, point.time_ratio) if ratio])

    def beats_none(self, convolution: str) -> Verdict:
        """Whether some policy needs both less memory and less time than none at the densest timed level."""
        own = self.those(self.winners(), convolution=convolution)
        points = self.those(self._points, convolution=convolution, level=own[-1].level) if own else []
        won = {self.beats(p) for p in points if p.policy != "none" and p.activation_ratio and p.time_ratio}
        return "supported" if "supported" in won else "inconclusive" if "inconclusive" in won else "refuted"

    def other_gradients(self, convolution: str) -> list[Row]:
        """Rows of policies that are left out because their gradients differ from none's by more than the tolerance."""
        found = self.rows(convolution=convolution, outcome="completed", same_gradients=False)
        return [row for row in found if row["policy"] not in self._inputs.quality.other_models]

    def rows(self, **wanted: Any) -> list[Row]:
        """Rows of the table whose columns have these values."""
        return [row for row in self._inputs.rows if all(row[name] == value for name, value in wanted.items())]

    @staticmethod
    def those(items: Iterable[Any], **wanted: Any) -> list[Any]:
        """The items whose fields have these values."""
        return [one for one in items if all(getattr(one, name) == value for name, value in wanted.items())]


def _time(point: Effect) -> float:
    """Time ratio of a point that has one."""
    assert point.time_ratio
    return point.time_ratio.estimate


def _has_both(point: Effect) -> bool:
    """Whether a point has ratios of memory and time to none's."""
    return bool(point.activation_ratio and point.time_ratio)


def _less_of_both(one: Effect, other: Effect) -> bool:
    """Whether a policy needs less memory and less time than another at the same density."""
    return one.activation_bytes < other.activation_bytes and _time(one) < _time(other)
