"""The answer has three to five sentences whose numbers are the estimates, whatever the study."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.tables import FRONTIER_BYTES, frontier_table, generated_graphs, real_graphs, table, without
from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.answer import answer, share, times
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
