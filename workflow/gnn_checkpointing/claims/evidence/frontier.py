"""Edges' share of the peak, the forward pass's of the step, and segments, at the headline size."""

from __future__ import annotations

import math

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.claims.evidence.effects import levels, variants
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing, picked, scaled
from gnn_checkpointing.study.policy_names import parse_policy

_NO_SEGMENTS = "no policy of segments was measured on generated graphs with this convolution"
FRONTIER = "analysis/effects.json"


def edge_share(findings: Findings, convolution: str) -> Picked:
    """The share of none's activation peak at the densest level that grows with the edges."""
    points = reference_points(findings, convolution, "none")
    flat = next((f for f in findings.frontier.flatness if (f.convolution, f.policy) == (convolution, "none")), None)
    if flat is None or not points:
        return nothing("no generated graphs of several densities ran to the end without checkpointing")
    densest = points[-1]
    return picked(
        [exactly(flat.bytes_per_edge * densest.num_edges / densest.activation_bytes)],
        f"at average degree {densest.level}; bytes per edge by least squares over {', '.join(flat.levels)}",
    )


def time_over_one_forward(findings: Findings, convolution: str, policy: str) -> Picked:
    """A policy's time ratio divided by that of a step with one more forward pass, at the densest timed level."""
    shares = {p.degree: p for p in reference_points(findings, convolution, "none") if p.forward_share is not None}
    timed = [
        (point.time_ratio, point, shares[point.degree])
        for point in reference_points(findings, convolution, policy)
        if point.time_ratio is not None and point.degree in shares
    ]
    if not timed:
        return nothing(f"no forward pass was timed apart on a generated graph with both {policy} and none")
    ratio, point, none = timed[-1]
    share = none.forward_share or 0.0
    return picked(
        [scaled(ratio, 1 / (1 + share))],
        f"at average degree {point.level}; the forward pass takes {100 * share:.0f} % of a step without checkpointing",
        timed=True,
    )


def least_at_densest(findings: Findings, policy: str) -> Picked:
    """A policy's smallest activation ratio over all convolutions, each at its densest level."""
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
    return picked(
        [ratio], f"{best.convolution} at average degree {best.level}, the least of {len(measured)} convolutions"
    )


def reference_points(findings: Findings, convolution: str, policy: str) -> list[Effect]:
    """The points of a convolution and policy under the reference allocator, sparse before dense."""
    key = (convolution, policy, findings.frontier.reference)
    points = [p for p in findings.frontier.points if (p.convolution, p.policy, p.allocator) == key]
    return sorted(points, key=lambda point: point.degree)


def segments_memory(findings: Findings, convolution: str) -> Picked:
    """What segments keep at the densest level, divided by what Chen et al.'s count keeps.

    The count: with n layers in k segments, k inputs and one segment of ceil(n / k) layers, of n layers' activations.
    """
    chosen = _nearest_to_root(findings, convolution)
    if chosen is None:
        return nothing(_NO_SEGMENTS)
    policy, segments, layers = chosen
    densest = levels(findings.effects, convolution, policy)[-1]
    share = (segments + math.ceil(layers / segments)) / layers
    if share >= 1 or densest.activation_ratio is None:
        return nothing(f"by the count, {segments} segments of {layers} layers keep as much as no segments do")
    return picked(
        [scaled(densest.activation_ratio, 1 / share)],
        f"{policy} of {layers} layers at average degree {densest.level}; the count keeps {share:.2g} of them",
    )


def segments_time(findings: Findings, convolution: str) -> Picked:
    """The step time of the same segments, divided by that of a step with one more forward pass."""
    chosen = _nearest_to_root(findings, convolution)
    if chosen is None:
        return nothing(_NO_SEGMENTS)
    policy, _, layers = chosen
    found = time_over_one_forward(findings, convolution, policy)
    return picked(found.estimates, f"{policy} of {layers} layers: {found.note}", timed=True)


def _nearest_to_root(findings: Findings, convolution: str) -> tuple[str, int, int] | None:
    """The measured policy of segments nearest to the root of the layers, its segments, and the layers."""
    own = [model.num_layers for model in findings.depths.models if model.convolution == convolution]
    layers = int(max(own or findings.quality.setting.num_layers, default=0))
    measured = [
        (abs((parse_policy(name).count or 1) - math.sqrt(layers)), parse_policy(name).count or 1, name)
        for name in variants(findings, "segments")
        if name != "segments" and levels(findings.effects, convolution, name)
    ]
    if not measured or not layers:
        return None
    _, segments, name = min(measured)
    return name, segments, layers
