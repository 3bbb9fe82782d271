"""What was tried against the answer is shown with what it found, and what was not tried is said."""

from __future__ import annotations

from typing import Any

import pytest

from gnn_checkpointing.analysis.results import StoppingRule
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts, section
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.page import Note, Section
from gnn_checkpointing.report.sections.parts import reasons
from gnn_checkpointing.sourced import bare
from synthetic import inputs as synthetic
from synthetic import results
from synthetic.results import left_out, made

from .reading import block, prose, texts

SPACE = "\N{NO-BREAK SPACE}"


def tried(**found: Any) -> Section | None:
    return section(synthetic.inputs(robustness=results.tried(**found)), "quality.robustness")


def test_each_trial_has_a_row() -> None:
    found = tried()
    ids = [each.id for each in documents(synthetic.inputs(robustness=results.tried()), {}).appendix.sections]
    assert ids.index("robustness") > ids.index("laws")
    assert not [each for each in found.blocks if isinstance(each, Note)] if found else False
    for name, heads, cells in (
        ("family-factor", ("Time", "GCN", "layers", "R-MAT"), "4.3 % | < 0.001"),
        ("replicates", ("Step time", "162"), "1.2 % | 11 % | GCN, none, sbm of 500 nodes, degree 4"),
        ("drift", ("GCN", "none"), "-2.1 % (-3.4 % to -0.8 %) | 0.003"),
        ("influence", ("Step time", "GCN", "layers", "sbm-n2000-d128-r0"), "-4.1 % | 0.83"),
        ("stopping", (f"3.0{SPACE}%",), "94.8 % | 95.1 % | 15 | 97 %"),
        ("not-tried", ("The family as a factor is not tried",), "all generated graphs are of one family, sbm"),
    ):
        shown = " | ".join(texts(block(found, f"table-{name}"), *heads))
        assert shown.replace(SPACE, " ").replace(units.MINUS, "-") == cells


def test_a_statement_that_turns_comes_first_with_its_graphs() -> None:
    steady = left_out(policy="edge_blocks", lowest=0.5, highest=1.5)
    turned = left_out(side="holds", changes=["one", "two", "three"])
    found = tried(left_out=[steady, turned])
    table = block(found, "table-left-out")
    assert [row[5] for row in table.rows] == ["one, two and 1 more", "no graph"]
    assert "The conclusion changes for 1 of them" in prose(found)
    assert "No conclusion changes." in prose(tried(left_out=[steady]))


def test_long_tables_show_the_worst_and_name_the_file_and_bytes_read_as_bytes() -> None:
    items = [left_out(policy="layers", highest=0.9 + number / 1000) for number in range(30)]
    table = block(tried(left_out=items), "table-left-out")
    assert len(table.rows) == 12
    assert "The 12 worst of 30; all are in analysis/robustness.json." in bare(table.caption)
    assert table.rows[0][4] == units.interval("0.89", "0.93")
    ends = {"boundary": 0.0, "whole": synthetic.estimate(-1500.0), "lowest": -1510.0, "highest": -1495.0}
    table = block(tried(left_out=[left_out(statement="difference_per_edge", **ends)]), "table-left-out")
    shown = " | ".join(table.rows[0][3:5]).replace(units.MINUS, "-")
    assert shown == "-1,500 (-1,530 to -1,470) | -1,510 to -1,500"


def test_a_rule_that_costs_coverage_is_a_note_and_heavy_tails_are_said_to_be_heavy() -> None:
    short = made(StoppingRule, noise=0.1, covered=0.88, fixed_covered=0.94)
    found = tried(stopping=[made(StoppingRule, distribution="heavy_tailed"), short])
    (note,) = [each.text for each in found.blocks if isinstance(each, Note)] if found else []
    assert f"88.0{SPACE}% of the simulations" in note
    assert f"94.0{SPACE}% with as many rounds fixed beforehand" in note
    assert block(found, "table-stopping").rows[0][0] == f"3.0{SPACE}%, one round in ten ten times that"


ALIKE = "no law is fitted: only 3 comparable cells"
MANY = [f"GCN, segments({k}): no step was timed." for k in range(7)]


@pytest.mark.parametrize(
    ("sentences", "rows"),
    [
        (
            [f"GCN, none: {ALIKE}.", "GCN, layers: all equal.", f"GCN, edge_blocks: {ALIKE}.", f"SAGE, none: {ALIKE}."],
            [("GCN: none, edge_blocks; SAGE: none", ALIKE), ("GCN, layers", "all equal")],
        ),
        (MANY[:6], [(f"GCN: {', '.join(f'segments({k})' for k in range(6))}", "no step was timed")]),
        (MANY, [(f"GCN: {', '.join(f'segments({k})' for k in range(6))}; and more", "no step was timed")]),
        (["Nothing was measured."], [(units.NOTHING, "Nothing was measured")]),
        (
            ["The spread is not tried: one draw.", "The family is not tried: one draw.", "GCN, none: one draw."],
            [("The spread is not tried; The family is not tried; GCN: none", "one draw")],
        ),
    ],
)
def test_what_was_left_out_is_listed_by_its_reason(sentences: list[str], rows: list[tuple[str, str]]) -> None:
    """Pairs of one reason share a row, of many the first are named; what is no pair is named as it is."""
    found = reasons(Texts("laws"), synthetic.inputs(), "table-not-fitted", "analysis/regressions.json", sentences)
    assert list(found.rows) == rows
