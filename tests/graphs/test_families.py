"""Every family draws exactly the edges asked for, the same bytes everywhere, and the structure of its name."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gnn_checkpointing.graphs.families.drawn import scattered
from gnn_checkpointing.graphs.graph import structure
from gnn_checkpointing.graphs.make import make_graph, stream
from gnn_checkpointing.study.families import FAMILIES, block_sizes

from .builders import drawn, generated

DRAWN = [family for family in FAMILIES if family != "images"]


def undirected(graph):
    """The edges of a graph once each, the larger end first."""
    return graph.edge_index[:, graph.edge_index[0] > graph.edge_index[1]]


def clustering(graph):
    return structure(graph.edge_index, graph.labels).clustering


@settings(deadline=None)
@given(
    st.sampled_from(DRAWN),
    st.integers(5, 40),
    st.floats(0.02, 1),
    st.integers(2, 5),
    st.floats(0, 1),
    st.integers(0, 2**62),
)
def test_a_drawn_graph_is_simple_sorted_symmetric_and_has_the_asked_edges(family, nodes, share, classes, mixed, seed):
    pairs = nodes * (nodes - 1) // 2
    edges = max(1, round(share * pairs))
    inside = sum(size * (size - 1) // 2 for size in block_sizes(nodes, classes))
    wanted = round(mixed * edges)
    assume(family != "sbm" or (wanted <= inside and edges - wanted <= pairs - inside))
    graph = drawn(family, nodes, 2 * edges / nodes, num_classes=classes, homophily=mixed, rewiring=mixed, seed=seed)
    source, destination = graph.edge_index
    listed = list(zip(destination.tolist(), source.tolist(), strict=True))
    assert graph.num_edges == len(listed) == 2 * edges
    assert listed == sorted(set(listed))
    assert {(j, i) for i, j in listed} == set(listed)
    assert all(i != j and 0 <= i < nodes for i, j in listed)
    if family == "sbm":
        assert (graph.labels[source] == graph.labels[destination]).sum() == 2 * wanted
    assert sorted(np.bincount(graph.labels, minlength=classes).tolist(), reverse=True) == block_sizes(nodes, classes)


@pytest.mark.parametrize("family", DRAWN)
def test_near_complete_graphs_lack_exactly_the_missing_edges(family):
    """With 30 nodes there are 435 pairs; the rules of hubs and skew hardly ever draw the last of them.

    In 2 blocks of 15, 210 pairs lie inside, so all of those are asked for.
    """
    for edges in (435, 434, 433):
        assert drawn(family, 30, 2 * edges / 30, num_classes=2, homophily=210 / edges).num_edges == 2 * edges


GOLDEN = {  # of what is published; a new family needs none
    "sbm": "bb57fac872a15750d63986602c0224acfb44842d9eb4f8a0fcc191c4741fbb4d",
    "erdos_renyi": "a2197fbd9e43f2cb90339657392637fba2d91eb4746e50d9f79344c276919520",
    "heavy_tail": "c45d2df9bde081f3fe996229271a9fd91ac411c93bccd1778d56779de3c672cc",
    "watts_strogatz": "4d96e37ec770c12082c37bce6bcdf7a4a032fb2887d8d414b9441f362a15fe1d",
    "spatial": "161b8a00d9e94f395dbb73fd1b09227e03986bc0f0839464fae99f04c6c89314",
    "rmat": "937b34fbcc471758a85c99082d47997e608fb47b58f9eefd98eff2e7cdc2bc8c",
    "circuit": "f9b187be9c794b6de2a65c921224fb60af19dfa96f26dfe515950bb4d65b8f88",
}


def test_another_process_draws_the_same_bytes_without_torch():
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from graphs.builders import generated
from gnn_checkpointing.graphs.make import make_graph
for family in {DRAWN!r}:
    print(make_graph(generated(family=family)).content_sha256)
assert "torch" not in sys.modules
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert found == [make_graph(generated(family=family)).content_sha256 for family in DRAWN]
    assert {family: sha256 for family, sha256 in zip(DRAWN, found, strict=True) if family in GOLDEN} == GOLDEN


def test_a_seed_decides_all_and_more_edges_leave_the_nodes_as_they_are():
    first, second = make_graph(generated()), make_graph(generated(seed=12))
    for name in ("edge_index", "features", "labels", "train_mask"):
        assert not np.array_equal(getattr(first, name), getattr(second, name))
    dense = make_graph(generated(average_degree=8.0))
    assert np.array_equal(first.features, dense.features)
    assert np.array_equal(first.train_mask, dense.train_mask)
    # The numbers of the nodes do not reveal their blocks.
    assert 0.2 < (np.diff(make_graph(generated(num_nodes=600)).labels) == 0).mean() < 0.5


def test_edges_of_an_erdos_renyi_graph_ignore_the_labels():
    """Four equal classes: a quarter of 20,000 edges join equal labels, give or take 6 standard deviations of 0.3 %."""
    graph = drawn("erdos_renyi", 2000, 20.0, num_classes=4)
    source, destination = graph.edge_index
    assert (graph.labels[source] == graph.labels[destination]).mean() == pytest.approx(0.25, abs=0.02)


def test_a_heavy_tail_falls_off_as_that_of_preferential_attachment():
    """Exponent 3 of the density is 2 of the share of nodes above a degree; Hill's estimate on the top 500 of 50,000."""
    graph = drawn("heavy_tail", 50_000, 10.0)
    degrees = np.sort(np.bincount(graph.edge_index[1], minlength=50_000))[::-1].astype(float)
    hill = 1 / np.log(degrees[:500] / degrees[500]).mean()
    assert hill == pytest.approx(2, abs=0.3)
    assert degrees[0] > 50 * degrees.mean()


def test_without_rewiring_a_small_world_is_the_ring():
    """20 nodes of degree 4: each is joined to the two on either side."""
    edges = undirected(drawn("watts_strogatz", 20, 4.0, rewiring=0.0))
    distance = (edges[0] - edges[1]) % 20
    assert sorted(np.minimum(distance, 20 - distance).tolist()) == [1] * 20 + [2] * 20


@pytest.mark.parametrize("rewiring", [0.1, 0.5])
def test_rewiring_moves_its_share_of_the_edges_and_keeps_one_end(rewiring):
    """Of 10,000 edges, all but the rewired join nodes within 5 places; one in 200 rewired lands there by chance."""
    graph = drawn("watts_strogatz", 2000, 10.0, rewiring=rewiring)
    edges = undirected(graph)
    distance = (edges[0] - edges[1]) % 2000
    far = (np.minimum(distance, 2000 - distance) > 5).sum()
    assert far == pytest.approx(rewiring * 10_000, rel=0.02)
    # Each node keeps its end of the five edges to the nodes after it.
    assert np.bincount(graph.edge_index[1], minlength=2000).min() >= 5


def test_a_small_world_has_the_clustering_that_is_known():
    """Barrat and Weigt: 3 (k - 2) / (4 (k - 1)) (1 - p)^3, here 0.667 x 0.729 = 0.486 for degree 10 and p = 0.1."""
    graph = drawn("watts_strogatz", 5000, 10.0)
    assert clustering(graph) == pytest.approx(0.486, abs=0.03)


def test_a_spatial_graph_joins_exactly_the_closest_pairs():
    spec = generated(family="spatial", num_nodes=70, average_degree=8.0)
    points = scattered(70, stream(spec, "edges"))
    pairs = list(itertools.combinations(range(70), 2))
    lengths = {pair: int(((points[pair[0]] - points[pair[1]]) ** 2).sum()) for pair in pairs}
    closest = sorted(pairs, key=lengths.__getitem__)[: 70 * 4]
    found = {(int(low), int(high)) for high, low in undirected(make_graph(spec)).T}
    assert found == set(closest)


def test_a_spatial_graph_has_the_clustering_of_the_plane_and_near_numbers():
    """1 - 3 sqrt(3) / (4 pi) = 0.587 for discs in the plane, a little more at the border (Dall and Christensen)."""
    graph = drawn("spatial", 8000, 12.0)
    assert clustering(graph) == pytest.approx(0.587, abs=0.03)
    # 89 strips: neighbours in space lie in the same strip or the next, at most some 180 numbers off.
    assert np.median(np.abs(graph.edge_index[0] - graph.edge_index[1])) < 200


def test_rmat_puts_its_shares_into_the_quarters():
    """Both ends low 0.57, both high 0.05, one each 0.38; at 4 edges a node of 4,096, doubles hardly shift that."""
    edges = undirected(drawn("rmat", 2**14, 2.0))
    low = (edges < 2**13).sum(axis=0)
    assert [(low == both).mean() for both in (2, 1, 0)] == pytest.approx([0.57, 0.38, 0.05], abs=0.03)
    # Of another size than a power of two it is skewed alike.
    graph = drawn("rmat", 3000, 16.0)
    degrees = np.bincount(graph.edge_index[1], minlength=3000)
    assert degrees.max() > 10 * np.median(degrees)


def test_gates_have_equal_inputs_and_a_circuit_follows_rents_rule():
    """Degree 4 is two inputs a gate; edges leaving a stretch of B gates grow as B^(2/3)."""
    num_nodes = 20_000
    later, earlier = undirected(drawn("circuit", num_nodes, 4.0))
    inputs = np.bincount(later, minlength=num_nodes)
    assert inputs[0] == 0
    assert set(inputs[3:].tolist()) <= {2, 3}

    def leaving(size):
        stretches = np.unique(np.arange(num_nodes // 4, 3 * num_nodes // 4) // size)  # with gates on both sides
        cut = (later // size) != (earlier // size)
        return sum(np.isin(ends[cut] // size, stretches).sum() for ends in (later, earlier)) / len(stretches)

    sizes = 2 ** np.arange(3, 10)
    exponent = np.polyfit(np.log(sizes), np.log([leaving(size) for size in sizes]), 1)[0]
    assert exponent == pytest.approx(2 / 3, abs=0.08)


def test_a_circuit_has_long_paths():
    """Sparse random graphs have paths of about log n between nodes; chains of gates are hundreds long."""
    num_nodes = 5000
    later, earlier = undirected(drawn("circuit", num_nodes, 4.0))
    depth = [0] * num_nodes
    for gate, before in sorted(zip(later.tolist(), earlier.tolist(), strict=True)):
        depth[gate] = max(depth[gate], depth[before] + 1)
    assert max(depth) > 300
