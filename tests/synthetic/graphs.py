"""Graphs of made tables: what rows say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DEGREES = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
NUM_NODES = (500, 1000, 2000)


@dataclass(frozen=True)
class Graph:
    """What a row says of its graph."""

    id: str
    label: str
    family: str
    num_nodes: int
    num_edges: int
    requested: float | None
    replicate: int = 0
    derivation: str = ""
    base: str = ""
    base_label: str = ""
    size: float | None = None


def generated_graphs(
    num_nodes: Sequence[int] = NUM_NODES, degrees: Sequence[float] = DEGREES, replicates: int = 2
) -> list[Graph]:
    return [
        Graph(
            f"sbm-n{nodes}-d{degree:g}-r{replicate}", f"SBM {nodes}, {degree:g}", "sbm", nodes, edges, degree, replicate
        )
        for nodes in num_nodes
        for degree in degrees
        for replicate in range(replicates)
        for edges in [2 * round(nodes * degree / 2)]
    ]


def real_graphs() -> list[Graph]:
    return [
        Graph("Planetoid-Cora-000000", "Cora", "real", 2708, 10556, None),
        Graph("LINKXDataset-amherst41-000000", "amherst41", "real", 2235, 181908, None),
    ]


def families() -> list[Graph]:
    """Return graphs of three families at two densities, two draws each; rows of "rmat" are shifted by `with_skew`."""
    return [
        Graph(
            f"{family}-d{degree:g}-r{replicate}",
            f"{family} {degree:g}",
            family,
            1000,
            int(1000 * degree),
            degree,
            replicate,
        )
        for family in ("rmat", "erdos_renyi", "sbm")
        for degree in (4.0, 32.0)
        for replicate in range(2)
    ]


def graded() -> list[Graph]:
    """Return a real graph of degree 16, thinned to 4, capped to about 8, and closed to 64."""
    whole = Graph("real-x", "X", "real", 1000, 16_000, None)
    grades = [("thinned", 4.0, 4000), ("capped", 10.0, 8000), ("two_hop", 64.0, 64_000)]
    return [
        whole,
        *(
            Graph(f"real-x-{name}", f"X, {name}", "real", 1000, edges, None, 0, name, "real-x", "X", size)
            for name, size, edges in grades
        ),
    ]


def batches() -> list[Graph]:
    """Return a generated graph, two batches of each of two fan-outs, and one cluster."""
    whole = Graph("sbm-w", "W", "sbm", 4000, 64_000, 16.0)
    return [
        whole,
        *(
            Graph(f"sbm-w-n{size}-{draw}", f"W {size}", "sbm", nodes, edges, None, 0, "neighbours", "sbm-w", "W", size)
            for size, nodes, edges in ((5.0, 1000, 6000), (10.0, 2000, 24_000))
            for draw in range(2)
        ),
        Graph("sbm-w-c", "W 8", "sbm", 500, 4000, None, 0, "clusters", "sbm-w", "W", 8.0),
    ]
