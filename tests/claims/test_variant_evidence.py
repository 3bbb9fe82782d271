"""Claims about families, graded graphs and batches: made where those were measured, judged by their numbers."""

import numpy as np

from synthetic.findings import analysed, claim, ledger, synthetic
from synthetic.graphs import batches, families, graded
from synthetic.rows import table


def findings(graphs, change=None):
    rows = table(np.random.default_rng(0), graphs)
    for row in rows:
        if change:
            change(row)
    return analysed(rows)


def ids(found):
    return {one.id.partition(":")[0] for one in ledger(found).claims}


def test_nothing_is_claimed_of_what_was_not_measured():
    assert not [one for one in ids(synthetic()) if "famil" in one or "batch" in one or "real-graph-is" in one]


def test_equal_families_support_that_the_family_does_not_matter():
    found = claim(findings(families()), "family-leaves-memory:GATv2:layers")
    assert found.verdict == "supported"
    assert "4 values" in found.quantity  # two other families at two densities
    assert "against erdos_renyi" in found.reason


def test_a_family_that_saves_more_refutes_it_for_its_convolution():
    def change(row):
        if (row["family"], row["convolution"], row["policy"]) == ("rmat", "GCN", "layers"):
            row["activation_ratio"] *= 0.8

    found = findings(families(), change)
    assert claim(found, "family-leaves-memory:GCN:layers").verdict == "refuted"
    assert claim(found, "family-leaves-memory:SAGE:layers").verdict == "supported"


def test_a_graded_graph_tells_whether_layers_save_less_when_dense():
    """By the tables' laws GCN keeps 71 % at degree 4 and 81 % at 64, GATv2 32 % and 26 %."""
    found = findings(graded())
    assert claim(found, "layers-save-less-when-a-real-graph-is-denser:GCN:layers").verdict == "supported"
    dense = claim(found, "layers-save-less-when-a-real-graph-is-denser:GATv2:layers")
    assert dense.verdict == "refuted"
    assert "X from average degree 4 to 64" in dense.reason


def test_batches_of_every_size_decide_together():
    def change(row):
        if (row["derivation_size"], row["convolution"], row["policy"]) == (10.0, "SAGE", "layers"):
            row["activation_ratio"] = 1.01

    found = findings(batches(), change)
    assert claim(found, "layers-lower-the-peak-of-batches:GCN:layers").verdict == "supported"
    assert claim(found, "layers-lower-the-peak-of-batches:SAGE:layers").verdict == "refuted"
    assert claim(found, "layers-cost-time-in-batches:GCN:layers").verdict == "supported"
    assert claim(found, "edge-blocks-peak-below-layers-in-batches:GATv2:edge_blocks").verdict == "supported"
