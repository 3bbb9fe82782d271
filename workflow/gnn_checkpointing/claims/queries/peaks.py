"""Edges' share of the peak, the forward pass's of the step, segments, and what an edge costs."""

from __future__ import annotations

import math
from dataclasses import replace

from gnn_checkpointing.analysis.results import Effect, Flatness, Interaction, Response
from gnn_checkpointing.claims.noise import with_run_to_run
from gnn_checkpointing.claims.queries.effects import levels, variants
from gnn_checkpointing.claims.queries.query import Asked, Picked, between, exactly, nothing, picked, query, scaled
from gnn_checkpointing.study.policy_names import parse_policy

_NO_SEGMENTS = "no policy of segments was measured on generated graphs with this convolution"
_NO_INTERACTION = "the policy x edges interaction could not be tested: see not_fitted in regressions.json"
_FORWARD = "divided by 1 + the forward pass's share of none's step, at the densest timed level"


@query("bytes per edge x edges / activation bytes, none, at the densest level", "share")
def edge_share(asked: Asked) -> Picked:
    """The share of none's activation peak at the densest level that grows with the edges."""
    points, flat = _points(asked, "none"), _flatness(asked, "none")
    if flat is None or not points:
        return nothing("no generated graphs of several densities ran to the end without checkpointing")
    densest = points[-1]
    return picked(
        [exactly(flat.bytes_per_edge * densest.num_edges / densest.activation_bytes)],
        f"at average degree {densest.level}; bytes per edge by least squares over {', '.join(flat.levels)}",
    )


@query(f"step time, {{policy}} / none, {_FORWARD}")
def time_over_one_forward(asked: Asked) -> Picked:
    """The policy's time ratio divided by that of a step with one more forward pass, at the densest timed level."""
    shares = {point.degree: point for point in _points(asked, "none") if point.forward_share is not None}
    points = [point for point in _points(asked, asked.policy) if point.degree in shares]
    timed = [(point.time_ratio, point) for point in points if point.time_ratio is not None]
    if not timed:
        return nothing(f"no forward pass was timed apart on a generated graph with both {asked.policy} and none")
    ratio, point = timed[-1]
    share = shares[point.degree].forward_share or 0.0
    words = f"the forward pass takes {100 * share:.0f} % of a step without checkpointing"
    return picked([scaled(ratio, 1 / (1 + share))], f"at average degree {point.level}; {words}", timed=True)


@query("activation bytes, {0} / none, at the densest level, least of all convolutions")
def least_at_densest(asked: Asked, policy: str) -> Picked:
    """A policy's smallest activation ratio over all convolutions, each at its densest level."""
    points = asked.findings.frontier.points
    names = dict.fromkeys(point.convolution for point in points if point.policy == policy)
    measured = [
        (ends[-1].activation_ratio, ends[-1])
        for name in names
        if (ends := [p for p in _points(replace(asked, convolution=name), policy) if p.activation_ratio])
    ]
    if not measured:
        return nothing(f"policy {policy} was not measured beside its reference; list it among the study's policies")
    ratio, best = min(measured, key=lambda pair: pair[0].estimate if pair[0] else math.inf)
    place = f"{best.convolution} at average degree {best.level}"
    return picked([ratio], f"{place}, the least of {len(measured)} convolutions")


@query("activation bytes, segments(k) / none at the densest level, divided by (k + layers / k) / layers")
def segments_memory(asked: Asked) -> Picked:
    """What segments keep at the densest level, divided by what Chen et al.'s count keeps.

    The count: with n layers in k segments, k inputs and one segment of ceil(n / k) layers, of n layers' activations.
    """
    chosen = _nearest_to_root(asked)
    if chosen is None:
        return nothing(_NO_SEGMENTS)
    policy, segments, layers = chosen
    densest = levels(asked, policy=policy)[-1]
    share = (segments + math.ceil(layers / segments)) / layers
    if share >= 1 or densest.activation_ratio is None:
        return nothing(f"by the count, {segments} segments of {layers} layers keep as much as no segments do")
    return picked(
        [scaled(densest.activation_ratio, 1 / share)],
        f"{policy} of {layers} layers at average degree {densest.level}; the count keeps {share:.2g} of them",
    )


@query(f"step time, segments(k) / none, {_FORWARD}")
def segments_time(asked: Asked) -> Picked:
    """The step time of the same segments, divided by that of a step with one more forward pass."""
    chosen = _nearest_to_root(asked)
    if chosen is None:
        return nothing(_NO_SEGMENTS)
    policy, _, layers = chosen
    found = time_over_one_forward(replace(asked, policy=policy))
    return replace(found, note=f"{policy} of {layers} layers: {found.note}", timed=True)


@query("{0} per edge, {policy} - none (policy x edges interaction)", "bytes per edge")
def difference_per_edge(asked: Asked, response: Response) -> Picked:
    """What the policy adds to none's value per edge."""
    found = _interaction(asked, response)
    return picked([found.difference_per_edge], _clusters(found)) if found else nothing(_NO_INTERACTION)


@query("{0} per edge, {policy} / none")
def slope_ratio(asked: Asked, response: Response) -> Picked:
    """The policy's value per edge divided by none's.

    The interval takes none's slope as known; of times it includes what differs from one run to the next. Where all
    graphs have one number of nodes there is no joint model; bytes are exact, so the slope through their levels does.
    """
    timed, found = response == "step_time_seconds", _interaction(asked, response)
    if found is None:
        flat = None if timed else _flatness(asked, asked.policy)
        if flat is None or flat.slope_ratio is None:
            return nothing(_NO_INTERACTION)
        note = f"least squares over average degrees {', '.join(flat.levels)} at one number of nodes"
        return picked([exactly(flat.slope_ratio)], note)
    none, difference = found.none_per_edge.estimate, found.difference_per_edge
    ends = sorted((1 + difference.low / none, 1 + difference.high / none))
    ratio = between(found.slope_ratio, *ends)
    return picked([with_run_to_run(ratio, asked.findings) if timed else ratio], _clusters(found), timed=timed)


@query("bytes per edge held at the end of the forward pass, {policy}", "bytes per edge")
def kept_per_edge(asked: Asked) -> Picked:
    """The bytes of an edge that a policy keeps by its law; where there is none, by the two densest levels."""
    key, findings = (asked.convolution, asked.policy, "saved_activation_bytes"), asked.findings
    for law in findings.regressions.laws:
        if (law.convolution, law.policy, law.response) == key:
            return picked([law.per_edge], f"{law.cells} cells")
    for count in findings.predictions.analytic:
        if (count.convolution, count.policy, count.response) == key:
            note = f"between the two densest levels of graphs of {count.num_nodes:,} nodes"
            return picked([exactly(count.measured)], note)
    return nothing("no law was fitted: see not_fitted in regressions.json")


def _points(asked: Asked, policy: str) -> list[Effect]:
    """The points of the convolution and a policy under the reference allocator, sparse before dense."""
    found = asked.findings.frontier
    key = (asked.convolution, policy, found.reference)
    points = [point for point in found.points if (point.convolution, point.policy, point.allocator) == key]
    return sorted(points, key=lambda point: point.degree)


def _flatness(asked: Asked, policy: str) -> Flatness | None:
    found = asked.findings.frontier.flatness
    return next((flat for flat in found if (flat.convolution, flat.policy) == (asked.convolution, policy)), None)


def _interaction(asked: Asked, response: Response) -> Interaction | None:
    key = (asked.convolution, asked.policy, response)
    tested = asked.findings.regressions.interactions
    return next((found for found in tested if (found.convolution, found.policy, found.response) == key), None)


def _clusters(found: Interaction) -> str:
    return f"{found.clusters} generated graphs"


def _nearest_to_root(asked: Asked) -> tuple[str, int, int] | None:
    """The measured policy of segments nearest to the root of the layers, its segments, and the layers."""
    findings = asked.findings
    own = [model.num_layers for model in findings.depths.models if model.convolution == asked.convolution]
    layers = int(max(own or findings.quality.setting.num_layers, default=0))
    measured = [
        (abs((parse_policy(name).count or 1) - math.sqrt(layers)), parse_policy(name).count or 1, name)
        for name in variants(findings, "segments")
        if name != "segments" and levels(asked, policy=name)
    ]
    if not measured or not layers:
        return None
    _, segments, name = min(measured)
    return name, segments, layers
