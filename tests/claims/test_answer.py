"""The answer has three to five sentences whose numbers are the estimates, whatever the study."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.tables import (
    FRONTIER_BYTES,
    FRONTIER_SHARES,
    frontier_table,
    generated_graphs,
    real_graphs,
    table,
    without,
)
from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.answer import answer
from gnn_checkpointing.claims.answer_words import share, times
from gnn_checkpointing.claims.ledger import Sentence

from .findings import analysed, ledger, synthetic


def said(findings: Findings) -> list[Sentence]:
    return answer(ledger(findings), findings)


def test_the_default_study_is_answered_in_five_sentences() -> None:
    """At 128 edges a node GATv2's laws give (1500 + 64,000) / (3000 + 256,000) = 25 %, GCN's 82, SAGE's 95."""
    peak, trend, time, below, no_slower = said(synthetic())
    assert peak.text == (
        "On the densest graphs (average degree 128), checkpointing whole layers keeps, of the activation peak without "
        "it, 25 % with GATv2, 82 % with GCN and 95 % with SAGE. That it lowers the peak is supported."
    )
    assert peak.verdict == "supported"
    assert peak.evidence.count("level=128].activation_ratio") == 3
    assert "from 32 % at average degree 4 to 25 % at 128 with GATv2" in trend.text
    assert trend.verdict == "refuted"
    assert "times as long with SAGE" in time.text
    assert trend.text.endswith("is supported for GCN and SAGE, refuted for GATv2.")
    assert below.verdict == "supported"
    assert no_slower.verdict == "supported"


POLICIES = tuple(policy for policy in FRONTIER_SHARES if policy != "none")


@settings(max_examples=12, deadline=None)
@given(
    policies=st.sets(st.sampled_from(POLICIES), min_size=1, max_size=3),
    lost=st.sets(st.sampled_from(["none", *POLICIES])),
)
def test_the_answer_is_true_of_every_set_of_policies(policies: set[str], lost: set[str]) -> None:
    """It denies that anything was compared where that is so alone; what it says of a policy was measured of it."""
    rows = frontier_table(convolutions=("GATv2",), policies=("none", *sorted(policies)), allocators=("retaining",))
    for row in [row for row in rows if row["policy"] in lost]:
        rows = without(rows, str(row["cell"]), str(row["policy"]), "out_of_memory")
    findings = analysed(rows)
    sentences = said(findings)
    compared = {effect.policy for effect in findings.effects.generated}
    denied = [sentence for sentence in sentences if "compares no policy with none" in sentence.text]
    assert bool(denied) == (not compared), (policies, lost)
    assert 1 <= len(sentences) <= 5
    if compared:
        assert "none" not in lost
        assert any(sentence.verdict != "untested" for sentence in sentences)
        for policy in policies - compared:
            assert not any(f"policy {policy} " in sentence.text for sentence in sentences)


@pytest.mark.parametrize("policy", ["selective", "segments(2)", "compiled", "memory_budget(0)"])
def test_a_policy_without_a_claim_is_answered_from_its_own_numbers(policy: str) -> None:
    """None of these studies has whole layers, which most claims of the catalogue are about."""
    findings = analysed(frontier_table(convolutions=("GATv2",), policies=("none", policy), allocators=("retaining",)))
    sentences = said(findings)
    (peak,) = [sentence for sentence in sentences if f"policy {policy} keeps, of the activation peak" in sentence.text]
    densest = max(findings.effects.generated, key=lambda effect: float(effect.level))
    assert f"average degree {densest.level}" in peak.text
    assert share(densest.activation_ratio) in peak.text
    assert peak.verdict == ("supported" if densest.activation_ratio.high < 1 else "refuted")


def test_where_nothing_was_compared_the_answer_says_why() -> None:
    findings = analysed(frontier_table(convolutions=("GCN",), policies=("none", "offloaded", "fused_edge_blocks")))
    (sentence,) = said(findings)
    assert sentence.text.startswith("This study compares no policy with none, since no such pair ran to its end: ")
    assert "offloaded was unavailable" in sentence.text
    assert "fused_edge_blocks was refused" in sentence.text


def test_real_graphs_alone_without_layers_are_answered() -> None:
    rows = table(np.random.default_rng(0), real_graphs(), policies=("none", "layers"))
    sentences = said(analysed([{**row, "policy": str(row["policy"]).replace("layers", "selective")} for row in rows]))
    assert sentences[0].text.startswith("On the real graphs (median and span), policy selective keeps")
    assert "a training step with policy selective takes" in sentences[1].text
    assert sentences[1].verdict == "supported"


def test_real_graphs_alone_are_answered_from_real_graphs() -> None:
    sentences = said(synthetic(real_graphs()))
    assert len(sentences) == 3
    assert all(sentence.text.startswith("On the real graphs") for sentence in sentences)
    assert {sentence.verdict for sentence in sentences} == {"supported"}


def test_a_study_without_edge_blocks_is_answered_without_them() -> None:
    sentences = said(synthetic(policies=("none", "layers")))
    assert len(sentences) == 3
    assert not any("edge_blocks" in sentence.text for sentence in sentences)


def test_a_study_with_one_small_graph_is_answered() -> None:
    sentences = said(synthetic(generated_graphs((500,), (4.0,), 1)))
    assert len(sentences) == 4
    assert "(average degree 4)" in sentences[0].text


def test_convolutions_that_ran_out_of_memory_earlier_show_in_the_span_of_levels() -> None:
    rows = table(np.random.default_rng(0), generated_graphs((500,), (4.0, 128.0), 1))
    rows = without(rows, "sbm-n500-d128-r0-GATv2", "none", "out_of_memory")
    assert "(average degree 4 to 128)" in said(analysed(rows))[0].text


def test_many_convolutions_are_answered_by_the_two_that_lie_furthest_apart() -> None:
    """Ten series; at degree 512 `layers` keeps least with GATv2, where bytes per edge (a quarter) outweigh the rest."""
    rows = frontier_table(convolutions=tuple(FRONTIER_BYTES), policies=("none", "layers"))
    peak, _, time = said(analysed(rows))
    assert peak.text.startswith(
        "On the densest graphs (average degree 512), checkpointing whole layers keeps, of the activation peak without "
        "it, 25 % with GATv2 at one end and "
    )
    assert "at the other, of 10 convolutions. That it lowers the peak is supported." in peak.text
    assert "(average degree 128)" in time.text
    assert peak.evidence.count("activation_ratio") == 10


def test_no_sentence_rests_on_another_allocator_than_the_reference() -> None:
    """Under `default` 4 seconds a GiB of stored bytes turn the verdict on time round; no sentence notices."""
    both = frontier_table()
    alone = [row for row in both if row["allocator"] == "retaining"]
    assert said(analysed(both)) == said(analysed(alone))
    assert not any("page fault" in sentence.text or "default" in sentence.text for sentence in said(analysed(both)))


def test_where_none_ran_out_of_memory_the_answer_says_which_policies_did_not() -> None:
    rows = table(np.random.default_rng(0), generated_graphs((1000,), (64.0,), 1), convolutions=("GATv2",))
    empty = {name: None for name in rows[0] if name.endswith(("_bytes", "_seconds", "ratio", "_low", "_high"))}
    for row in rows:
        if row["policy"] in ("none", "layers"):
            row.update(
                empty, outcome="out_of_memory", message="too large", started=row["started"], measured_seconds=1.0
            )
        row.update(memory_ratio=None, activation_ratio=None, time_ratio=None, time_ratio_low=None, time_ratio_high=None)
        row.update(same_loss=None, same_gradients=None, same_buffers=None)
    found = analysed(rows)
    (sentence,) = said(found)
    (same,) = [claim for claim in ledger(found).claims if claim.id == "every-policy-computes-the-same"]
    assert same.verdict == "untested"
    assert sentence.text == (
        "This study compares no policy with none, since no such pair ran to its end: none ran out of memory, layers "
        "ran out of memory, edge_blocks ran to its end and no law was fitted."
    )


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((0.27, 0.26, 0.28), "27 % (26 to 28 %)"),
        ((0.2712, 0.2711, 0.2713), "27 %"),
        ((0.0021, 0.0019, 0.0023), "0.21 % (0.19 to 0.23 %)"),
        ((0.0, -1e-16, 1e-15), "0 %"),
        ((0.996, 0.98, 1.02), "99.6 % (98 to 102 %)"),
    ],
)
def test_a_share_is_told_in_two_digits_with_its_interval(ends: tuple[float, float, float], text: str) -> None:
    assert share(Estimate(estimate=ends[0], low=ends[1], high=ends[2])) == text


def test_a_factor_is_told_in_hundredths_with_its_interval() -> None:
    assert times(Estimate(estimate=1.349, low=1.33, high=1.371)) == "1.35 (1.33 to 1.37)"
