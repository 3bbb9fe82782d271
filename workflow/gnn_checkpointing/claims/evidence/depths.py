"""What policies need as models get deeper."""

from __future__ import annotations

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing, picked

Pair = tuple[Effect, Effect]


def growth_with_depth(findings: Findings, policy: str, times: int) -> Picked:
    """The activation bytes of so many times as many layers / those of the fewest, for each stack and density.

    The fewest layers of which so many times as many were measured, too.
    """
    points = _of(findings, policy)
    by_depth = {(_place(point), point.num_layers): point for point in points}
    pairs: dict[object, Pair] = {}
    for point in points:
        deep = by_depth.get((_place(point), times * point.num_layers))
        if deep is not None:
            pairs.setdefault(_place(point), (deep, point))
    if not pairs:
        return nothing(f"no two depths were measured with {policy} of which one is {times} times the other")
    return _quotients(
        list(pairs.values()), "{0.stack}: {0.num_layers} layers against {1.num_layers} at average degree {0.level}"
    )


def deepest_against(findings: Findings, policy: str, other: str) -> Picked:
    """The activation bytes of one policy / another's at the most layers, for each stack and density."""
    others = {(_place(point), point.num_layers): point for point in _of(findings, other)}
    pairs: dict[object, Pair] = {}
    for point in _of(findings, policy):
        if (place := (_place(point), point.num_layers)) in others:
            pairs[_place(point)] = (point, others[place])
    if not pairs:
        return nothing(f"{policy} and {other} were not measured at one depth of several")
    return _quotients(list(pairs.values()), "{0.stack}, {0.num_layers} layers, average degree {0.level}")


def deepest_time(findings: Findings, policy: str) -> Picked:
    """A policy's smallest ratio of step times to none at the most layers of any stack."""
    found = [(point.time_ratio, point) for point in _of(findings, policy) if point.time_ratio is not None]
    if not found:
        return nothing(
            f"it takes models of several depths with {policy}: `snakemake --configfile workflow/studies/depth.yaml`"
        )
    deepest = max(point.num_layers for _, point in found)
    ratio, point = min(((r, p) for r, p in found if p.num_layers == deepest), key=lambda one: one[0].estimate)
    words = f"{point.stack}, {point.num_layers} layers, average degree {point.level}: the least of the deepest models"
    return picked([ratio], words, timed=True)


def _quotients(pairs: list[Pair], words: str) -> Picked:
    return picked(
        [exactly(one.activation_bytes / other.activation_bytes) for one, other in pairs],
        "; ".join(words.format(one, other) for one, other in pairs),
    )


def _of(findings: Findings, policy: str) -> list[Effect]:
    """The points of a policy, shallow before deep."""
    return sorted((p for p in findings.depths.points if p.policy == policy), key=lambda one: one.num_layers)


def _place(point: Effect) -> tuple[object, ...]:
    return point.stack, point.num_nodes, point.family, point.degree
