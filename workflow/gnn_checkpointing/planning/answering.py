"""Which policies have an answer to a question, and the warnings that go with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gnn_checkpointing.planning.arithmetic import Step, at_once
from gnn_checkpointing.planning.knowledge import BEYOND_MODELS, Knowledge, Limit, MeasuredGraph, PolicyKnowledge
from gnn_checkpointing.study.policy_names import parse_policy

LEFT_OUT = {
    "segments": "a segment has at least one layer",
    "dropout": "PyTorch's compiler draws other masks of dropout",
    "compiled": "what PyTorch's compiler keeps is known of the measured layers, channels and heads alone",
}
"""Reasons why policies have no answer."""

DROPOUT = "Attention dropout: its bytes are counted, its time was not measured."

WHOLE_NODES = "a block has all edges that end at a node, so one at which more than {:,} end takes more memory."


def answering(knowledge: Knowledge, convolution: str, step: Step) -> list[PolicyKnowledge]:
    """Each policy once: from a study that measured this, or this model on graphs of about this size, or such graphs."""

    def elsewhere(one: PolicyKnowledge) -> tuple[bool, bool, bool]:
        asked, outside = replace(step, measured=one.measured or knowledge.measured), not _inside(one, step)
        return measured_at(one, asked) is None, outside or not asked.of_measured_model, outside

    ours: dict[str, PolicyKnowledge] = {}
    for one in sorted(knowledge.policies, key=elsewhere):
        if one.convolution == convolution:
            ours.setdefault(one.policy, one)
    return list(ours.values())


def measured_at(known: PolicyKnowledge, step: Step) -> MeasuredGraph | None:
    """What was measured on graphs of exactly these sizes with this model; None if nothing was."""
    if not step.of_measured_sizes or step.attention_dropout:
        return None
    return next((one for one in known.measured_at if one[:2] == (step.nodes, step.edges)), None)


def _inside(known: PolicyKnowledge, step: Step) -> bool:
    """Whether the policy was measured on smaller and on larger graphs, or on one of this size."""
    nodes, edges = known.activation.num_nodes, known.activation.num_edges
    return nodes[0] <= step.nodes <= nodes[1] and edges[0] <= step.edges <= edges[1]


def left_out(known: PolicyKnowledge, step: Step) -> str | None:
    """Key in `LEFT_OUT` of the reason why a policy has no answer; None if it has one."""
    name = parse_policy(known.policy)
    if name.kind == "segments" and (name.count or 1) > step.sizes.num_layers:
        return "segments"
    if name.kind not in ("compiled", "memory_budget"):
        return None
    if step.attention_dropout:
        return "dropout"
    return None if step.of_measured_model else "compiled"


def warnings(
    knowledge: Knowledge, known: Sequence[PolicyKnowledge], reasons: Mapping[str, str | None], step: Step
) -> Iterator[str]:
    """Yield warnings about what was not measured, and why policies have no answer."""
    numbers = {"num_nodes": step.nodes, "num_edges": step.edges, **step.sizes.model_dump()}
    yield from (one.warning for one in knowledge.limits if not one.low <= numbers[one.size] <= one.high)
    yield from _beyond(known, step)
    outside = [one.policy for one in known if not _inside(one, step)]
    if 0 < len(outside) < len(known):
        words = "measured on graphs of other sizes alone, so bytes are extrapolated and their intervals untested"
        yield f"{', '.join(outside)}: {words}."
    for one in known:
        block = at_once(one, step).edges
        if one.blocks is not None and block < min(step.edges, step.nodes - 1):
            yield f"{one.policy}: {WHOLE_NODES.format(int(block))}"
    for reason, words in LEFT_OUT.items():
        if names := [name for name, why in reasons.items() if why == reason]:
            yield f"{', '.join(names)}: left out, since {words}."
    if step.attention_dropout:
        yield DROPOUT


def _beyond(known: Sequence[PolicyKnowledge], step: Step) -> Iterator[str]:
    """Yield warnings for policies of several studies that were measured on other graphs or models."""
    asked = {"num_nodes": step.nodes, "num_edges": step.edges}
    for size, number in asked.items():
        ends = [getattr(one.activation, size) for one in known if one.measured]
        low, high = min((end[0] for end in ends), default=number), max((end[1] for end in ends), default=number)
        if not low <= number <= high:
            yield Limit.of(size, int(low), int(high)).warning
    for measured in dict.fromkeys(one.measured for one in known if one.measured not in (None, step.sizes)):
        names = ", ".join(one.policy for one in known if one.measured == measured)
        counts = f"{measured.num_layers} layers, {measured.hidden_channels} channels, {measured.heads} heads"
        model = f"a model of {counts} and {measured.num_features} input features"
        yield f"{names}: measured on {model}; {BEYOND_MODELS}, and their intervals are untested."
