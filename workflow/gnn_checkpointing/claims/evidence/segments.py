"""Numbers of the policies of segments: those whose number lies nearest to the root of the layers."""

from __future__ import annotations

import math

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.claims.evidence.effects import address, levels, variants
from gnn_checkpointing.claims.evidence.frontier import time_over_one_forward
from gnn_checkpointing.claims.evidence.picked import Picked, nothing, scaled
from gnn_checkpointing.study.policy_names import parse_policy

_NO_SEGMENTS = "no policy of segments was measured on generated graphs with this convolution"


def segments_memory(findings: Findings, convolution: str) -> Picked:
    """Return what segments keep at the densest level, divided by what Chen et al.'s count keeps.

    The count: with n layers in k segments, k inputs and one segment of ceil(n / k) layers, of n layers' activations.
    """
    chosen = _nearest_to_root(findings, convolution)
    if chosen is None:
        return nothing(_NO_SEGMENTS)
    policy, segments, layers = chosen
    densest = levels(findings.effects, convolution, policy)[-1]
    share = (segments + math.ceil(layers / segments)) / layers
    if share >= 1:
        return nothing(f"by the count, {segments} segments of {layers} layers keep as much as no segments do")
    return Picked(
        (scaled(densest.activation_ratio, 1 / share),),
        f"{address('generated', densest, 'activation_ratio')} / {share!r}",
        f"{policy} of {layers} layers at average degree {densest.level}; the count keeps {share:.2g} of them",
    )


def segments_time(findings: Findings, convolution: str) -> Picked:
    """Return the step time of the same segments, divided by that of a step with one more forward pass."""
    chosen = _nearest_to_root(findings, convolution)
    if chosen is None:
        return nothing(_NO_SEGMENTS)
    policy, _, layers = chosen
    picked = time_over_one_forward(findings, convolution, policy)
    return Picked(picked.estimates, picked.evidence, f"{policy} of {layers} layers: {picked.note}")


def _nearest_to_root(findings: Findings, convolution: str) -> tuple[str, int, int] | None:
    """Return the measured policy of segments nearest to the root of the layers, its segments, and the layers."""
    own = [model.num_layers for model in findings.depths.models if model.convolution == convolution]
    layers = max(own or findings.quality.setting.num_layers, default=0)
    measured = [
        (abs((parse_policy(name).count or 1) - math.sqrt(layers)), parse_policy(name).count or 1, name)
        for name in variants(findings, "segments")
        if name != "segments" and levels(findings.effects, convolution, name)
    ]
    if not measured or not layers:
        return None
    _, segments, name = min(measured)
    return name, segments, layers
