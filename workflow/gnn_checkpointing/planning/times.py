"""Seconds of a step by the laws, or a bound on them far from what was measured."""

from dataclasses import astuple, dataclass, replace

from gnn_checkpointing.planning.answering import measured_at
from gnn_checkpointing.planning.arithmetic import Interval, Step, at_once, value
from gnn_checkpointing.planning.knowledge import PlannedLaw, PolicyKnowledge
from gnn_checkpointing.study.policy_names import EAGER, parse_policy

REACH = 4.0
"""Factor by which nodes or edges may lie outside the measured range for a time still to be predicted."""

NEARBY = 2.0
"""Factor of nodes and of edges within which a measured graph stands for another one."""

_RECOMPUTES = EAGER - {"none"} | {"offloaded", "reversible"}
"""Policies that do all the work of none, and more."""


@dataclass(frozen=True)
class Time:
    """Seconds of a step; far from the measurements only a bound on them, by which policies cannot be ranked.

    A lower bound comes from the edge of the measured range of the policy, or of `none` if the policy does all of
    `none`'s work; a small bound means that little was measured.
    """

    interval: Interval | None = None
    at_least: float | None = None
    at_most: float | None = None


def measured_faster(known: PolicyKnowledge, step: Step) -> bool:
    """Whether the policy's step was measured to be shorter than none's with this model on a similar graph."""
    asked = step.of_measured_model and not step.attention_dropout
    return asked and any(near(measured, (step.nodes, step.edges)) for measured in known.faster_at)


def near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two graphs, given as (nodes, edges), are of about the same size."""
    return all(max(pair) <= NEARBY * min(pair) for pair in zip(one, other, strict=True))


def seconds(known: PolicyKnowledge, none: PolicyKnowledge | None, step: Step) -> Time | None:
    """The seconds of a training step; None if no law predicts them.

    A policy that recomputes does all the work of `none`: its predicted time is never shorter, unless measured to be.
    """
    if (law := known.seconds) is None:
        return None
    recomputes = parse_policy(known.policy).kind in _RECOMPUTES and not measured_faster(known, step)
    both = [known, none] if none is not None and recomputes else [known]
    (fewest_nodes, most_nodes), (fewest_edges, most_edges) = law.num_nodes, law.num_edges
    if step.nodes > REACH * most_nodes or step.edges > REACH * most_edges:
        return Time(at_least=max(_longest([one], _clipped(one.seconds, step)).low for one in both if one.seconds))
    if step.nodes * REACH < fewest_nodes or step.edges * REACH < fewest_edges:
        nearest = replace(step, nodes=max(step.nodes, fewest_nodes), edges=max(step.edges, fewest_edges))
        return Time(at_most=_longest(both, nearest).high)
    return Time(_longest(both, step))


def on_one_day(time: Time | None, none: PolicyKnowledge | None, own: PolicyKnowledge | None, step: Step) -> Time | None:
    """The time on the day on which the answering study timed `none`; `own` is none of the policy's own study.

    Studies are timed on days on which the machine is up to three times as slow: what holds of another is the ratio.
    """
    if time is None or time.interval is None or none is None or own is None or own in (none, none.plain):
        return time
    ours, theirs = _of_none(none, step), _of_none(own, step)
    if ours is None or theirs is None:
        return time
    return Time(Interval(*(ours / theirs * end for end in astuple(time.interval))))


def _of_none(none: PolicyKnowledge, step: Step) -> float | None:
    """Seconds of a step under `none`: measured on a graph of these sizes, or by the law; None if neither."""
    step = replace(step, measured=none.measured or step.measured)
    cell = measured_at(none, step)
    if cell is not None and cell[4] is not None:
        return cell[4]
    time = seconds(none, None, step)
    return None if time is None or time.interval is None else time.interval.estimate


def _clipped(law: PlannedLaw, step: Step) -> Step:
    """The step with nodes and edges clipped to the law's measured range: a larger graph takes no less time."""
    return replace(step, nodes=min(step.nodes, law.num_nodes[1]), edges=min(step.edges, law.num_edges[1]))


def _longest(policies: list[PolicyKnowledge], step: Step) -> Interval:
    """Maximum over the policies of the time and of each end of its interval."""
    found = []
    for known in policies:
        if law := known.seconds:
            middle = value(law, step, at_once(known, step), step.sizes.hidden_channels)
            found.append(astuple(around(middle, law.half_width)))
    return Interval(*(max(ends) for ends in zip(*found, strict=True)))


def around(middle: float, half_width: float) -> Interval:
    """The interval whose ends are so far from its middle, as a share of that."""
    return Interval(middle, middle * (1 - half_width), middle * (1 + half_width))
