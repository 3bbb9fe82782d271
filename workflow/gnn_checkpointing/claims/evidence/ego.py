"""Training with ego networks encoded into features, against training on all of them in a bag."""

from __future__ import annotations

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing, picked


def bag_over_encodings(findings: Findings, convolution: str, policy: str) -> Picked:
    """The peak memory of training on bags under `policy` / on encodings without checkpointing, on each graph."""
    pairs = _bags(findings, convolution, policy)
    return picked([exactly(_peaks(*pair)) for pair in pairs], "; ".join(_bag(bag) for bag, _ in pairs) or TAKES_EGO)


def most_saved(findings: Findings) -> Picked:
    """The largest peak of a bag / of encodings without checkpointing: what "up to" speaks of."""
    names = dict.fromkeys(point.convolution for point in findings.ego.points)
    pairs = [pair for name in names for pair in _bags(findings, name, "none")]
    if not pairs:
        return nothing(TAKES_EGO)
    best = max(pairs, key=lambda pair: _peaks(*pair))
    note = f"{best[0].convolution}, {_bag(best[0])}: the most of {len(pairs)} graphs and radii"
    return picked([exactly(_peaks(*best))], note)


def densest_bag_over_sparsest(findings: Findings, convolution: str, policy: str) -> Picked:
    """For each radius, the peak of bags / of encodings on the densest graph, divided by it on the sparsest."""
    groups = grouped(_bags(findings, convolution, policy), lambda pair: (pair[0].origin, pair[0].size))
    ends = [(pairs[-1], pairs[0]) for _, pairs in groups if pairs[0][0].base_degree < pairs[-1][0].base_degree]
    if not ends:
        return nothing("no bags and encodings of one radius were measured at two densities")
    return picked(
        [exactly(_peaks(*dense) / _peaks(*sparse)) for dense, sparse in ends],
        "; ".join(
            f"radius {dense.size:g}: average degree {dense.base_degree:g} against {sparse.base_degree:g}"
            for (dense, _), (sparse, _) in ends
        ),
    )


TAKES_EGO = "it takes encodings and bags of one radius on one graph: `snakemake --configfile workflow/studies/ego.yaml`"


def _peaks(bag: Effect, encoded: Effect) -> float:
    return bag.peak_memory_bytes / encoded.peak_memory_bytes


def _bags(findings: Findings, convolution: str, policy: str) -> list[tuple[Effect, Effect]]:
    """Bags under a policy, sparse before dense, each with the encodings of its graph and radius under none."""
    points = [point for point in findings.ego.points if point.convolution == convolution]
    encoded = {
        (one.origin, one.base_degree, one.size): one
        for one in points
        if (one.policy, one.method) == ("none", "encodings")
    }
    bags = [one for one in points if (one.policy, one.method) == (policy, "ego_networks")]
    ordered = sorted(bags, key=lambda one: (one.origin, one.size or 0.0, one.base_degree))
    places = [(one.origin, one.base_degree, one.size) for one in ordered]
    return [(bag, encoded[place]) for bag, place in zip(ordered, places, strict=True) if place in encoded]


def _bag(point: Effect) -> str:
    return f"{point.origin}, average degree {point.base_degree:g}, radius {point.size:g}"
