"""Wide features become narrow, the same on every machine, and keep their geometry approximately."""

import hashlib

import numpy as np

from gnn_checkpointing.graphs.projection import projected


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


def test_the_projection_is_the_same_bytes_everywhere():
    features = (np.arange(20_000 * 9) % 7).astype(np.float32).reshape(20_000, 9)
    assert hashlib.sha256(projected(features, 4).tobytes()).hexdigest() == GOLDEN


GOLDEN = "ae5c5bf47eabfa2e9d2bba331514c80db060c17281e8ae7617ff9b790e78adde"


def test_rows_are_projected_apart_from_each_other():
    """20,000 rows are more than one turn of the loop."""
    features = (np.arange(20_000 * 9) % 7).astype(np.float32).reshape(20_000, 9)
    assert np.array_equal(projected(features, 4)[19_000:], projected(features[19_000:], 4))
