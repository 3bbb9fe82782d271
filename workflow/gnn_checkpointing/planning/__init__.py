"""Choose a policy for a graph and a memory limit by the arithmetic of the laws (does not import torch).

from gnn_checkpointing.planning import Planner

planner = Planner.read("report/<hardware>/default/planner.json")
plan = planner.plan(num_nodes=100_000, num_edges=20_000_000, convolution="GATv2", memory_gib=8)
plan.recommended            # the fastest policy that fits, such as "edge_blocks"
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

from gnn_checkpointing.planning import arithmetic
from gnn_checkpointing.planning.answering import answering, left_out, measured_at, warnings
from gnn_checkpointing.planning.arithmetic import Interval, Step, largest, peak
from gnn_checkpointing.planning.knowledge import (
    FILE,
    Knowledge,
    PolicyKnowledge,
    Sizes,
    machine_knowledge,
    read_knowledge,
)
from gnn_checkpointing.planning.times import Time, around, measured_faster, near, on_one_day, seconds
from gnn_checkpointing.refusal import Refusal, reason
from gnn_checkpointing.study.convolutions import ATTENTION

__all__ = ["Knowledge", "Plan", "Planner", "PolicyPlan"]

GIB = 2**30
MOST = 10**9
"""The largest number that a question may hold; products of two of them are still exact."""

Verdict = Literal["fits", "may fit", "does not fit"]


@dataclass(frozen=True)
class PolicyPlan:
    """One policy's answer: peak memory in bytes, seconds of a step, and the largest graphs that certainly fit.

    With `measured`, a graph of these sizes was measured with this model: its numbers are the answer, its time has the
    half-width of the law. `time` is None if no law predicts it; `faster` says whether the policy was measured to beat
    none near this size, `promising` whether it was at about this density, on another graph or model.
    `largest_nodes` holds at the given average degree, `largest_degree` at the given number of nodes; None: no limit.
    """

    policy: str
    measured: bool
    peak: Interval
    time: Time | None
    faster: bool
    promising: bool
    verdict: Verdict
    largest_nodes: int | None
    largest_degree: float | None

    @property
    def seconds(self) -> Interval | None:
        """The seconds of a step; None if they are not predicted, or only bounded."""
        return None if self.time is None else self.time.interval


@dataclass(frozen=True)
class Plan:
    """The answer: policies in the study's order, the recommended one (None if no policy fits), and warnings."""

    convolution: str
    num_nodes: int
    num_edges: int
    sizes: Sizes
    memory_bytes: float
    policies: tuple[PolicyPlan, ...]
    recommended: str | None
    warnings: tuple[str, ...]

    def of(self, policy: str) -> PolicyPlan:
        """One policy's answer, or refuse if there is none."""
        for found in self.policies:
            if found.policy == policy:
                return found
        raise Refusal(f"policy {policy}: no law; there is one of {', '.join(one.policy for one in self.policies)}")


@dataclass(frozen=True)
class Planner:
    """Answers questions from the findings of one or more studies on one machine."""

    knowledge: Knowledge

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """The planner from a `planner.json`, from a report that has one, or from all reports in `report/<hardware>`."""
        place = Path(path)
        of_many = place.is_dir() and not (place / FILE).is_file()
        own = place / FILE if place.is_dir() else place
        return cls(machine_knowledge(place) if of_many else read_knowledge(own))

    def plan(
        self,
        *,
        num_nodes: int,
        num_edges: int,
        convolution: str,
        memory_gib: float,
        num_layers: int | None = None,
        hidden_channels: int | None = None,
        heads: int | None = None,
        num_features: int | None = None,
        self_loops: bool = False,
        attention_dropout: bool = False,
    ) -> Plan:
        """Every policy's cost on a graph with `num_nodes` nodes and `num_edges` directed edges, and which to choose.

        The recommended policy is the fastest of those that certainly fit, judged by the upper end of their peak's
        interval. If `none` fits, it is recommended unless another policy was measured to be faster with the same model
        on a graph of about the same size. Times that are only bounded are not ranked: unless a fitting policy is
        predicted to be faster than `none`, one that was measured to be so at this density goes first. If no time is
        predicted, the policy with the lowest peak is recommended.
        With `self_loops` each node has an additional edge to itself; with `attention_dropout` GAT and GATv2 drop
        attention weights. Omitted sizes default to those measured, and classes are assumed to be no more than channels.
        Raises `Refusal` for impossible numbers and for a convolution without laws.
        """
        asked = zip(self.knowledge.measured, (num_layers, hidden_channels, heads, num_features), strict=True)
        model = {name: measured if own is None else own for (name, measured), own in asked}
        attends = convolution in ATTENTION
        sizes = _checked(model, num_nodes, num_edges, memory_gib, attends=attends)
        step = Step(num_nodes, float(num_edges), sizes, attention_dropout and attends)
        try:
            return self._answer(convolution, step, memory_gib * GIB, self_loops=self_loops)
        except (ArithmeticError, LookupError, ValueError) as error:  # as a damaged file has them
            raise Refusal(
                f"study {self.knowledge.study}: its {FILE} has impossible laws ({reason(error)}); make it again with "
                "`knowledge`"
            ) from None

    def _answer(self, convolution: str, step: Step, memory_bytes: float, *, self_loops: bool) -> Plan:
        every = answering(self.knowledge, convolution, step)
        if not every:
            study, names = self.knowledge.study, ", ".join(self.knowledge.convolutions)
            allowed = names or "none, since it fitted no laws; name the report of another study"
            raise Refusal(f"convolution {convolution}: study {study} has no law for it; allowed: {allowed}")
        steps = {one.policy: replace(step, measured=one.measured or self.knowledge.measured) for one in every}
        reasons = {one.policy: left_out(one, steps[one.policy]) for one in every}
        known = [one for one in every if reasons[one.policy] is None]
        none = next((one for one in known if one.policy == "none"), None)
        policies = tuple(_policy(one, none, steps[one.policy], memory_bytes, self_loops=self_loops) for one in known)
        return Plan(
            convolution=convolution,
            num_nodes=int(step.nodes),
            num_edges=int(step.edges),
            sizes=step.sizes,
            memory_bytes=memory_bytes,
            policies=policies,
            recommended=_recommended(policies),
            warnings=tuple(warnings(self.knowledge, known, reasons, step)),
        )


def _checked(sizes: dict[str, int], num_nodes: int, num_edges: int, memory_gib: float, *, attends: bool) -> Sizes:
    """The model's sizes, or refuse impossible numbers."""
    for name, value in {**sizes, "num_nodes": num_nodes}.items():
        if not 1 <= value <= MOST or value % 1:
            raise Refusal(f"{name} {value}: allowed are whole numbers from 1 to {MOST:,}")
    if attends and sizes["hidden_channels"] % sizes["heads"]:
        raise Refusal(
            f"hidden_channels {sizes['hidden_channels']} is not a multiple of heads {sizes['heads']}; heads are "
            "concatenated into channels"
        )
    most_edges = min(num_nodes * (num_nodes - 1), arithmetic.MOST_EDGES)
    if not 0 <= num_edges <= most_edges or num_edges % 1:
        raise Refusal(
            f"num_edges {num_edges}: {num_nodes:,} nodes have 0 to {most_edges:,} directed edges; count both "
            "directions of an undirected edge"
        )
    if not 0 < memory_gib <= MOST:
        raise Refusal(f"memory_gib {memory_gib:g}: allowed are numbers above 0 and up to {MOST:,}, in GiB")
    return Sizes(**sizes)


def _policy(
    known: PolicyKnowledge,
    none: PolicyKnowledge | None,
    step: Step,
    memory: float,
    *,
    self_loops: bool,
) -> PolicyPlan:
    """One policy's plan; `none` is the one that answers, perhaps from another study."""
    if self_loops and not known.self_loops:  # some convolutions already add self-loops
        cell, step = None, replace(step, edges=step.edges + step.nodes)
    else:
        cell = measured_at(known, step)
    found, time = peak(known, step), seconds(known, known.plain or none, step)
    if cell is not None:
        found = Interval(cell[3], cell[2], cell[3])
        if known.seconds is not None and cell[4] is not None:
            time = Time(around(cell[4], known.seconds.half_width))
    time = on_one_day(time, none, known.plain, step)
    degree = step.edges / step.nodes
    densest = min(int(step.nodes) * (int(step.nodes) - 1), arithmetic.MOST_EDGES)
    most = largest(known, memory, lambda edges: replace(step, edges=edges), densest)
    at_density = ((1.0, edges / nodes) for nodes, edges in known.faster_at)
    promising = not step.attention_dropout and any(near(one, (1.0, degree)) for one in at_density)
    return PolicyPlan(
        policy=known.policy,
        measured=cell is not None,
        peak=found,
        time=time,
        faster=measured_faster(known, step),
        promising=promising,
        verdict="fits" if found.high <= memory else "may fit" if found.low <= memory else "does not fit",
        largest_nodes=largest(
            known, memory, lambda nodes: replace(step, nodes=nodes, edges=degree * nodes), arithmetic.MOST_NODES
        ),
        largest_degree=None if most is None else most / step.nodes,
    )


def _recommended(policies: tuple[PolicyPlan, ...]) -> str | None:
    """The fastest policy that certainly fits; if no time is predicted, the one with the lowest peak.

    A policy without a predicted time that was faster than none at this density goes before slower ones than none.
    """
    fitting = [one for one in policies if one.verdict == "fits"]
    if any(one.policy == "none" for one in fitting):
        fitting = [one for one in fitting if one.policy == "none" or one.faster]
    timed = [(one.seconds.estimate, one.policy) for one in fitting if one.seconds is not None]
    plain = [one.seconds.estimate for one in policies if one.policy == "none" and one.seconds is not None]
    promising = [one for one in fitting if one.promising and one.seconds is None]
    if promising and min(timed, default=(math.inf,))[0] >= min(plain, default=0.0):
        return min(promising, key=lambda one: one.peak.estimate).policy
    if timed:
        return min(timed, key=lambda pair: pair[0])[1]
    return min(fitting, key=lambda one: one.peak.estimate).policy if fitting else None
