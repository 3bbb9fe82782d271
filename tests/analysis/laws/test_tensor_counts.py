"""An edge's tensors are counted: the formulas, worked out on paper, and slopes that agree with them."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.laws.fit import fit_form
from gnn_checkpointing.analysis.laws.tensor_counts import Count, analytic, counted
from gnn_checkpointing.analysis.results import Response
from synthetic.rows import table
from synthetic.tables import series


@pytest.mark.parametrize(
    ("convolution", "policy", "response", "bytes", "words"),
    [
        # 4 layers of 3 x 32 + 3 x 4 values: 4 x 108 x 4 bytes; at the peak 3 x 32 + 4 more of one layer.
        ("GATv2", "none", "saved_activation_bytes", 1728, "12 L F + 12 L H"),
        ("GATv2", "none", "activation_bytes", 2128, "12 L F + 12 L H + 12 F + 4 H"),
        ("GATv2", "layers", "activation_bytes", 816, "24 F + 12 H"),
        ("GCN", "none", "activation_bytes", 256, "8 F"),
        ("SAGE", "layers", "activation_bytes", 132, "4 F + 4"),
        # The first of 4 layers keeps nothing: 3 x 32 x 4 bytes.
        ("SAGE-max", "none", "saved_activation_bytes", 384, "4 L F - 4 F"),
        ("GAT", "layers", "saved_activation_bytes", 0, "0"),
        ("EdgeConv", "edge_blocks", "activation_bytes", 0, "0"),
    ],
)
def test_an_edge_costs_what_its_tensors_weigh(
    convolution: str, policy: str, response: Response, bytes: int, words: str
) -> None:
    count = counted(convolution, policy, response)
    assert count is not None
    assert (count.bytes(4, 32, 4), count.words) == (bytes, words)


@pytest.mark.parametrize(("convolution", "policy"), [("GCN (spmm)", "none"), ("GATv2", "compiled"), ("GIN", "none")])
def test_what_nobody_counted_has_no_count(convolution: str, policy: str) -> None:
    assert counted(convolution, policy, "activation_bytes") is None


def test_counts_add_up_term_by_term() -> None:
    assert Count(layer_channels=4, heads=1) + Count(heads=2, besides=3) == Count(4, 0, 0, 3, 3)


def test_three_slopes_stand_side_by_side() -> None:
    """2,000 bytes an edge in the table and its law; 4 layers of 16 channels and 4 heads: 4 (48 + 12) 4 + 208 = 1168."""
    one = series(table(np.random.default_rng(0)))
    found = analytic(one, fit_form("additive", one.sizes, one.values))
    assert found is not None
    assert (found.num_nodes, found.counted) == (2000, 1168.0)
    assert found.measured == pytest.approx(2000)
    assert found.law == pytest.approx(2000)
