"""Drawn graphs have exactly the asked edges, and the same bytes wherever they are drawn."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.study.graph_entries import block_sizes

from .builders import generated

GOLDEN = {
    "sbm": "bb57fac872a15750d63986602c0224acfb44842d9eb4f8a0fcc191c4741fbb4d",
    "erdos_renyi": "a2197fbd9e43f2cb90339657392637fba2d91eb4746e50d9f79344c276919520",
}


@given(
    st.sampled_from(["sbm", "erdos_renyi"]),
    st.integers(5, 40),
    st.floats(0.5, 39),
    st.integers(2, 5),
    st.floats(0, 1),
    st.integers(0, 2**62),
)
def test_a_drawn_graph_is_simple_sorted_symmetric_and_has_the_asked_edges(
    family, num_nodes, average_degree, num_classes, homophily, seed
):
    spec = generated(
        family=family,
        num_nodes=num_nodes,
        average_degree=average_degree,
        num_classes=num_classes,
        homophily=homophily,
        seed=seed,
    )
    edges, pairs = spec.num_edges // 2, num_nodes * (num_nodes - 1) // 2
    inside = sum(size * (size - 1) // 2 for size in block_sizes(num_nodes, num_classes))
    wanted = round(homophily * edges)
    assume(edges <= pairs)
    assume(family == "erdos_renyi" or (wanted <= inside and edges - wanted <= pairs - inside))
    graph = make_graph(spec)
    source, destination = graph.edge_index
    listed = list(zip(destination.tolist(), source.tolist(), strict=True))
    assert graph.num_edges == len(listed) == 2 * edges
    assert listed == sorted(set(listed))
    assert {(j, i) for i, j in listed} == set(listed)
    assert all(i != j and 0 <= i < num_nodes for i, j in listed)
    if family == "sbm":
        assert (graph.labels[source] == graph.labels[destination]).sum() == 2 * wanted
    assert sorted(np.bincount(graph.labels, minlength=num_classes).tolist(), reverse=True) == block_sizes(
        num_nodes, num_classes
    )


@pytest.mark.parametrize("family", ["sbm", "erdos_renyi"])
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_near_complete_graphs_lack_exactly_the_missing_edges(family, missing):
    """With 30 nodes there are 435 pairs; in 2 blocks of 15, 210 lie inside, so all of those are asked for."""
    edges = 435 - missing
    spec = generated(family=family, num_nodes=30, average_degree=2 * edges / 30, num_classes=2, homophily=210 / edges)
    assert make_graph(spec).num_edges == 2 * edges


def test_node_numbers_do_not_reveal_the_blocks():
    labels = make_graph(generated(num_nodes=600)).labels
    assert 0.2 < (np.diff(labels) == 0).mean() < 0.5


def test_edges_of_an_erdos_renyi_graph_ignore_the_labels():
    """Four equal classes: a quarter of 20,000 edges join equal labels, give or take 6 standard deviations of 0.3 %."""
    graph = make_graph(generated(family="erdos_renyi", num_nodes=2000, average_degree=20.0, num_classes=4))
    source, destination = graph.edge_index
    assert (graph.labels[source] == graph.labels[destination]).mean() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("family", ["sbm", "erdos_renyi"])
def test_another_process_draws_the_same_bytes(family):
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from graphs.builders import generated
from gnn_checkpointing.graphs.make import make_graph
print(make_graph(generated(family={family!r})).content_sha256)
assert "torch" not in sys.modules
"""
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert make_graph(generated(family=family)).content_sha256 == other == GOLDEN[family]


def test_another_seed_draws_other_edges_features_and_split():
    first = make_graph(generated())
    second = make_graph(replace(generated(), seed=12))
    assert first.content_sha256 != second.content_sha256
    for name in ("edge_index", "features", "labels", "train_mask"):
        assert not np.array_equal(getattr(first, name), getattr(second, name))


def test_more_edges_leave_the_nodes_as_they_are():
    sparse, dense = (make_graph(generated(average_degree=degree)) for degree in (4.0, 8.0))
    assert np.array_equal(sparse.features, dense.features)
    assert np.array_equal(sparse.train_mask, dense.train_mask)
