"""Numbers from ego.json: training with ego networks encoded into features against training on all of them in a bag."""

from __future__ import annotations

from collections.abc import Iterator

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import EgoPoint
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing

EGO = "analysis/ego.json"
_TAKES = "it takes encodings and bags of one radius on one graph: `snakemake --configfile workflow/studies/ego.yaml`"
Pair = tuple[EgoPoint, EgoPoint]


def bag_over_encodings(findings: Findings, convolution: str, policy: str) -> Picked:
    """Return the peak memory of training on bags under `policy` / on encodings without checkpointing, on each graph."""
    pairs = list(_pairs(findings, convolution, policy))
    if not pairs:
        return nothing(_TAKES)
    return Picked(
        tuple(exactly(bag.peak_memory_bytes / encoded.peak_memory_bytes) for bag, encoded in pairs),
        "; ".join(_quotient(pair) for pair in pairs),
        "; ".join(_where(bag) for bag, _ in pairs),
    )


def most_saved(findings: Findings) -> Picked:
    """Return the largest peak of a bag / of encodings without checkpointing: what "up to" speaks of."""
    names = dict.fromkeys(point.convolution for point in findings.ego.points)
    pairs = [pair for name in names for pair in _pairs(findings, name, "none")]
    if not pairs:
        return nothing(_TAKES)
    best = max(pairs, key=lambda pair: pair[0].peak_memory_bytes / pair[1].peak_memory_bytes)
    return Picked(
        (exactly(best[0].peak_memory_bytes / best[1].peak_memory_bytes),),
        _quotient(best),
        f"{best[0].convolution}, {_where(best[0])}: the most of {len(pairs)} graphs and radii",
    )


def densest_bag_over_sparsest(findings: Findings, convolution: str, policy: str) -> Picked:
    """Return, for each radius, the peak of bags / of encodings on the densest graph, divided by it on the sparsest."""
    found: dict[tuple[str, float], list[Pair]] = {}
    for pair in _pairs(findings, convolution, policy):
        found.setdefault((pair[0].base, pair[0].radius or 0.0), []).append(pair)
    ends = [(pairs[0], pairs[-1]) for pairs in found.values() if pairs[0][0].degree < pairs[-1][0].degree]
    if not ends:
        return nothing("no bags and encodings of one radius were measured at two densities")

    def ratio(pair: Pair) -> float:
        return pair[0].peak_memory_bytes / pair[1].peak_memory_bytes

    return Picked(
        tuple(exactly(ratio(dense) / ratio(sparse)) for sparse, dense in ends),
        "; ".join(f"{_quotient(dense)} / {_address(sparse[0])} * {_address(sparse[1])}" for sparse, dense in ends),
        "; ".join(
            f"radius {dense[0].radius:g}: average degree {dense[0].degree:g} against {sparse[0].degree:g}"
            for sparse, dense in ends
        ),
    )


def _pairs(findings: Findings, convolution: str, policy: str) -> Iterator[Pair]:
    """Yield bags under a policy, sparse before dense, each with the encodings of its graph and radius under none."""
    encoded = {
        (one.base, one.degree, one.radius): one
        for one in findings.ego.points
        if (one.convolution, one.policy, one.form) == (convolution, "none", "encodings")
    }
    bags = [
        one
        for one in findings.ego.points
        if (one.convolution, one.policy, one.form) == (convolution, policy, "ego_networks")
    ]
    for bag in sorted(bags, key=lambda one: (one.base, one.radius or 0.0, one.degree)):
        if (bag.base, bag.degree, bag.radius) in encoded:
            yield bag, encoded[bag.base, bag.degree, bag.radius]


def _quotient(pair: Pair) -> str:
    return f"{_address(pair[0])} / {_address(pair[1])}"


def _address(point: EgoPoint) -> str:
    key = f"convolution={point.convolution},policy={point.policy},base={point.base},degree={point.degree}"
    return f"{EGO}: points[{key},form={point.form},radius={point.radius}].peak_memory_bytes"


def _where(point: EgoPoint) -> str:
    return f"{point.base}, average degree {point.degree:g}, radius {point.radius:g}"
