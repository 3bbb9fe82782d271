"""Graphs of synthetic tables, as rows describe them."""

from collections.abc import Sequence
from dataclasses import dataclass

DEGREES = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
NUM_NODES = (500, 1000, 2000)


@dataclass(frozen=True)
class Graph:
    """Fields of a row that describe its graph."""

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


def derived(whole: Graph, name: str, method: str, size: float, *, label: str, num_nodes: int, num_edges: int) -> Graph:
    past = (0, method, whole.id, whole.label, size)
    return Graph(f"{whole.id}-{name}", label, whole.family, num_nodes, num_edges, None, *past)


def generated_graphs(
    num_nodes: Sequence[int] = NUM_NODES, degrees: Sequence[float] = DEGREES, replicates: int = 2
) -> list[Graph]:
    places = [(nodes, degree, draw) for nodes in num_nodes for degree in degrees for draw in range(replicates)]
    return [
        Graph(f"sbm-n{n}-d{d:g}-r{draw}", f"SBM {n}, {d:g}", "sbm", n, 2 * round(n * d / 2), d, draw)
        for n, d, draw in places
    ]


def real_graphs() -> list[Graph]:
    return [
        Graph("Planetoid-Cora-000000", "Cora", "real", 2708, 10556, None),
        Graph("LINKXDataset-amherst41-000000", "amherst41", "real", 2235, 181908, None),
    ]


def families() -> list[Graph]:
    """Graphs of three families at two densities, two draws each."""
    places = [(name, d, draw) for name in ("rmat", "erdos_renyi", "sbm") for d in (4.0, 32.0) for draw in range(2)]
    return [
        Graph(f"{name}-d{d:g}-r{draw}", f"{name} {d:g}", name, 1000, int(1000 * d), d, draw) for name, d, draw in places
    ]


def graded() -> list[Graph]:
    """A real graph of degree 16, thinned to 4, capped to about 8, and closed to 64."""
    whole = Graph("real-x", "X", "real", 1000, 16_000, None)
    grades = [("thinned", 4.0, 4000), ("capped", 10.0, 8000), ("two_hop", 64.0, 64_000)]
    return [
        whole,
        *(derived(whole, n, n, size, label=f"X, {n}", num_nodes=1000, num_edges=edges) for n, size, edges in grades),
    ]


def batches() -> list[Graph]:
    """A generated graph, two batches for each of two fan-outs, and one cluster."""
    whole = Graph("sbm-w", "W", "sbm", 4000, 64_000, 16.0)
    drawn = [(size, *sizes, draw) for size, *sizes in ((5.0, 1000, 6000), (10.0, 2000, 24_000)) for draw in range(2)]
    return [
        whole,
        *(
            derived(whole, f"n{size}-{draw}", "neighbours", size, label=f"W {size}", num_nodes=nodes, num_edges=edges)
            for size, nodes, edges, draw in drawn
        ),
        derived(whole, "c", "clusters", 8.0, label="W 8", num_nodes=500, num_edges=4000),
    ]
