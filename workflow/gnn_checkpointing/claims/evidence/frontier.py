"""Numbers from frontier.json, under the reference allocator alone: edges' share of the peak, and the forward pass's."""

from __future__ import annotations

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import FrontierPoint
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing, scaled

FRONTIER = "analysis/frontier.json"


def edge_share(findings: Findings, convolution: str) -> Picked:
    """Return the share of none's activation peak at the densest level that grows with the edges."""
    points = reference_points(findings, convolution, "none")
    flat = next((f for f in findings.frontier.flatness if (f.convolution, f.policy) == (convolution, "none")), None)
    if flat is None or not points:
        return nothing("no generated graphs of several densities ran to the end without checkpointing")
    densest = points[-1]
    place = point_address(findings, densest)
    return Picked(
        (exactly(flat.bytes_per_edge * densest.num_edges / densest.activation_bytes),),
        f"{FRONTIER}: flatness[convolution={convolution},policy=none].bytes_per_edge * {place}.num_edges"
        f" / {place}.activation_bytes",
        f"at average degree {densest.level}; bytes per edge by least squares over {', '.join(flat.levels)}",
    )


def time_over_one_forward(findings: Findings, convolution: str, policy: str) -> Picked:
    """Return a policy's time ratio divided by that of a step with one more forward pass, at the densest timed level."""
    shares = {p.level: p for p in reference_points(findings, convolution, "none") if p.forward_share is not None}
    timed = [
        (point.time_ratio, point, shares[point.level])
        for point in reference_points(findings, convolution, policy)
        if point.time_ratio is not None and point.level in shares
    ]
    if not timed:
        return nothing(f"no forward pass was timed apart on a generated graph with both {policy} and none")
    ratio, point, none = timed[-1]
    share = none.forward_share or 0.0
    return Picked(
        (scaled(ratio, 1 / (1 + share)),),
        f"{point_address(findings, point)}.time_ratio / (1 + {point_address(findings, none)}.forward_share)",
        f"at average degree {point.level}; the forward pass takes {100 * share:.0f} % of a step without checkpointing",
    )


def least_at_densest(findings: Findings, policy: str) -> Picked:
    """Return a policy's smallest activation ratio over all convolutions, each at its densest level."""
    names = dict.fromkeys(point.convolution for point in findings.frontier.points if point.policy == policy)
    ends = [
        (points[-1].activation_ratio, points[-1])
        for name in names
        if (points := [p for p in reference_points(findings, name, policy) if p.activation_ratio is not None])
    ]
    measured = [(ratio, point) for ratio, point in ends if ratio is not None]
    if not measured:
        return nothing(f"policy {policy} was not measured beside its reference; list it among the study's policies")
    ratio, best = min(measured, key=lambda pair: pair[0].estimate)
    note = f"{best.convolution} at average degree {best.level}, the least of {len(measured)} convolutions"
    return Picked((ratio,), f"{point_address(findings, best)}.activation_ratio", note)


def reference_points(findings: Findings, convolution: str, policy: str) -> list[FrontierPoint]:
    """Return the points of a convolution and policy under the reference allocator, sparse before dense."""
    key = (convolution, policy, findings.frontier.reference)
    points = [p for p in findings.frontier.points if (p.convolution, p.policy, p.allocator) == key]
    return sorted(points, key=lambda point: float(point.level))


def point_address(findings: Findings, point: FrontierPoint) -> str:
    """Return where a point stands."""
    key = f"convolution={point.convolution},policy={point.policy},allocator={findings.frontier.reference}"
    return f"{FRONTIER}: points[{key},level={point.level}]"
