"""A batch is what PyG's loaders give: drawn neighbours of training nodes, or one cluster."""

import numpy as np
import pytest

from gnn_checkpointing.graphs import batches
from gnn_checkpointing.graphs.make import make_graph, stream
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_design import BatchGraph

from .builders import generated

BASE = generated(num_nodes=400, average_degree=12.0)


def batch(sampler="neighbours", size=3, seed_nodes=20, hops=2, draw=0, seed=5):
    return make_graph(BatchGraph("batch", BASE, sampler, size, seed_nodes, hops, draw, seed))


@pytest.fixture(scope="module")
def base():
    """The graph that the batches are from."""
    return make_graph(BASE)


def originals(part, base):
    """Return the number in `base` of each node of the batch, by its features, which no two nodes share."""
    places = {row.tobytes(): number for number, row in enumerate(base.features)}
    return np.array([places[row.tobytes()] for row in part.features])


def test_drawn_neighbours_are_neighbours_and_no_node_has_more_than_asked(base):
    part = batch()
    names = originals(part, base)
    known = set(map(tuple, base.edge_index.T.tolist()))
    assert {(int(names[j]), int(names[i])) for j, i in part.edge_index.T} <= known
    drawn = np.bincount(part.edge_index[1], minlength=part.num_nodes)
    assert drawn.max() == 3
    # Seeds stand first, are training nodes, and have as many neighbours as they can have.
    assert part.train_mask.sum() == 20 and part.train_mask[:20].all()
    assert base.train_mask[names[:20]].all()
    degrees = np.bincount(base.edge_index[1], minlength=400)
    assert np.array_equal(drawn[:20], np.minimum(degrees[names[:20]], 3))


def test_only_as_many_hops_are_drawn_as_asked():
    """Of one hop, no drawn neighbour that is no seed has neighbours of its own."""
    part = batch(hops=1)
    assert part.edge_index[1].max() < 20


def test_a_fan_out_beyond_every_degree_gives_all_neighbours(base):
    """With every training node as a seed and one hop, each has all of its edges."""
    part = batch(size=1000, seed_nodes=1000, hops=1)
    seeds = int(part.train_mask.sum())
    assert seeds == base.train_mask.sum()
    assert part.num_edges == base.train_mask[base.edge_index[1]].sum()


def test_every_neighbour_is_as_likely_as_every_other(base):
    """One of each seed's about 12 neighbours, 300 times: no neighbour is drawn three times as often as the mean."""
    counts: dict[bytes, dict[bytes, int]] = {}
    for seed in range(300):
        spec = BatchGraph("batch", BASE, "neighbours", 1, 1000, 1, 0, seed)
        part = batches.batch(spec, base, stream(spec, "batch"))
        for source, target in part.edge_index.T:
            drawn = counts.setdefault(part.features[target].tobytes(), {})
            name = part.features[source].tobytes()
            drawn[name] = drawn.get(name, 0) + 1
    for drawn in counts.values():
        mean = 300 / len(drawn)
        assert max(drawn.values()) < mean + 6 * mean**0.5


def test_the_same_seed_gives_the_same_batch_and_another_another():
    assert batch().content_sha256 == batch().content_sha256
    assert batch().content_sha256 != batch(seed=6).content_sha256


def test_clusters_part_the_graph_and_keep_the_edges_inside(base):
    parts = [batch("clusters", size=4, draw=number) for number in range(4)]
    names = [originals(part, base) for part in parts]
    assert sorted(np.concatenate(names).tolist()) == list(range(400))
    for part, name in zip(parts, names, strict=True):
        inside = np.isin(base.edge_index, name).all(axis=0)
        found = {(int(name[j]), int(name[i])) for j, i in part.edge_index.T}
        assert found == set(map(tuple, base.edge_index[:, inside].T.tolist()))
        assert np.array_equal(part.train_mask, base.train_mask[name])
    assert max(len(name) for name in names) < 1.1 * 100


def test_clusters_cut_fewer_edges_than_chance():
    """Three blocks with 70 % of the edges inside: METIS should find them, chance would keep a third."""
    kept = sum(batch("clusters", size=3, draw=number).num_edges for number in range(3))
    assert kept > 0.6 * make_graph(BASE).num_edges


def test_more_clusters_than_nodes_are_refused():
    with pytest.raises(Refusal, match="a graph of 400 nodes cannot be cut into 500 clusters"):
        batch("clusters", size=500)
