"""Numbers from depths.json: what policies need as models get deeper."""

from __future__ import annotations

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import DepthPoint
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing

DEPTHS = "analysis/depths.json"


def growth_with_depth(findings: Findings, policy: str, times: int) -> Picked:
    """Return the activation bytes of so many times as many layers / those of the fewest, for each stack and density.

    The fewest layers of which so many times as many were measured, too.
    """
    places = {_place(point): point for point in findings.depths.points}
    pairs: dict[tuple[str, int, str], tuple[DepthPoint, DepthPoint]] = {}
    for point in sorted(_of(findings, policy), key=lambda one: one.num_layers):
        deep = places.get((*_place(point)[:-1], times * point.num_layers))
        if deep is not None:
            pairs.setdefault((point.stack, point.num_nodes, point.level), (deep, point))
    if not pairs:
        return nothing(f"no two depths were measured with {policy} of which one is {times} times the other")
    return Picked(
        tuple(exactly(deep.activation_bytes / shallow.activation_bytes) for deep, shallow in pairs.values()),
        "; ".join(
            f"{_address(deep)}.activation_bytes / {_address(shallow)}.activation_bytes"
            for deep, shallow in pairs.values()
        ),
        "; ".join(
            f"{stack}: {deep.num_layers} layers against {shallow.num_layers} at average degree {level}"
            for (stack, _, level), (deep, shallow) in pairs.items()
        ),
    )


def deepest_against(findings: Findings, policy: str, other: str) -> Picked:
    """Return the activation bytes of one policy / another's at the most layers, for each stack and density."""
    others = {_place(point)[1:]: point for point in _of(findings, other)}
    pairs: dict[tuple[str, int, str], tuple[DepthPoint, DepthPoint]] = {}
    for point in sorted(_of(findings, policy), key=lambda one: one.num_layers):
        if _place(point)[1:] in others:
            pairs[point.stack, point.num_nodes, point.level] = (point, others[_place(point)[1:]])
    if not pairs:
        return nothing(f"{policy} and {other} were not measured at one depth of several")
    return Picked(
        tuple(exactly(one.activation_bytes / two.activation_bytes) for one, two in pairs.values()),
        "; ".join(
            f"{_address(one)}.activation_bytes / {_address(two)}.activation_bytes" for one, two in pairs.values()
        ),
        "; ".join(
            f"{stack}, {one.num_layers} layers, average degree {level}" for (stack, _, level), (one, _) in pairs.items()
        ),
    )


def deepest_time(findings: Findings, policy: str) -> Picked:
    """Return a policy's smallest ratio of step times to none at the most layers of any stack."""
    found = [(point.time_ratio, point) for point in _of(findings, policy) if point.time_ratio is not None]
    if not found:
        return nothing(
            f"it takes models of several depths with {policy}: `snakemake --configfile workflow/studies/depth.yaml`"
        )
    deepest = max(point.num_layers for _, point in found)
    ratio, point = min(((r, p) for r, p in found if p.num_layers == deepest), key=lambda one: one[0].estimate)
    return Picked(
        (ratio,),
        f"{_address(point)}.time_ratio",
        f"{point.stack}, {point.num_layers} layers, average degree {point.level}: the least of the deepest models",
    )


def _of(findings: Findings, policy: str) -> list[DepthPoint]:
    return [point for point in findings.depths.points if point.policy == policy]


def _place(point: DepthPoint) -> tuple[str, str, int, str, int]:
    return point.policy, point.stack, point.num_nodes, point.level, point.num_layers


def _address(point: DepthPoint) -> str:
    key = f"stack={point.stack},policy={point.policy},num_nodes={point.num_nodes},level={point.level}"
    return f"{DEPTHS}: points[{key},num_layers={point.num_layers}]"
