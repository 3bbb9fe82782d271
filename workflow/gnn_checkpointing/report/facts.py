"""What a template may ask of a study: which effects its answer names, who wins where, how many nodes a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from gnn_checkpointing.analysis.results import Compared, DepthPoint, Effect, EgoPoint, Estimate, FrontierPoint
from gnn_checkpointing.claims.ledger import Claim, Verdict
from gnn_checkpointing.claims.rules import below
from gnn_checkpointing.records.encodings import EncodingCost
from gnn_checkpointing.records.measurements_table import number, per_second
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ReportInputs, Row
from gnn_checkpointing.report.sections.families import NAMES
from gnn_checkpointing.sourced import counted_where, sourced

WORTH = 0.95
"""A policy that keeps more of the activation memory than this does not pay for the time it takes."""

_WORTH = sourced(WORTH, "gnn_checkpointing/report/facts.py#/WORTH")


_SAME = {"memory_budget(1)": "compiled"}
"""Policies under the name by which a reader knows them: a budget of all is the compiler as it is."""

_SPMM = " (spmm)"


@dataclass(frozen=True)
class Winner:
    """The policies that none beats at one density with one convolution: the fastest and the smallest of them."""

    convolution: str
    level: str
    fastest: FrontierPoint
    smallest: FrontierPoint

    @property
    def ratios(self) -> tuple[float, float, float, float]:
        """Time and memory of the fastest, then of the smallest, divided by none's."""
        found = [getattr(p, r) for p in (self.fastest, self.smallest) for r in ("time_ratio", "activation_ratio")]
        return tuple(ratio.estimate for ratio in found)


@dataclass(frozen=True)
class Rate:
    """Nodes and edges per second of one policy's step, and their ratio to none's."""

    point: FrontierPoint
    nodes: float
    edges: float
    ratio: Estimate | None


class Facts:
    """Answers about one study; every number keeps its address."""

    def __init__(self, inputs: ReportInputs) -> None:
        """Take the study's inputs."""
        self._inputs = inputs

    def names(self) -> dict[str, Callable[..., Any]]:
        """Every question by the name that templates use."""
        own = [getattr(self, name) for name in dir(self) if not name.startswith("_") and name != "names"]
        return {one.__name__: one for one in own}

    def speed(self, effect: Compared | FrontierPoint) -> float:
        """Throughput of a policy divided by none's: the inverse of its time ratio."""
        measured = getattr(effect, "throughput_ratio", None)
        if measured is not None:
            return measured.estimate  # type: ignore[no-any-return]
        if effect.time_ratio is None:
            raise ValueError(f"{effect.policy} was not timed")
        return 1 / effect.time_ratio.estimate

    def worth(self) -> float:
        """The share of memory that a policy must save to be worth its time."""
        return 1 - _WORTH

    def pays(self, *effects: Compared) -> Verdict:
        """Whether a policy keeps so little memory that it is worth its time."""
        return below(WORTH).verdict([effect.activation_ratio for effect in effects])

    def worthwhile(self, effects: Sequence[Compared], *verdicts: Verdict) -> list[Compared]:
        """Those of the effects that are worth their time; with `verdicts`, those of which that is the answer."""
        return [effect for effect in effects if self.pays(effect) in (verdicts or ("supported",))]

    def speeds(self, effects: Sequence[Effect]) -> list[Estimate]:
        """Throughput of each timed effect divided by none's."""
        found = (effect.throughput_ratio or units.inverse(effect.time_ratio) for effect in effects)
        return [ratio for ratio in found if ratio is not None]

    def pays_from(self, policy: str) -> str:
        """The lowest level from which on a policy is worth its time with every convolution; "" where there is none."""
        own = [effect for effect in self._inputs.effects.generated if effect.policy == policy]
        levels = sorted({effect.level for effect in own}, key=float)
        poor = {effect.level for effect in own if self.pays(effect) != "supported"}
        last = max((levels.index(level) for level in poor), default=-1)
        return levels[last + 1] if last + 1 < len(levels) else ""

    def pays_at(self, effects: Sequence[Any]) -> float | None:
        """The size of batch from which on a policy is worth its time; None where it never is."""
        poor = max((place for place, effect in enumerate(effects) if self.pays(effect) != "supported"), default=-1)
        return effects[poor + 1].size if poor + 1 < len(effects) else None

    def beats_none(self, convolution: str) -> Verdict:
        """Whether some policy needs both less memory and less time than none at the densest timed level."""
        own = [one for one in self.winners() if one.convolution == convolution]
        points = [p for p in self._points() if p.convolution == convolution and own and p.level == own[-1].level]
        both = [(p.activation_ratio, p.time_ratio) for p in points if p.policy != "none"]
        won = [below(1.0).verdict([memory, time]) for memory, time in both if memory and time]
        return "supported" if "supported" in won else "inconclusive" if "inconclusive" in won else "refuted"

    def densest(self, policy: str, convolution: str = "") -> list[Compared]:
        """A policy's effect at the densest timed level, an effect for each convolution."""
        return self._ends(policy, convolution, -1)

    def sparsest(self, policy: str, convolution: str = "") -> list[Compared]:
        """A policy's effect at the sparsest timed level, an effect for each convolution."""
        return self._ends(policy, convolution, 0)

    def _ends(self, policy: str, convolution: str, place: int) -> list[Compared]:
        found = []
        for name in [convolution] if convolution else self._inputs.convolutions:
            own = [e for e in self._inputs.effects.generated if (e.convolution, e.policy) == (name, policy)]
            timed = [effect for effect in own if effect.time_ratio] or own
            if timed:
                level = sorted({effect.level for effect in timed}, key=float)[place]
                found.append(max((e for e in timed if e.level == level), key=_size))
        return found

    def _points(self) -> list[FrontierPoint]:
        return [point for point in self._inputs.frontier.points if point.allocator == self._inputs.reference]

    def rates(self, policies: Sequence[str] = ()) -> list[Rate]:
        """Throughput at the densest timed level of each convolution, every policy of it."""
        found = []
        for convolution in self._inputs.convolutions:
            own = [p for p in self._points() if p.convolution == convolution and p.step_time_seconds]
            densest = max((float(p.level) for p in own), default=0.0)
            wanted = [p for p in own if float(p.level) == densest and (not policies or p.policy in policies)]
            found += [self._rate(p) for p in sorted(wanted, key=lambda p: self._inputs.policies.index(p.policy))]
        return found

    def _rate(self, point: FrontierPoint) -> Rate:
        seconds, ratio = point.step_time_seconds or 1.0, point.time_ratio
        inverse = None if point.policy == "none" else units.inverse(ratio)
        nodes = (self._inputs.frontier.num_nodes or 0) / seconds
        return Rate(point, nodes, point.num_edges / seconds, inverse)

    def winners(self) -> list[Winner]:
        """The fastest and the smallest of the unbeaten policies, at each density of each convolution."""
        points = {(p.convolution, p.level, p.policy): p for p in self._points()}
        found = []
        for best in self._inputs.frontier.pareto:
            names = {policy: (best.convolution, best.level, _SAME.get(policy, policy)) for policy in best.policies}
            own = [points.get(key) or points[best.convolution, best.level, name] for name, key in names.items()]
            timed = [point for point in own if point.time_ratio and point.activation_ratio]
            if timed:
                fastest = min(timed, key=lambda p: p.time_ratio.estimate)  # type: ignore[union-attr]
                smallest = min(timed, key=lambda p: p.activation_bytes)
                found.append(Winner(best.convolution, best.level, fastest, smallest))
        order = self._inputs.convolutions
        return sorted(found, key=lambda one: (order.index(one.convolution), float(one.level)))

    def spmm_loses(self) -> bool:
        """Whether a compiled convolution is faster than its own sparse product, at the densest timed level."""
        nodes = {(rate.point.convolution, rate.point.policy): rate.nodes for rate in self.rates(["none", "compiled"])}
        pairs = [
            (nodes[name, "none"], nodes.get((name.removesuffix(_SPMM), "compiled")))
            for name, policy in nodes
            if policy == "none" and name.endswith(_SPMM)
        ]
        return bool(pairs) and all(other is not None and other > own for own, other in pairs)

    def rivals(self, convolution: str, level: str, policies: Sequence[str]) -> list[FrontierPoint]:
        """Some policies at one density, in the order asked for."""
        own = {p.policy: p for p in self._points() if (p.convolution, p.level) == (convolution, level)}
        return [own[policy] for policy in policies if policy in own]

    def depth_points(self, layers: int | None = None, policy: str = "") -> list[DepthPoint]:
        """Policies at one number of layers, at every level of each stack."""
        found = self._inputs.depths.points
        return [p for p in found if layers in (None, p.num_layers) and policy in ("", p.policy)]

    def deepest(self) -> int:
        """The largest number of layers."""
        return max((p.num_layers for p in self._inputs.depths.points), key=int)

    def recomputed(self, layers: int) -> list[DepthPoint]:
        """The policy that needs the least memory of those that train the same model, at each level of each stack."""
        own = [p for p in self.depth_points(layers) if p.activation_ratio and p.time_ratio and not p.other_model]
        worst = {policy: max(_kept(p) for p in own if p.policy == policy) for policy in {p.policy for p in own}}
        worst.pop("none", None)
        return [p for p in own if p.policy == min(sorted(worst), key=worst.__getitem__)] if worst else []

    def less(self, point: DepthPoint, others: Sequence[DepthPoint]) -> Verdict:
        """Whether a policy needs less memory than another one with the same stack at the same level."""
        own = [other for other in others if (other.stack, other.level) == (point.stack, point.level)]
        if not own:
            return "untested"
        return "supported" if all(point.activation_bytes < other.activation_bytes for other in own) else "refuted"

    def throughput(self, policy: str) -> float:
        """Edges per second of a policy's median step."""
        row = next(row for row in self.rows(policy=policy, outcome="completed"))
        return per_second(number(row, "num_edges") or 0.0, number(row, "step_time_seconds")) or 0.0

    def ego_degree(self) -> float:
        """The largest degree at which a bag was trained without checkpointing."""
        found = [p.degree for p in self._inputs.ego.points if p.form == "ego_networks" and p.policy == "none"]
        return max(found, key=float)

    def encoding_cost(self, degree: float, radius: float) -> EncodingCost | None:
        """What counting the encodings took on the graph of that degree; None where the study has no such graph."""
        found = (one for one in self._inputs.ego.costs if (one.average_degree, one.radius) == (degree, radius))
        return max(found, key=lambda cost: int(cost.peak_bytes), default=None)

    def gap(self, convolution: str, degree: float) -> Verdict:
        """Whether some policy makes a bag as small as encodings without checkpointing."""
        aim = self.ego_points(convolution, "none", degree)["encodings"].peak_memory_bytes
        bags = [self.ego_points(convolution, policy, degree).get("ego_networks") for policy in self._inputs.compared]
        return "supported" if any(bag and bag.peak_memory_bytes <= aim for bag in bags) else "refuted"

    def ego_points(self, convolution: str, policy: str, degree: float) -> dict[str, EgoPoint]:
        """One convolution and policy at one degree, by the form of its input, each of the largest radius."""
        own = [
            p for p in self._inputs.ego.points if (p.convolution, p.policy, p.degree) == (convolution, policy, degree)
        ]
        return {p.form: p for p in sorted(own, key=lambda p: p.radius or 0)}

    def rows(self, **wanted: Any) -> list[Row]:
        """Rows of the table whose columns have these values."""
        return [row for row in self._inputs.rows if all(row[name] == value for name, value in wanted.items())]

    def ran(self, policy: str) -> Verdict:
        """Whether a policy completed in every cell."""
        outcomes = {row["outcome"] for row in self.rows(policy=policy)}
        return "supported" if outcomes == {"completed"} else "refuted" if outcomes else "untested"

    def median_row(self, column: str, **wanted: Any) -> float:
        """The median of a column over rows."""
        return median(value for row in self.rows(**wanted) if (value := number(row, column)) is not None)

    def claims(self, template: str) -> list[Claim]:
        """The claims of one template that were tested."""
        return [c for c in self._inputs.ledger.claims if c.id.split(":")[0] == template and c.estimate is not None]

    def verdicts(self) -> dict[str, int]:
        """How many claims have each verdict."""
        found = self._inputs.ledger.claims
        return {
            name: counted_where(found, ("verdict", "=", name))
            for name in ("supported", "refuted", "inconclusive", "untested")
        }

    def batches(self, convolution: str, policy: str, sampler: str = "neighbours") -> list[Any]:
        """Effects on batches of one sampler, small batches first."""
        own = [
            e
            for e in self._inputs.variants.batches
            if (e.convolution, e.policy, e.sampler) == (convolution, policy, sampler)
        ]
        return sorted(own, key=lambda e: e.size or 0)

    def reals(self, policy: str, convolution: str = "") -> list[Compared]:
        """Effects on real graphs, sparse ones first."""
        own = [e for e in self._inputs.effects.real if e.policy == policy and convolution in ("", e.convolution)]
        return sorted(own, key=lambda e: e.average_degree)

    def families(self, policy: str, convolution: str) -> list[Any]:
        """Effects on every family of graphs at the densest level."""
        own = [e for e in self._inputs.variants.families if (e.policy, e.convolution) == (policy, convolution)]
        level = max((e.level for e in own), key=float, default="")
        nodes = max((e.num_nodes for e in own), default=0)
        return [e for e in own if (e.level, e.num_nodes) == (level, nodes)]

    def family_name(self, family: str) -> str:
        """A family of graphs as a reader knows it."""
        return NAMES.get(family, family)

    def extremes(self, column: str) -> list[float]:
        """The smallest and the largest value of a column, one where they are the same."""
        values = sorted((v for row in self._inputs.rows if (v := number(row, column)) is not None), key=float)
        return [] if not values else values[:1] if values[0] == values[-1] else [values[0], values[-1]]

    def per_edge(self, response: str, policy: str) -> list[Any]:
        """Fitted laws of a policy, a law for each convolution."""
        found = (self._inputs.law(name, policy, response) for name in self._inputs.convolutions)  # type: ignore[arg-type]
        return [law for law in found if law is not None]

    def threads(self) -> list[int]:
        """How many threads computed."""
        return self._inputs.quality.setting.threads

    def best_blocks(self, effects: Iterable[Compared]) -> Compared:
        """The effect that keeps the least memory."""
        return min(effects, key=lambda e: e.activation_ratio.estimate)


def _size(effect: Compared) -> int:
    return getattr(effect, "num_nodes", None) or 0


def _kept(point: DepthPoint) -> float:
    return float(point.activation_ratio.estimate) if point.activation_ratio else 1.0
