"""What policies need as models get deeper, and training on ego networks encoded into features or in a bag."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.queries.query import Asked, Picked, exactly, nothing, picked, query

Pairs = list[tuple[Effect, Effect]]

TAKES_DEPTHS = "it takes models of several depths with {}: `snakemake --configfile workflow/studies/depth.yaml`"
TAKES_EGO = "it takes encodings and bags of one radius on one graph: `snakemake --configfile workflow/studies/ego.yaml`"


@query("activation bytes, {policy}: {0} times the layers / the fewest layers")
def growth_with_depth(asked: Asked, times: int) -> Picked:
    """The activation bytes of so many times as many layers / those of the fewest, for each stack and density.

    The fewest layers of which so many times as many were measured, too.
    """
    points = _of_policy(asked, asked.policy)
    by_depth = {(_place(point), point.num_layers): point for point in points}
    pairs: dict[object, tuple[Effect, Effect]] = {}
    for point in points:
        deep = by_depth.get((_place(point), times * point.num_layers))
        if deep is not None:
            pairs.setdefault(_place(point), (deep, point))
    if not pairs:
        return nothing(f"no two depths were measured with {asked.policy} of which one is {times} times the other")
    words = "{0.stack}: {0.num_layers} layers against {1.num_layers} at average degree {0.level}"
    return _bytes(list(pairs.values()), words)


@query("activation bytes, {policy} / {0}, at the most layers")
def deepest_against(asked: Asked, other: str) -> Picked:
    """The activation bytes of the policy / another's at the most layers, for each stack and density."""
    others = {(_place(point), point.num_layers): point for point in _of_policy(asked, other)}
    pairs: dict[object, tuple[Effect, Effect]] = {}
    for point in _of_policy(asked, asked.policy):
        if (place := (_place(point), point.num_layers)) in others:
            pairs[_place(point)] = (point, others[place])
    if not pairs:
        return nothing(f"{asked.policy} and {other} were not measured at one depth of several")
    return _bytes(list(pairs.values()), "{0.stack}, {0.num_layers} layers, average degree {0.level}")


@query("step time, {0} / none, at the most layers of several: the smallest ratio")
def deepest_time(asked: Asked, policy: str) -> Picked:
    """A policy's smallest ratio of step times to none's at the most layers of any stack."""
    found = [(point.time_ratio, point) for point in _of_policy(asked, policy) if point.time_ratio is not None]
    if not found:
        return nothing(TAKES_DEPTHS.format(policy))
    deepest = max(point.num_layers for _, point in found)
    ratio, point = min(((r, p) for r, p in found if p.num_layers == deepest), key=lambda one: one[0].estimate)
    place = f"{point.stack}, {point.num_layers} layers, average degree {point.level}"
    return picked([ratio], f"{place}: the least of the deepest models", timed=True)


@query("peak memory, bag under {policy} / encodings under none")
def bag_over_encodings(asked: Asked) -> Picked:
    """The peak memory of training on bags under a policy / on encodings without checkpointing, on each graph."""
    pairs = _bags(asked, asked.convolution, asked.policy or "none")
    return picked([exactly(_peaks(*pair)) for pair in pairs], "; ".join(_bag(bag) for bag, _ in pairs) or TAKES_EGO)


@query(
    "peak memory of a training step on the bag / on the graph with encodings, without checkpointing: the largest ratio"
)
def most_saved(asked: Asked) -> Picked:
    """The largest peak of a bag / of encodings without checkpointing: what "up to" speaks of."""
    names = dict.fromkeys(point.convolution for point in asked.findings.ego.points)
    pairs = [pair for name in names for pair in _bags(asked, name, "none")]
    if not pairs:
        return nothing(TAKES_EGO)
    best = max(pairs, key=lambda pair: _peaks(*pair))
    place = f"{best[0].convolution}, {_bag(best[0])}"
    return picked([exactly(_peaks(*best))], f"{place}: the most of {len(pairs)} graphs and radii")


@query(
    "peak memory, bag / encodings: the ratio at the densest graph / at the sparsest, for each radius", "ratio of ratios"
)
def densest_bag_over_sparsest(asked: Asked) -> Picked:
    """For each radius, the peak of bags / of encodings on the densest graph, divided by it on the sparsest."""
    bags = _bags(asked, asked.convolution, "none")
    groups = grouped(bags, lambda pair: (pair[0].origin, pair[0].size))
    ends = [(pairs[-1], pairs[0]) for _, pairs in groups if pairs[0][0].base_degree < pairs[-1][0].base_degree]
    if not ends:
        return nothing("no bags and encodings of one radius were measured at two densities")
    words = "radius {0.size:g}: average degree {0.base_degree:g} against {1.base_degree:g}"
    return picked(
        [exactly(_peaks(*dense) / _peaks(*sparse)) for dense, sparse in ends],
        "; ".join(words.format(dense, sparse) for (dense, _), (sparse, _) in ends),
    )


def _bytes(pairs: Pairs, words: str) -> Picked:
    """The activation bytes of one / another's; the words name each pair."""
    return picked(
        [exactly(one.activation_bytes / other.activation_bytes) for one, other in pairs],
        "; ".join(words.format(one, other) for one, other in pairs),
    )


def _of_policy(asked: Asked, policy: str) -> list[Effect]:
    """The points of a policy, shallow before deep."""
    points = asked.findings.depths.points
    return sorted((point for point in points if point.policy == policy), key=lambda one: one.num_layers)


def _place(point: Effect) -> tuple[object, ...]:
    return point.stack, point.num_nodes, point.family, point.degree


def _peaks(bag: Effect, encoded: Effect) -> float:
    return bag.peak_memory_bytes / encoded.peak_memory_bytes


def _bags(asked: Asked, convolution: str, policy: str) -> Pairs:
    """Bags under a policy, sparse before dense, each with the encodings of its graph and radius under none."""
    points = [point for point in asked.findings.ego.points if point.convolution == convolution]
    encoded = {_ego(one): one for one in points if (one.policy, one.method) == ("none", "encodings")}
    bags = [one for one in points if (one.policy, one.method) == (policy, "ego_networks") and _ego(one) in encoded]
    ordered = sorted(bags, key=lambda one: (one.origin, one.size or 0.0, one.base_degree))
    return [(bag, encoded[_ego(bag)]) for bag in ordered]


def _ego(point: Effect) -> tuple[object, ...]:
    return point.origin, point.base_degree, point.size


def _bag(point: Effect) -> str:
    return f"{point.origin}, average degree {point.base_degree:g}, radius {point.size:g}"
