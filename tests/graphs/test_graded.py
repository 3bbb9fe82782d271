"""Graded graphs keep nodes, features, labels and split, and change the edges as their names say."""

import numpy as np
import pytest

from gnn_checkpointing.graphs.graded import capped, graded
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.refusal import Refusal

from .builders import derived, drawn, loaded


@pytest.fixture(scope="module")
def base():
    """A graph of 300 nodes and 1,800 edges, in place of a real one."""
    return drawn("heavy_tail", 300, 12.0)


def grade(base, method, level, seed=3):
    return graded(derived(loaded(), method, level, seed), base, np.random.default_rng(seed))


def pairs(edge_index):
    return {tuple(pair) for pair in edge_index.T.tolist()}


@pytest.mark.parametrize(("method", "level"), [("thinned", 3.0), ("capped", 5.0), ("two_hop", 8.0)])
def test_the_nodes_stay(method, level):
    base = make_graph(loaded())
    found, same, other = (make_graph(derived(loaded(), method, level, seed)) for seed in (3, 3, 4))
    for name in ("features", "labels", "train_mask", "test_mask"):
        assert np.array_equal(getattr(found, name), getattr(base, name))
    assert (found.derivation.base, found.derivation.method, found.derivation.size) == (base.id, method, level)
    assert found.content_sha256 == same.content_sha256 != other.content_sha256


def test_thinning_keeps_exactly_the_asked_share_of_the_edges_and_treats_all_alike(base):
    """Half of 1,800 edges, 200 times: each stays 100 times, give or take 6 standard deviations of 7.1."""
    found = grade(base, "thinned", 5.0)
    assert found.shape[1] == 1500
    assert pairs(found) < pairs(base.edge_index)
    kept = np.zeros((300, 300), int)
    for seed in range(200):
        kept[tuple(grade(base, "thinned", 6.0, seed))] += 1
    assert np.abs(kept[tuple(base.edge_index)] - 100).max() < 43


def test_no_capped_node_has_more_neighbours_than_the_cap_and_small_ones_lose_little(base):
    found = grade(base, "capped", 8.0)
    before, after = (np.bincount(edges[1], minlength=300) for edges in (base.edge_index, found))
    assert after.max() == 8
    assert pairs(found) < pairs(base.edge_index)
    # An edge between two nodes of at most 8 neighbours is among the first 8 of both.
    small = (before[base.edge_index] <= 8).all(axis=0)
    assert pairs(base.edge_index[:, small]) <= pairs(found)


@pytest.mark.parametrize("hub", [0, 9])
def test_a_hub_is_capped_whatever_its_number(hub):
    """A star of ten nodes keeps three of its nine edges."""
    leaves = np.setdiff1d(np.arange(10), [hub])
    ends = np.stack([np.maximum(leaves, hub), np.minimum(leaves, hub)])
    assert capped(ends, 10, 3, np.random.default_rng(1)).shape == (2, 3)


def test_two_hop_edges_join_neighbours_of_neighbours(base):
    found = grade(base, "two_hop", 20.0)
    assert found.shape[1] == 6000
    assert pairs(found) > pairs(base.edge_index)
    adjacency = np.zeros((300, 300), bool)
    adjacency[tuple(base.edge_index)] = True
    reached = (adjacency.astype(int) @ adjacency) > 0
    assert all(reached[pair] for pair in pairs(found) - pairs(base.edge_index))


@pytest.mark.parametrize(
    ("method", "level", "sentence"),
    [
        ("thinned", 13.0, "cannot be thinned to average degree 13: it has 12"),
        ("two_hop", 11.0, "cannot be closed to average degree 11: it has 12 already"),
        ("two_hop", 298.9, "joining neighbours of neighbours reaches about"),
    ],
)
def test_what_cannot_be_reached_is_refused(base, method, level, sentence):
    with pytest.raises(Refusal, match=sentence):
        grade(base, method, level)
