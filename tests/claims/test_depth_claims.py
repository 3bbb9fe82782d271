"""Claims on depth are made where several depths were measured, and judged by what reversible blocks need there."""

from __future__ import annotations

from gnn_checkpointing.analysis.analyse import analyse
from synthetic.changes import changed
from synthetic.findings import claim, ledger, synthetic
from synthetic.tables import depth_table, protocol


def found(rows):
    return analyse(rows, [], protocol())


def test_one_depth_makes_no_claims_on_depth() -> None:
    ids = {one.id for one in ledger(synthetic()).claims}
    assert not any(id.startswith(("reversible-peak-hardly", "deep-reversible")) for id in ids)


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
