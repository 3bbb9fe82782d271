"""Queries about the course along density, the edges' share of the peak, the forward pass, and the cost of an edge."""

import math
from dataclasses import replace
from operator import attrgetter
from typing import Any

from gnn_checkpointing.claims.queries import RATIO_OF_RATIOS, Asked, Found, between, query, scaled
from gnn_checkpointing.claims.queries.effects import levels, variants
from gnn_checkpointing.claims.rules import with_run_to_run
from gnn_checkpointing.study.policy_names import parse_policy

NO_BAND = "no band along density was found for this convolution and policy"
_ONE_LEVEL = "only one level of density was measured"
_AT_ONCE = {"activation_ratio": "each the span of its cells", "time_ratio": "all intervals at once"}
_COURSES = {
    "below": "it lies below {threshold:g} at every level",
    "above": "it lies above {threshold:g} at every level",
    "rises": "it rises through {threshold:g}",
    "falls": "it falls through {threshold:g}",
    "crosses": "it crosses {threshold:g} more than once",
}
_NO_SEGMENTS = "no policy of segments was measured on generated graphs with this convolution"
_NO_INTERACTION = "the policy x edges interaction could not be tested: see not_fitted in regressions.json"
_FORWARD = "divided by 1 + the forward pass's share of none's step, at the densest timed level"


# Along density: bytes are exact, with the span of their cells at each level; times have a simultaneous band.


@query("{0}, {policy} / none, at every level")
def on_band(asked: Asked, quantity: str) -> Found:
    points = _band(asked, quantity)
    if not points:
        return NO_BAND
    names = ", ".join(point.level for point in points)
    return [point.ratio for point in points], f"at average degrees {names}, {_AT_ONCE[quantity]}"


@query("{0}, {policy} / none, at the densest of several levels")
def at_dense_end(asked: Asked, quantity: str) -> Found:
    points, even = _band(asked, quantity), asked.one(asked.findings.trends.break_evens, quantity=quantity)
    if len(points) < 2:
        return _ONE_LEVEL if points else NO_BAND
    course = "" if even is None else f"; {_course(even)}"
    note = f"at average degree {points[-1].level}, the densest of {len(points)} levels{course}"
    return [points[-1].ratio], note


@query("{0}, {policy} / none: every cell at the dense end / at the sparse", RATIO_OF_RATIOS)
def dense_over_sparse_end(asked: Asked, quantity: str) -> Found:
    points = _band(asked, quantity)
    if len(points) < 2:
        return _ONE_LEVEL if points else NO_BAND
    sparse, dense = points[0].ratio, points[-1].ratio
    ratio = dense.relative_to(sparse) if quantity == "time_ratio" else dense.over(sparse)
    note = f"average degree {points[-1].level} compared with {points[0].level}, {_AT_ONCE[quantity]}"
    return [ratio], note


@query("average degree of the break-even: upper end of its span / lower end")
def break_even_span(asked: Asked, quantity: str) -> Found:
    even = asked.one(asked.findings.trends.break_evens, quantity=quantity)
    if even is None:
        return NO_BAND
    if even.average_degree is None:
        return f"there is no break-even along the measured densities: {_course(even)}"
    if even.open:
        span = "interval" if quantity == "time_ratio" else "span"
        return f"the {span} of the break-even reaches beyond the measured densities: {_course(even)}"
    return [even.average_degree.high / even.average_degree.low], _course(even)


def _band(asked: Asked, quantity: str) -> list[Any]:
    """The points of the band, sparse before dense; none where there is no band."""
    band = asked.one(asked.findings.trends.bands, quantity=quantity)
    return band.points if band else []


def _course(even: Any) -> str:
    """The course of the ratio along density in words, and where it crosses its threshold."""
    words, degree = _COURSES[even.course].format(threshold=even.threshold), even.average_degree
    if degree is None:
        return words
    return f"{words} at average degree {degree.estimate:.3g} ({degree.low:.3g} to {degree.high:.3g})"


@query("bytes per edge x edges / activation bytes, none, at the densest level", "share")
def edge_share(asked: Asked) -> Found:
    points, flat = _points(asked, "none"), asked.one(asked.findings.effects.flatness, "none")
    if flat is None or not points:
        return "no generated graphs of several densities ran to the end without checkpointing"
    densest = points[-1]
    note = f"at average degree {densest.level}; bytes per edge by least squares over {', '.join(flat.levels)}"
    return [flat.bytes_per_edge * densest.num_edges / densest.activation_bytes], note


@query(f"step time, {{policy}} / none, {_FORWARD}")
def time_over_one_forward(asked: Asked, policy: str = "") -> Found:
    policy = policy or asked.policy
    apart = [point for point in _points(asked, "none") if point.forward_share is not None]
    shares = {point.degree: point.forward_share for point in apart}
    timed = [one for one in _points(asked, policy) if one.time_ratio is not None and one.degree in shares]
    if not timed:
        return f"no forward pass was timed apart on a generated graph with both {policy} and none"
    share = shares[timed[-1].degree] or 0.0
    words = f"the forward pass takes {100 * share:.0f} % of a step without checkpointing"
    return [scaled(timed[-1].time_ratio, 1 / (1 + share))], f"at average degree {timed[-1].level}; {words}", True


@query("activation bytes, {0} / none, at the densest level, least of all convolutions")
def least_at_densest(asked: Asked, policy: str) -> Found:
    names = dict.fromkeys(point.convolution for point in asked.findings.effects.points if point.policy == policy)
    along = [_points(replace(asked, convolution=name), policy) for name in names]
    ends = [[point for point in points if point.activation_ratio][-1:] for points in along]
    densest = [end[0] for end in ends if end]
    if not densest:
        return f"policy {policy} was not measured beside its reference; list it among the study's policies"
    best = min(densest, key=lambda point: point.activation_ratio.estimate)
    place = f"{best.convolution} at average degree {best.level}"
    return [best.activation_ratio], f"{place}, the least of {len(densest)} convolutions"


@query("activation bytes, segments(k) / none at the densest level, divided by (k + layers / k) / layers")
def segments_memory(asked: Asked) -> Found:
    chosen = _nearest_to_root(asked)
    if chosen is None:
        return _NO_SEGMENTS
    policy, segments, layers = chosen
    densest = levels(asked, policy=policy)[-1]
    # Count of Chen et al.: n layers in k segments keep k inputs and one segment of ceil(n / k) layers, out of n.
    share = (segments + math.ceil(layers / segments)) / layers
    if share >= 1:
        return f"by the count, {segments} segments of {layers} layers keep as much as no segments do"
    note = f"{policy} of {layers} layers at average degree {densest.level}; the count keeps {share:.2g} of them"
    return [scaled(densest.activation_ratio, 1 / share)], note


@query(f"step time, segments(k) / none, {_FORWARD}")
def segments_time(asked: Asked) -> Found:
    chosen = _nearest_to_root(asked)
    if chosen is None:
        return _NO_SEGMENTS
    found = time_over_one_forward(asked, chosen[0])
    return found.estimates, f"{chosen[0]} of {chosen[2]} layers: {found.note}", True


def _nearest_to_root(asked: Asked) -> tuple[str, int, int] | None:
    """The measured policy whose segments are nearest to the root of the layers, its segments, and the layers."""
    findings = asked.findings
    own = [model.num_layers for model in findings.effects.models if model.convolution == asked.convolution]
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


@query("{0} per edge, {policy} - none (policy x edges interaction)", "bytes per edge")
def difference_per_edge(asked: Asked, response: str) -> Found:
    found = asked.one(asked.findings.regressions.interactions, response=response)
    return ([found.difference_per_edge], _clusters(found)) if found else _NO_INTERACTION


@query("{0} per edge, {policy} / none")
def slope_ratio(asked: Asked, response: str) -> Found:
    timed = response == "step_time_seconds"
    found = asked.one(asked.findings.regressions.interactions, response=response)
    if found is None:
        # If all graphs have one size there is no joint model; for exact bytes the slope through their levels suffices.
        flat = None if timed else asked.one(asked.findings.effects.flatness)
        if flat is None or flat.slope_ratio is None:
            return _NO_INTERACTION
        note = f"least squares over average degrees {', '.join(flat.levels)} at one number of nodes"
        return [flat.slope_ratio], note
    # The interval takes none's slope as known; for times it includes the differences between runs.
    none, difference = found.none_per_edge.estimate, found.difference_per_edge
    ends = sorted((1 + difference.low / none, 1 + difference.high / none))
    ratio = between(found.slope_ratio, *ends)
    return [with_run_to_run(ratio, asked.findings) if timed else ratio], _clusters(found)


@query("bytes per edge held at the end of the forward pass, {policy}", "bytes per edge")
def kept_per_edge(asked: Asked) -> Found:
    for law in asked.of(asked.findings.regressions.laws, response="saved_activation_bytes"):
        return [law.per_edge], f"{law.cells} cells"
    for count in asked.of(asked.findings.predictions.analytic, response="saved_activation_bytes"):
        return [count.measured], f"between the two densest levels of graphs of {count.num_nodes:,} nodes"
    return "no law was fitted: see not_fitted in regressions.json"


def _points(asked: Asked, policy: str) -> list[Any]:
    """The points of the convolution and a policy under the reference allocator, sparse before dense."""
    found = asked.findings.effects
    return sorted(asked.of(found.points, policy, allocator=found.reference_allocator), key=attrgetter("degree"))


def _clusters(found: Any) -> str:
    return f"{found.clusters} generated graphs"
