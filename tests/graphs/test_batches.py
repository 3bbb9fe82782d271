"""A batch is what PyG's loaders give: drawn neighbours of training nodes, or one cluster."""

from dataclasses import replace

import numpy as np
import pytest

from gnn_checkpointing.graphs import batches
from gnn_checkpointing.graphs.make import make_graph, stream
from gnn_checkpointing.refusal import Refusal

from .builders import derived, generated

BASE = generated(num_nodes=400, average_degree=12.0)


def drawn(size=3, seed_nodes=20, hops=2, seed=5):
    return derived(BASE, "neighbours", size, seed, seed_nodes=seed_nodes, hops=hops)


def clusters(size):
    return [make_graph(derived(BASE, "clusters", size, draw=number)) for number in range(size)]


@pytest.fixture(scope="module")
def base():
    """The graph that the batches are from."""
    return make_graph(BASE)


def originals(part, base):
    """The number in `base` of each node of the batch, by its features, which no two nodes share."""
    places = {row.tobytes(): number for number, row in enumerate(base.features)}
    return np.array([places[row.tobytes()] for row in part.features])


def test_drawn_neighbours_are_neighbours_and_no_node_has_more_than_asked(base):
    part = make_graph(drawn())
    names = originals(part, base)
    known = set(map(tuple, base.edge_index.T.tolist()))
    assert {(int(names[j]), int(names[i])) for j, i in part.edge_index.T} <= known
    found = np.bincount(part.edge_index[1], minlength=part.num_nodes)
    assert found.max() == 3
    # Seeds come first, are training nodes, and have as many neighbours as they can have.
    assert part.train_mask.sum() == 20 and part.train_mask[:20].all()
    assert base.train_mask[names[:20]].all()
    degrees = np.bincount(base.edge_index[1], minlength=400)
    assert np.array_equal(found[:20], np.minimum(degrees[names[:20]], 3))


def test_hops_and_fan_out_are_those_asked_for_and_a_seed_gives_one_batch(base):
    """Of one hop, no drawn neighbour has neighbours of its own; beyond every degree, each training node has all."""
    assert make_graph(drawn(hops=1)).edge_index[1].max() < 20
    whole = make_graph(drawn(size=1000, seed_nodes=1000, hops=1))
    assert whole.train_mask.sum() == base.train_mask.sum()
    assert whole.num_edges == base.train_mask[base.edge_index[1]].sum()
    first, again, other = (make_graph(drawn(seed=seed)).content_sha256 for seed in (5, 5, 6))
    assert first == again != other


def test_every_neighbour_is_as_likely_as_every_other(base):
    """One of each seed's about 12 neighbours, 300 times: no neighbour is drawn three times as often as the mean."""
    counts: dict[bytes, dict[bytes, int]] = {}
    for seed in range(300):
        spec = drawn(1, 1000, 1, seed)
        part = batches.batch(spec, base, stream(spec, "batch"))
        for source, target in part["edge_index"].T:
            own = counts.setdefault(part["features"][target].tobytes(), {})
            name = part["features"][source].tobytes()
            own[name] = own.get(name, 0) + 1
    for own in counts.values():
        mean = 300 / len(own)
        assert max(own.values()) < mean + 6 * mean**0.5


def test_clusters_part_the_graph_keep_the_edges_inside_and_cut_fewer_than_chance(base):
    """Of three blocks with 70 % of the edges inside, METIS should find them; chance would keep a third."""
    parts = clusters(4)
    names = [originals(part, base) for part in parts]
    assert sorted(np.concatenate(names).tolist()) == list(range(400))
    for part, name in zip(parts, names, strict=True):
        inside = np.isin(base.edge_index, name).all(axis=0)
        found = {(int(name[j]), int(name[i])) for j, i in part.edge_index.T}
        assert found == set(map(tuple, base.edge_index[:, inside].T.tolist()))
        assert np.array_equal(part.train_mask, base.train_mask[name])
    assert max(len(name) for name in names) < 1.1 * 100
    assert sum(part.num_edges for part in clusters(3)) > 0.6 * base.num_edges
    with pytest.raises(Refusal, match="a graph of 400 nodes cannot be cut into 500 clusters"):
        make_graph(derived(BASE, "clusters", 500))


@pytest.mark.parametrize(("lacking", "nodes"), [("training node", "train_mask"), ("test node", "test_mask")])
def test_a_cluster_without_nodes_to_train_or_test_is_refused_by_its_number(base, lacking, nodes):
    """An empty mask would give a loss of NaN."""
    spec = derived(BASE, "clusters", 4, draw=2)
    without = replace(
        base, **{nodes: getattr(base, nodes) & ~np.isin(np.arange(400), originals(make_graph(spec), base))}
    )
    with pytest.raises(Refusal, match=f"cluster 2 of 4 has no {lacking}; lower batches.parts"):
        batches.batch(spec, without, stream(spec, "batch"))


def test_clusters_so_small_that_none_has_edges_are_refused():
    with pytest.raises(Refusal, match=r"cluster 0 of 390 has no \w+( node)?; lower batches.parts"):
        make_graph(derived(BASE, "clusters", 390))
