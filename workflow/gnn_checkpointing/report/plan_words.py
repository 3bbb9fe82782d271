"""A plan as text, with exactly the digits that the page shows (`templates/html/scripts/planner.js`)."""

from collections.abc import Callable, Mapping

from gnn_checkpointing.planning import Plan, PolicyPlan
from gnn_checkpointing.planning.arithmetic import Interval
from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.planning.times import Time
from gnn_checkpointing.report.units import NOTHING, count, count_below, duration, interval, plain, significant, size
from gnn_checkpointing.sourced import mark_between
from gnn_checkpointing.sourced import plain as plain_number

HEADINGS = ("Policy", "Peak memory", "Step time", "Fits?", "Most nodes (same degree)", "Highest degree (same nodes)")


def cells(found: PolicyPlan) -> tuple[str, ...]:
    """Format a policy's row: name, peak and time with their intervals, verdict, the largest graphs that fit."""
    nodes, degree = found.largest_nodes, found.largest_degree
    most_nodes = "any" if nodes is None else f"{count_below(nodes)} nodes" if nodes else "none"
    most_degree = "any" if degree is None else plain(degree) if degree else "none"
    return found.policy, _span(size, found.peak), _time(found.time), found.verdict, most_nodes, most_degree


def advice(plan: Plan) -> str:
    """Sentences of advice: which policy to take, what is not known about the others, and what was measured."""
    measured = [one.policy for one in plan.policies if one.measured]
    if not measured:
        return _taken(plan)
    which = "all numbers" if len(measured) == len(plan.policies) else f"the numbers of {', '.join(measured)}"
    return f"{_taken(plan)} A graph of these sizes was measured: {which} are its own."


def _taken(plan: Plan) -> str:
    memory = size(plan.memory_bytes)
    if plan.recommended is None:
        return _nothing_fits(plan, memory)
    found = plan.of(plan.recommended)
    bytes_of = f"{size(found.peak.estimate)} of {memory}"
    time = "" if found.time is None else f", {_short(found.time)} a step{_rate(plan.num_edges, found.time)}"
    others = [one for one in plan.policies if one.verdict == "fits" and one.policy != found.policy]
    if found.policy == "none":
        return f"Nothing needs checkpointing: {bytes_of}{time}.{_faster_elsewhere(others)}"
    names, unknown = [one.policy for one in others], [one.policy for one in others if one.seconds is None]
    take = f"Take {found.policy}: {bytes_of}{time}."
    if "none" in names:
        return f"{take} It was measured to be faster than none on a graph of about this size."
    if found.seconds is not None:
        return f"{take} {_fit_too(unknown)}" if unknown else take
    if found.promising:
        known = f"Its time is not predicted here, but it was faster than none {_DENSITY}"
        return f"Take {found.policy}: {bytes_of}. {known}{f' {_fit_too(unknown)}' if unknown else ''}"
    if not names:
        return f"Take {found.policy}, the only policy that is certain to fit: {bytes_of}{time}."
    return f"The smallest peak is that of {found.policy}: {bytes_of}. {_fit_too(names)}"


def _faster_elsewhere(others: list[PolicyPlan]) -> str:
    names = [one.policy for one in others if one.promising and not one.faster]
    return f" {', '.join(names)} {'was' if len(names) == 1 else 'were'} faster {_DENSITY}" if names else ""


_DENSITY = "at about this density, on another graph or model."
_UNRANKED = "Too little was measured near this size to predict which is fastest: time a few steps of each."


def _fit_too(names: list[str]) -> str:
    return f"{', '.join(names)} {'fits' if len(names) == 1 else 'fit'}, too. {_UNRANKED}"


def _nothing_fits(plan: Plan, memory: str) -> str:
    least = min(plan.policies, key=lambda one: one.peak.estimate)
    peak = f"{least.policy}, {_span(size, least.peak)}"
    known = f"No policy fits {memory} for certain; the smallest peak is that of {peak}"
    if least.verdict == "may fit":
        return f"{known}, which may fit: try it, or train on sampled neighbours or clusters."
    return f"{known}: train on sampled neighbours or clusters, or on a machine with more memory."


def spoken(plan: Plan, knowledge: Knowledge, exact: Mapping[str, int | str]) -> str:
    """Format the plan for the command line; `exact` has peaks by fake tensors, or reasons why there are none."""
    sizes, rows = plan.sizes, [HEADINGS, *map(cells, plan.policies)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"{plan.convolution}, {sizes.num_layers} layers of {sizes.hidden_channels} channels, {sizes.heads} heads, on "
        f"{count(plan.num_nodes)} nodes and {count(plan.num_edges)} directed edges; laws of {knowledge.machine}",
        "",
        *("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows),
        "",
        advice(plan),
    ]
    if exact:
        lines += ["", "Peak memory by fake tensors:"]
        lines += [f"  {policy}: {found if isinstance(found, str) else size(found)}" for policy, found in exact.items()]
    return "\n".join([*lines, *(f"Beware: {warning}" for warning in plan.warnings)])


def _time(found: Time | None) -> str:
    """Step time with its interval; a withheld time is given by its bound."""
    if found is None:
        return NOTHING
    return _short(found) if found.interval is None else _span(duration, found.interval)


def _rate(edges: int, found: Time) -> str:
    """Throughput in brackets; "" if only a bound of the time is known, or if the time is 0."""
    if found.interval is None or not found.interval.estimate:
        return ""
    return f" ({significant(edges / found.interval.estimate)} edges a second)"


def _short(found: Time) -> str:
    if found.interval is not None:
        return duration(found.interval.estimate)
    if found.at_least is not None:
        return f"over {duration(found.at_least)}"
    return f"under {duration(found.at_most or 0.0)}"


def _span(words: Callable[[float], str], value: Interval) -> str:
    """Format a number with its interval, or alone if both ends read the same."""
    low, high = words(plain_number(value.low)), words(plain_number(value.high))
    middle = words(plain_number(value.estimate))
    return mark_between(middle if low == high else f"{middle} ({interval(low, high)})", value)
