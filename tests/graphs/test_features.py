"""Features make a real task, wide ones become narrow, and the split is stratified."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import PCG64, Generator

from gnn_checkpointing.graphs.features import noisy_patterns, projected, split
from gnn_checkpointing.graphs.make import make_graph

from .builders import generated


@pytest.mark.parametrize("family", ["sbm", "erdos_renyi"])
def test_the_nearest_class_mean_beats_chance_but_is_not_perfect(family):
    """The default study's features (32, noise 2.0, 4 classes); chance is 0.25.

    Two patterns differ in about 16 places by 2, so class means lie about 8 apart and a node errs towards one
    of three others with probability about 3 * P(normal > 8 / (2 * 2)) = 0.07.
    """
    graph = make_graph(generated(family=family, num_nodes=2000, num_features=32, num_classes=4))
    known, asked = graph.train_mask, graph.test_mask
    means = np.stack([graph.features[known & (graph.labels == label)].mean(axis=0) for label in range(4)])
    distances = ((graph.features[asked][:, None, :] - means) ** 2).sum(axis=2)
    accuracy = (distances.argmin(axis=1) == graph.labels[asked]).mean()
    assert 0.8 < accuracy < 0.99


def test_noise_has_the_asked_deviation_and_patterns_are_plus_and_minus_one():
    labels = np.zeros(20000, np.int64)
    noisy = noisy_patterns(labels, 2, 4, 2.0, Generator(PCG64(3)))
    assert noisy.dtype == np.float32
    assert np.abs(noisy.mean(axis=0)) == pytest.approx(np.ones(4), abs=0.06)
    assert noisy.std(axis=0) == pytest.approx(np.full(4, 2.0), rel=0.03)
    assert np.array_equal(np.abs(noisy_patterns(labels, 2, 4, 0.0, Generator(PCG64(3)))), np.ones((20000, 4)))


@given(st.lists(st.integers(-1, 4), min_size=2, max_size=80), st.integers(0, 2**32))
def test_each_class_is_split_60_to_40_to_within_a_node(labels, seed):
    labels = np.array(labels)
    train_mask, test_mask = split(labels, Generator(PCG64(seed)))
    assert np.array_equal(train_mask ^ test_mask, labels >= 0)
    for label in range(5):
        members = labels == label
        assert abs((train_mask & members).sum() - 0.6 * members.sum()) <= 1


def test_narrow_features_stay_as_they_are():
    features = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert projected(features, 4) is features


def test_distances_survive_within_what_128_columns_allow():
    """Johnson and Lindenstrauss: relative errors of squared distances have standard deviation sqrt(2 / 128) = 0.125."""
    features = np.random.default_rng(5).random((60, 2000)).astype(np.float32)
    narrow = projected(features, 128)
    assert narrow.shape == (60, 128)
    before, after = (((f[:, None] - f[None]) ** 2).sum(-1)[np.triu_indices(60, 1)] for f in (features, narrow))
    ratios = after / before
    assert abs(ratios.mean() - 1) < 0.1
    assert ratios.std() < 0.16


def test_the_projection_is_the_same_bytes_everywhere_and_row_by_row():
    """20,000 rows are more than one turn of the loop."""
    features = (np.arange(20_000 * 9) % 7).astype(np.float32).reshape(20_000, 9)
    narrow = projected(features, 4)
    golden = "ae5c5bf47eabfa2e9d2bba331514c80db060c17281e8ae7617ff9b790e78adde"
    assert hashlib.sha256(narrow.tobytes()).hexdigest() == golden
    assert np.array_equal(narrow[19_000:], projected(features[19_000:], 4))
