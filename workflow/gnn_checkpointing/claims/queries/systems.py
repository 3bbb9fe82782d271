"""What policies need as models get deeper, and training on ego networks encoded into features or in a bag."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.queries.query import Asked, Picked, Query, exactly, nothing, picked

Pairs = list[tuple[Effect, Effect]]

TAKES_DEPTHS = "it takes models of several depths with {}: `snakemake --configfile workflow/studies/depth.yaml`"
TAKES_EGO = "it takes encodings and bags of one radius on one graph: `snakemake --configfile workflow/studies/ego.yaml`"


def growth_with_depth(times: int, words: str) -> Query:
    """The activation bytes of so many times as many layers / those of the fewest, for each stack and density.

    The fewest layers of which so many times as many were measured, too.
    """

    def pick(asked: Asked) -> Picked:
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

    return Query(f"activation bytes, {{policy}}: {words} times the layers / the fewest layers", pick)


def deepest_against(other: str) -> Query:
    """The activation bytes of the policy / another's at the most layers, for each stack and density."""

    def pick(asked: Asked) -> Picked:
        others = {(_place(point), point.num_layers): point for point in _of_policy(asked, other)}
        pairs: dict[object, tuple[Effect, Effect]] = {}
        for point in _of_policy(asked, asked.policy):
            if (place := (_place(point), point.num_layers)) in others:
                pairs[_place(point)] = (point, others[place])
        if not pairs:
            return nothing(f"{asked.policy} and {other} were not measured at one depth of several")
        return _bytes(list(pairs.values()), "{0.stack}, {0.num_layers} layers, average degree {0.level}")

    return Query(f"activation bytes, {{policy}} / {other}, at the most layers", pick)


def deepest_time(policy: str) -> Query:
    """A policy's smallest ratio of step times to none's at the most layers of any stack."""

    def pick(asked: Asked) -> Picked:
        found = [(point.time_ratio, point) for point in _of_policy(asked, policy) if point.time_ratio is not None]
        if not found:
            return nothing(TAKES_DEPTHS.format(policy))
        deepest = max(point.num_layers for _, point in found)
        ratio, point = min(((r, p) for r, p in found if p.num_layers == deepest), key=lambda one: one[0].estimate)
        place = f"{point.stack}, {point.num_layers} layers, average degree {point.level}"
        return picked([ratio], f"{place}: the least of the deepest models", timed=True)

    return Query(f"step time, {policy} / none, at the most layers of several: the smallest ratio", pick)


def bag_over_encodings(policy: str = "") -> Query:
    """The peak memory of training on bags under a policy / on encodings without checkpointing, on each graph."""

    def pick(asked: Asked) -> Picked:
        pairs = _bags(asked, asked.convolution, policy or asked.policy)
        return picked([exactly(_peaks(*pair)) for pair in pairs], "; ".join(_bag(bag) for bag, _ in pairs) or TAKES_EGO)

    both = "bag / encodings, both without checkpointing"
    return Query(f"peak memory, {both if policy else 'bag under {policy} / encodings under none'}", pick)


def most_saved() -> Query:
    """The largest peak of a bag / of encodings without checkpointing: what "up to" speaks of."""

    def pick(asked: Asked) -> Picked:
        names = dict.fromkeys(point.convolution for point in asked.findings.ego.points)
        pairs = [pair for name in names for pair in _bags(asked, name, "none")]
        if not pairs:
            return nothing(TAKES_EGO)
        best = max(pairs, key=lambda pair: _peaks(*pair))
        place = f"{best[0].convolution}, {_bag(best[0])}"
        return picked([exactly(_peaks(*best))], f"{place}: the most of {len(pairs)} graphs and radii")

    words = "peak memory of a training step on the bag / on the graph with encodings, without checkpointing"
    return Query(f"{words}: the largest ratio", pick)


def densest_bag_over_sparsest() -> Query:
    """For each radius, the peak of bags / of encodings on the densest graph, divided by it on the sparsest."""

    def pick(asked: Asked) -> Picked:
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

    words = "the ratio at the densest graph / at the sparsest, for each radius"
    return Query(f"peak memory, bag / encodings: {words}", pick, "ratio of ratios")


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
