"""Bags against encodings: judged where both were measured on one graph and radius, untested elsewhere."""

from __future__ import annotations

from gnn_checkpointing.analysis.analyse import analyse
from gnn_checkpointing.claims.queries.query import Asked
from gnn_checkpointing.claims.queries.systems import most_saved
from synthetic.findings import claim, ledger, synthetic
from synthetic.rows import LAWS, RESIDENT_BYTES
from synthetic.tables import ego_table, protocol


def found():
    return analyse(ego_table(), [], protocol())


def peak(policy: str, nodes: int, edges: int) -> float:
    return RESIDENT_BYTES + int(LAWS["GCN", policy][0].at(nodes, edges))


def test_bags_are_larger_and_the_more_so_the_denser() -> None:
    findings = found()
    assert claim(findings, "bags-peak-above-encodings:GCN").verdict == "supported"
    assert claim(findings, "checkpointed-bags-peak-above-encodings:GCN:layers").verdict == "supported"
    assert claim(findings, "bags-lose-more-when-dense:GCN").verdict == "supported"


def test_the_most_that_is_saved_is_the_densest_graph_at_the_larger_radius() -> None:
    judged = claim(found(), "elene-memory")
    assert judged.estimate is not None
    expected = peak("none", 65_000, 8000 * 65) / peak("none", 1000, 8000)
    assert abs(judged.estimate.estimate - expected) < 1e-9
    assert judged.verdict == ("supported" if expected >= 18.1 else "refuted")
    assert "radius 2" in judged.reason


def test_without_bags_it_is_said_what_it_takes() -> None:
    assert "workflow/studies/ego.yaml" in most_saved(Asked(synthetic())).note
    assert not any(one.id.startswith(("bags-", "elene-")) for one in ledger(synthetic()).claims)
