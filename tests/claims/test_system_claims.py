"""Claims on depths, ego networks, families, grades and batches: made where measured, judged by their numbers."""

from __future__ import annotations

import numpy as np

from gnn_checkpointing.analysis.analyse import analyse
from gnn_checkpointing.claims.queries.query import Asked
from gnn_checkpointing.claims.queries.systems import most_saved
from synthetic.changes import changed
from synthetic.findings import analysed, claim, ledger, synthetic
from synthetic.graphs import batches, families, graded
from synthetic.rows import LAWS, RESIDENT_BYTES, table
from synthetic.tables import depth_table, ego_table, protocol


def found(rows):
    return analyse(rows, [], protocol())


def findings(graphs, change=None):
    rows = table(np.random.default_rng(0), graphs)
    for row in rows:
        if change:
            change(row)
    return analysed(rows)


def ids(found):
    return {one.id.partition(":")[0] for one in ledger(found).claims}


def test_nothing_is_claimed_of_what_was_not_measured() -> None:
    names = ("famil", "batch", "real-graph-is", "reversible-peak-hardly", "deep-reversible", "bags-", "elene-")
    assert not [one for one in ids(synthetic()) if any(name in one for name in names)]
    assert "workflow/studies/ego.yaml" in most_saved(Asked(synthetic())).note


def test_a_peak_that_stays_is_supported_and_one_that_grows_is_refuted() -> None:
    rows = depth_table()
    assert claim(found(rows), "reversible-peak-hardly-grows-with-depth:reversible").verdict == "supported"
    cell = next(str(row["cell"]) for row in rows if row["num_layers"] == 200)
    own = next(row for row in rows if (row["cell"], row["policy"]) == (cell, "reversible"))
    grown = changed(rows, cell, "reversible", activation_bytes=2 * int(own["activation_bytes"] or 0))
    judged = claim(found(grown), "reversible-peak-hardly-grows-with-depth:reversible")
    assert judged.verdict == "refuted"
    assert "200 layers against 50 at average degree 3" in judged.reason


def test_depths_that_are_no_multiples_leave_growth_untested() -> None:
    judged = claim(found(depth_table(layers=(50, 100))), "reversible-peak-hardly-grows-with-depth:reversible")
    assert (judged.verdict, "4 times the other" in judged.reason) == ("untested", True)


def test_the_deepest_models_decide() -> None:
    """Reversible keeps 4, layers 1 + 0.2 x 200 = 41: a tenth. Its step takes 1.5 of none's, not a thirtieth."""
    findings = found(depth_table())
    judged = claim(findings, "deep-reversible-peaks-below-layers:reversible")
    assert judged.verdict == "supported"
    assert judged.estimate is not None and abs(judged.estimate.estimate - 4 / 41) < 1e-3
    assert claim(findings, "gsr-gnn-speed").verdict == "refuted"
    assert claim(findings, "deep-reversible-peaks-below-edge-blocks:reversible").verdict == "untested"


def peak(policy: str, nodes: int, edges: int) -> float:
    return RESIDENT_BYTES + int(LAWS["GCN", policy][0].at(nodes, edges))


def test_bags_are_larger_and_the_more_so_the_denser() -> None:
    findings = found(ego_table())
    assert claim(findings, "bags-peak-above-encodings:GCN").verdict == "supported"
    assert claim(findings, "checkpointed-bags-peak-above-encodings:GCN:layers").verdict == "supported"
    assert claim(findings, "bags-lose-more-when-dense:GCN").verdict == "supported"


def test_the_most_that_is_saved_is_the_densest_graph_at_the_larger_radius() -> None:
    judged = claim(found(ego_table()), "elene-memory")
    assert judged.estimate is not None
    expected = peak("none", 65_000, 8000 * 65) / peak("none", 1000, 8000)
    assert abs(judged.estimate.estimate - expected) < 1e-9
    assert judged.verdict == ("supported" if expected >= 18.1 else "refuted")
    assert "radius 2" in judged.reason


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
