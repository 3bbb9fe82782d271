"""Questions that a template may ask of a study: effects to name, nodes per second, outcomes; policies: `fronts.py`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partialmethod
from statistics import median
from typing import Any, get_args

from gnn_checkpointing.analysis.results import AllocatorEffect, Compared, Effect, Estimate, PracticeEffect
from gnn_checkpointing.analysis.table import grouped, time_ratio
from gnn_checkpointing.claims.ledger import Claim, Verdict
from gnn_checkpointing.claims.rules import below
from gnn_checkpointing.records.graph_facts import EncodingCost
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report.fronts import TIE, WORTH, Fronts
from gnn_checkpointing.report.sections.parts import deep, in_order
from gnn_checkpointing.report.units import estimate_of
from gnn_checkpointing.sourced import counted_where, sourced

_FLAT = 0.05
"""A peak counts as flat in density if an edge adds less than this fraction of the bytes that it adds under none."""

_BLOCKS = ("fused_edge_blocks", "edge_blocks")


def _size_after(fails: Sequence[bool], effects: Sequence[Any]) -> float | None:
    """Size of the effect that follows the last one that fails; None if that is the largest."""
    after = max((place for place, failed in enumerate(fails, start=1) if failed), default=0)
    return effects[after].size if after < len(effects) else None


@dataclass(frozen=True)
class AtSize:
    """A policy's time relative to none's on one graph, without differences between runs."""

    num_nodes: float
    time_ratio: Estimate


@dataclass(frozen=True)
class WithGraph:
    """A policy's share of none's activation memory if the sorted copy of the graph that it keeps is counted, too."""

    policy: str
    share: Estimate


class Facts(Fronts):
    """Answers about one study; every number keeps its address."""

    worth = 1 - sourced(WORTH, "gnn_checkpointing/report/fronts.py#/WORTH")
    """The share of memory that a policy must save to be worth its time."""

    tie = 1 - sourced(TIE, "gnn_checkpointing/report/fronts.py#/TIE")
    """Policies whose times, or bytes, differ by less than this share tie."""

    def pays(self, *effects: Compared) -> Verdict:
        """Whether the policy's activation memory is low enough in all these effects to be worth its time."""
        return below(WORTH).verdict([effect.activation_ratio for effect in effects])

    def worthwhile(self, effects: Sequence[Compared], *verdicts: Verdict) -> list[Compared]:
        """Effects that are worth their time, or those for which `pays` gives one of `verdicts`."""
        return [effect for effect in effects if self.pays(effect) in (verdicts or ("supported",))]

    def speeds(self, effects: Sequence[Effect]) -> list[Estimate]:
        """Throughput of each timed effect divided by none's."""
        found = (effect.throughput_ratio or (effect.time_ratio and effect.time_ratio.inverse) for effect in effects)
        return [ratio for ratio in found if ratio is not None]

    def pays_from(self, policy: str) -> str:
        """Lowest level from which on a policy is worth its time with every convolution; "" if there is none."""
        own = self.those(self._inputs.effects.generated, policy=policy)
        levels = sorted({effect.level for effect in own}, key=float)
        poor = {effect.level for effect in own if self.pays(effect) != "supported"}
        last = max((levels.index(level) for level in poor), default=-1)
        return levels[last + 1] if last + 1 < len(levels) else ""

    def pays_at(self, effects: Sequence[Any]) -> float | None:
        """Batch size from which on a policy is worth its time; None if the largest batch is not."""
        return _size_after([self.pays(effect) != "supported" for effect in effects], effects)

    @staticmethod
    def less_from(effects: Sequence[Any], others: Sequence[Any]) -> float | None:
        """Batch size from which on `effects` need less memory than `others`; None if the largest batch does not.

        A size that only `effects` have counts for them: the others did not complete there.
        """
        known = {other.size: other.activation_bytes for other in others}
        return _size_after([known.get(one.size, math.inf) <= one.activation_bytes for one in effects], effects)

    def densest(self, policy: str, convolution: str = "", place: int = -1) -> list[Compared]:
        """A policy's effect on the largest graph at the densest timed level (`place` -1), for each convolution."""
        found: list[Compared] = []
        for name in [convolution] if convolution else self._order:
            own = self.those(self._inputs.effects.generated, convolution=name, policy=policy)
            timed = [effect for effect in own if effect.time_ratio] or own
            if timed:
                level = sorted({effect.level for effect in timed}, key=float)[place]
                found.append(max(self.those(timed, level=level), key=lambda e: getattr(e, "num_nodes", None) or 0))
        return found

    sparsest = partialmethod(densest, place=0)

    def smallest(self, policy: str, level: str) -> list[Compared]:
        """A policy's timed effects at one level on the smallest graphs, if larger ones were measured, too."""
        own = [e for e in self._inputs.effects.at_sizes if e.policy == policy and e.level == level and e.time_ratio]
        sizes = sorted({int(effect.num_nodes) for effect in own})
        return [effect for effect in own if effect.num_nodes == sizes[0]] if len(sizes) > 1 else []

    def largest(self, policy: str, level: str) -> list[AtSize]:
        """A policy's times at one level on the largest graphs, if only the laws use graphs as large."""
        rows = self.rows(policy=policy, outcome="completed", allocator=self._inputs.reference)
        drawn = (row for row in rows if row["requested_average_degree"] == float(level))
        found = [AtSize(number(row, "num_nodes") or 0, ratio) for row in drawn if (ratio := time_ratio(row))]
        most = max((one.num_nodes for one in found), default=0.0, key=float)
        beyond = most > max((e.num_nodes for e in self._inputs.effects.at_sizes), default=0)
        return self.those(found, num_nodes=most) if beyond else []

    def with_sorted_graph(self) -> list[WithGraph]:
        """Shares of the block policy that saves most, on the densest graphs; empty if it keeps no sorted graph."""
        blocks = [policy for policy in _BLOCKS if policy in self._inputs.compared]
        own = self.densest(blocks[0]) if blocks else []
        shares = ((e.activation_ratio.estimate, 1 + e.policy_resident_bytes / e.activation_bytes) for e in own)
        found = [WithGraph(blocks[0], estimate_of(*3 * (share * more,))) for share, more in shares]
        return found if any(e.policy_resident_bytes for e in own) else []

    def allocators_seen(self) -> list[AllocatorEffect]:
        """Another allocator's effects on some policies with the first convolution at the densest level."""
        own = self.those(self._inputs.effects.allocators, convolution=self._order[0])
        densest = max((effect.degree for effect in own), default=0.0, key=float)
        return [e for e in self.those(own, degree=densest) if e.policy in ("layers", *_BLOCKS)]

    def turned_in_practice(self) -> list[PracticeEffect]:
        """Effects of layers in practice, on the densest graphs, where the bare stack gets another answer."""
        own = self.those(self._inputs.effects.practice, policy="layers")
        densest = max((one.average_degree for one in own), default=0.0, key=float)
        asked, verdict = self.those(own, average_degree=densest), below(WORTH).verdict
        return [one for one in asked if verdict([one.activation_ratio]) != verdict([one.bare_activation_ratio])]

    def rates(self, policies: Sequence[str] = ()) -> list[Effect]:
        """Every policy, or `policies`, at the densest timed level of each convolution."""
        found: list[Effect] = []
        for convolution in self._order:
            own = [p for p in self.those(self._points, convolution=convolution) if p.nodes_per_second]
            densest = max((float(p.level) for p in own), default=0.0)
            found += [p for p in own if float(p.level) == densest and (not policies or p.policy in policies)]
        return in_order(self._inputs, found)

    def grow(self, policy: str) -> list[str]:
        """The convolutions with which a policy's peak grows with density."""
        found = self.those(self._inputs.effects.flatness, policy=policy)
        named = {one.convolution for one in found if one.slope_ratio is not None and one.slope_ratio > _FLAT}
        return [name for name in self._order if name in named]

    def spmm_loses(self) -> bool:
        """Whether each compiled convolution beats its sparse-matrix (spmm) version at the densest timed level."""
        rates = self.rates(["none", "compiled"])
        nodes = {(e.convolution, e.policy): e.nodes_per_second.estimate for e in rates if e.nodes_per_second}
        own = {name: rate for (name, policy), rate in nodes.items() if policy == "none" and name.endswith(" (spmm)")}
        return bool(own) and all(nodes.get((name.removesuffix(" (spmm)"), "compiled"), 0.0) > own[name] for name in own)

    def recomputed(self, layers: int) -> list[Effect]:
        """Effects on stacks of `layers` layers of the same-model policy whose worst activation ratio is the lowest."""
        own = self.those(deep(self._inputs), num_layers=layers, other_model=False)
        timed = (point for point in own if point.activation_ratio and point.time_ratio and point.policy != "none")
        kept = grouped(timed, lambda point: point.policy)
        best = min(sorted(kept), key=lambda name: max(p.activation_ratio.estimate for p in kept[name]), default="")
        return kept.get(best, [])

    def less(self, point: Effect, others: Sequence[Effect]) -> Verdict:
        """Whether a policy needs less memory than all `others` with the same stack at the same level."""
        own = [other.activation_bytes for other in self.those(others, stack=point.stack, level=point.level)]
        return "untested" if not own else "supported" if point.activation_bytes < min(own, key=float) else "refuted"

    def fastest(self, convolution: str, policy: str) -> float | None:
        """Most edges per second that a policy was measured at on any generated graph."""
        found = self.those(self._inputs.effects.rows, kind="generated", convolution=convolution, policy=policy)
        return max((e.edges_per_second.estimate for e in found if e.edges_per_second), default=None, key=float)

    def throughput(self, policy: str) -> float:
        """Edges per second of a policy's median step."""
        return number(self.rows(policy=policy, outcome="completed")[0], "edges_per_second") or 0.0

    def encoding_cost(self, degree: float, radius: float) -> EncodingCost | None:
        """Cost of counting the encodings on the graph of that degree; None if the study has no such graph."""
        found = self.those(self._inputs.effects.encodings, average_degree=degree, radius=radius)
        return max(found, key=lambda cost: int(cost.peak_bytes), default=None)

    def gap(self, convolution: str, degree: float) -> Verdict:
        """Whether a policy lowers the peak of a bag of ego networks to that of encodings, of counting or training."""
        encoded = self.ego_points(convolution, "none", degree)["encodings"]
        cost = self.encoding_cost(degree, encoded.size or 0)
        aim = max(encoded.peak_memory_bytes, cost.peak_bytes if cost else 0)
        bags = [self.ego_points(convolution, policy, degree).get("ego_networks") for policy in self._inputs.compared]
        return "supported" if any(bag and bag.peak_memory_bytes <= aim for bag in bags) else "refuted"

    def ego_points(self, convolution: str, policy: str, degree: float) -> dict[str, Effect]:
        """Effects of one convolution and policy at one degree, by the form of the input, each at its largest radius."""
        own = self.those(self._inputs.effects.ego, convolution=convolution, policy=policy, degree=degree)
        return {p.method: p for p in sorted(own, key=lambda p: p.size or 0)}

    def ran(self, policy: str) -> Verdict:
        """Whether a policy completed in every cell."""
        outcomes = {row["outcome"] for row in self.rows(policy=policy)}
        return "supported" if outcomes == {"completed"} else "refuted" if outcomes else "untested"

    def median_row(self, column: str, **wanted: Any) -> float:
        """The median of a column over rows."""
        return median(value for row in self.rows(**wanted) if (value := number(row, column)) is not None)

    def claims(self, template: str) -> list[Claim]:
        """The tested claims of one template."""
        found = [c for c in self._inputs.ledger.claims if c.id.split(":")[0] == template and c.estimate]
        return in_order(self._inputs, found, "convolution")

    def verdicts(self) -> dict[str, int]:
        """How many claims have each verdict."""
        return {name: counted_where(self._inputs.ledger.claims, ("verdict", "=", name)) for name in get_args(Verdict)}

    def plain_reals(self, label: str = "") -> list[Effect]:
        """Plain training on real graphs, or on one of them, sparse ones first."""
        own = self.those(self._inputs.effects.rows, kind="real", policy="none", allocator=self._inputs.reference)
        found = [effect for effect in own if label in ("", effect.label)]
        return sorted(found, key=lambda e: (e.average_degree, self._order.index(e.convolution)))

    def batches(self, convolution: str, policy: str, method: str = "neighbours") -> list[Any]:
        """Effects on batches of sampled neighbours, or of another sampler, small `size` first."""
        own = self.those(self._inputs.effects.batches, convolution=convolution, policy=policy, method=method)
        return sorted(own, key=lambda effect: effect.size or 0)

    def reals(self, policy: str, convolution: str = "") -> list[Compared]:
        """Effects on real graphs, sparse ones first."""
        own = [e for e in self._inputs.effects.real if e.policy == policy and convolution in ("", e.convolution)]
        return sorted(own, key=lambda e: e.average_degree)

    def families(self, policy: str, convolution: str) -> list[Any]:
        """Effects on every family of graphs at the densest level."""
        own = self.those(self._inputs.effects.families, policy=policy, convolution=convolution)
        level = max((e.level for e in own), key=float, default="")
        return self.those(own, level=level, num_nodes=max((e.num_nodes for e in own), default=0))

    def extremes(self, column: str) -> list[float]:
        """The smallest and the largest value of a column; a single value if they are the same."""
        values = sorted((v for row in self._inputs.rows if (v := number(row, column)) is not None), key=float)
        return values[:1] if values[:1] == values[-1:] else [values[0], values[-1]]
