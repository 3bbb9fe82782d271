"""Page one of a study of any policies: it is about those that its figure shows, and denies none of them."""

from __future__ import annotations

import pytest

from gnn_checkpointing.report.sections.summary import report_page
from gnn_checkpointing.sourced import bare
from report import synthetic


@pytest.mark.parametrize(
    "policies",
    [
        ("none", "selective"),
        ("none", "compiled"),
        ("none", "segments(2)", "segments(3)"),
        ("none", "edge_blocks"),
        ("none", "memory_budget(0.5)", "reversible"),
    ],
    ids=" and ".join,
)
def test_the_answer_is_about_what_the_figure_shows(policies: tuple[str, ...]) -> None:
    inputs = synthetic.frontier_inputs(policies=policies, convolutions=("GATv2",), allocators=("retaining",))
    page = report_page(inputs, {})
    texts = [bare(sentence.text) for sentence in page.answer]
    assert page.lead is not None
    assert not any("compares no policy with none" in text for text in texts)
    assert 1 <= len(texts) <= 5
    for panel in page.lead.panels:
        assert any(bare(panel.title) in text for text in texts), (panel.title, texts)
