"""Claims get the verdicts that the known laws imply, and each number can be found where its evidence says."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.analysis.analyse import Findings, write_analysis
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.catalogue import catalogue
from report.derivation import Derivation, Piece
from synthetic.changes import changed, without
from synthetic.everything import everything
from synthetic.findings import analysed, claim, frontier_findings, ledger, synthetic, varied
from synthetic.frontier import frontier_table
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import table


@pytest.mark.parametrize(
    ("make", "id", "verdict"),
    [
        (synthetic, "layers-lower-the-peak:GATv2:layers", "supported"),
        (synthetic, "layers-cost-time:GATv2:layers", "supported"),
        # Laws: the share kept goes from 0.32 to 0.25 with GATv2, from 0.67 to 0.95 with SAGE.
        (synthetic, "layers-save-less-when-dense:GATv2:layers", "refuted"),
        (synthetic, "layers-save-less-when-dense:SAGE:layers", "supported"),
        (synthetic, "layers-take-fewer-bytes-per-edge:SAGE:layers", "supported"),
        (synthetic, "edge-blocks-are-flat-in-density:GATv2:edge_blocks", "supported"),
        (synthetic, "edge-blocks-peak-below-layers:GATv2:edge_blocks", "supported"),
        # 1.28 / 1.42 of the time: a tenth less is within what two runs differ by.
        (synthetic, "edge-blocks-no-slower-than-layers:GATv2:edge_blocks", "inconclusive"),
        (synthetic, "layers-keep-half-the-throughput:GATv2:layers", "supported"),
        (synthetic, "every-policy-computes-the-same", "supported"),
        (synthetic, "training-follows-the-same-curve:GCN", "supported"),
        (synthetic, "law-predicts-memory-of-the-densest:GCN", "supported"),
        (synthetic, "law-predicts-time-of-the-densest:GCN", "inconclusive"),
        # SAGE takes 1.6 times as long.
        (synthetic, "a-third-more-time:SAGE:layers", "refuted"),
        (synthetic, "hydragnn-memory:SAGE:layers", "refuted"),
        (synthetic, "hydragnn-time:SAGE:layers", "refuted"),
        # Bytes at degree 512: (5,000 + 14 M + 7.5 x 1,024,000) / (5,000 + 25.2 M + 4,200 x 1,024,000) = 0.005.
        (frontier_findings, "compiled-edge-blocks-peak-below-compiled:GATv2:compiled_edge_blocks", "supported"),
        # Times 0.40 / 0.41 at degree 128.
        (frontier_findings, "compiled-edge-blocks-no-slower-than-compiled:GATv2:compiled_edge_blocks", "inconclusive"),
        # The best budget is 0.5: about as much memory as 0, in less time. Times 0.24 / 0.3 at degree 128.
        (frontier_findings, "fused-edge-blocks-peak-below-memory-budget:GATv2:fused_edge_blocks", "supported"),
        (frontier_findings, "fused-edge-blocks-no-slower-than-memory-budget:GATv2:fused_edge_blocks", "supported"),
        # The sparse product keeps 50 bytes an edge: node bytes decide, and half of them is no fortieth.
        (frontier_findings, "compiled-edge-blocks-peak-below-compiled:GCN (spmm):compiled_edge_blocks", "refuted"),
        (frontier_findings, "edge-blocks-are-flat-in-density:GATv2:edge_blocks", "supported"),
        (frontier_findings, "every-policy-computes-the-same", "supported"),
    ],
)
def test_a_known_law_has_its_verdict(make: Callable[[], Findings], id: str, verdict: str) -> None:
    """And generated kernels are judged beside their peers."""
    assert claim(make(), id).verdict == verdict


def test_every_claim_of_the_catalogue_is_judged_for_every_convolution() -> None:
    ids = [one.id for one in ledger(synthetic()).claims]
    assert len(ids) == len(set(ids))
    for template in catalogue():
        named = [name for name in ("GCN", "SAGE", "GATv2") if not template.only or name in template.only]
        expected = 0 if template.needs or template.beside else 1 if template.of_study else len(named)
        found = sum(id.split(":")[0] == template.id for id in ids)
        assert found == expected or (template.kind == "literature" and not found), template.id


def test_a_changed_computation_refutes_sameness_and_a_curve_that_strays_the_same_curve() -> None:
    rows = changed(table(0, convolutions=("GCN",)), "sbm-n500-d4-r0-GCN", "layers", same_gradients=False)
    findings = analysed(rows, drift=0.01)
    found = claim(findings, "every-policy-computes-the-same")
    assert (found.verdict, found.estimate and found.estimate.estimate) == ("refuted", 1.0)
    assert claim(findings, "training-follows-the-same-curve:GCN").verdict == "refuted"


def test_a_variant_of_a_policy_is_judged_under_its_own_name() -> None:
    rows = [
        {**row, "policy": "edge_blocks(4096)" if row["policy"] == "edge_blocks" else row["policy"]}
        for row in table(0, convolutions=("GATv2",))
    ]
    found = claim(analysed(rows), "edge-blocks-are-flat-in-density:GATv2:edge_blocks(4096)")
    assert found.verdict == "supported"
    assert found.sentence.startswith("With policy edge_blocks(4096), one more edge costs GATv2")


def test_a_policy_that_was_not_measured_is_untested_with_its_reason() -> None:
    found = claim(synthetic(policies=("none", "layers")), "edge-blocks-no-slower-than-layers:GCN:edge_blocks")
    assert (found.verdict, found.estimate, found.evidence) == ("untested", None, "")
    assert found.reason == "no generated graphs were measured with both edge_blocks and layers"


def test_real_graphs_alone_leave_density_untested_and_judge_what_they_can() -> None:
    findings = synthetic(real_graphs)
    verdicts = {one.id: (one.verdict, one.reason) for one in ledger(findings).claims}
    assert verdicts["layers-lower-the-peak:GCN:layers"] == (
        "untested",
        "no generated graphs of graded density were measured with this convolution and policy",
    )
    assert verdicts["layers-lower-the-peak-on-real-graphs:GCN:layers"] == ("supported", "on Cora, amherst41")
    assert verdicts["layers-cost-time-on-real-graphs:GCN:layers"][0] == "supported"
    assert verdicts["edge-blocks-peak-below-layers-on-real-graphs:GCN:edge_blocks"][0] == "supported"


def test_the_densest_level_is_the_densest_that_both_policies_reached() -> None:
    rows = table(0, convolutions=("GATv2",))
    for nodes in (500, 1000, 2000):
        for replicate in (0, 1):
            rows = without(rows, f"sbm-n{nodes}-d128-r{replicate}-GATv2", "none", "out_of_memory")
    found = claim(analysed(rows), "layers-lower-the-peak:GATv2:layers")
    assert found.reason.startswith(
        "at average degree 64, the densest at which layers and none ran to the end; by number"
    )


def test_one_level_cannot_show_a_change_with_density() -> None:
    found = claim(synthetic(lambda: generated_graphs(degrees=(4.0,))), "layers-save-less-when-dense:GCN:layers")
    assert (found.verdict, found.reason) == ("untested", "only one level of density was measured")


@pytest.mark.parametrize(
    "make",
    [synthetic, lambda: synthetic(real_graphs), frontier_findings, varied, everything],
    ids=["generated", "real", "frontier", "variants", "by hand"],
)
def test_every_number_is_found_where_its_evidence_says(make: Callable[[], Findings], tmp_path: Path) -> None:
    """The numbers at the addresses are the estimates: as many, and with their median."""
    findings = make()
    write_analysis(tmp_path / "analysis", findings)
    tested = [one for one in ledger(findings).claims if one.estimate is not None]
    assert tested
    derive = Derivation(tmp_path)
    for one in tested:
        values = [
            float(value.estimate if isinstance(value, Estimate) else value)
            for value in derive.values(Piece("", one.evidence, ""))
        ]
        if "slope_ratio; " in one.evidence:
            values = values[:1]  # the others make its interval
        gathered = re.search(r"\((\d+) values", one.quantity)
        assert len(values) == (int(gathered[1]) if gathered else 1), one.id
        assert one.estimate is not None
        assert one.estimate.estimate == pytest.approx(float(np.median(values))), one.id


def test_no_claim_rests_on_another_allocator_than_the_reference() -> None:
    """The ledger of a table with and without the rows of `default` is the same but for sameness, which counts rows."""
    alone = analysed(frontier_table(allocators=("retaining",)))
    both = [one for one in ledger(frontier_findings()).claims if one.id != "every-policy-computes-the-same"]
    assert both == [one for one in ledger(alone).claims if one.id != "every-policy-computes-the-same"]
    for one in both:
        assert "/allocators/" not in one.evidence
        rows = [int(number) for number in re.findall(r"effects.json#/rows/(\d+)/", one.evidence)]
        assert {frontier_findings().effects.rows[number].allocator for number in rows} <= {"retaining"}
    assert any("/flatness/" in one.evidence for one in both)


def test_a_policy_is_compared_with_the_best_budget_only_where_both_ran() -> None:
    ids = {one.id for one in ledger(frontier_findings()).claims}
    assert "fused-edge-blocks-peak-below-memory-budget:GATv2:fused_edge_blocks" in ids
    assert not any(one.startswith("fused-edge-blocks") and ":GCN" in one for one in ids)
    found = claim(frontier_findings(), "fused-edge-blocks-no-slower-than-memory-budget:GATv2:fused_edge_blocks")
    assert found.reason == "memory_budget(0.5) at average degree 128, the densest at which both were timed"


def test_time_is_judged_at_the_densest_level_that_was_timed() -> None:
    for id, degree in (("layers-lower-the-peak:GATv2:layers", 512), ("layers-cost-time:GATv2:layers", 128)):
        assert f"at average degree {degree}" in claim(frontier_findings(), id).reason


def test_a_slope_through_exact_bytes_stands_in_where_all_graphs_have_one_size() -> None:
    found = claim(frontier_findings(), "edge-blocks-are-flat-in-density:GATv2:edge_blocks")
    assert found.estimate is not None
    assert found.estimate.estimate == pytest.approx(0.002)
    assert found.reason == "least squares over average degrees 4, 8, 32, 128, 512 at one number of nodes"
