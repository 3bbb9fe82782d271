"""What was left out is told once a reason, with what it concerns, as far as that can be read."""

from gnn_checkpointing.report.sections.reasons import reasons


def told(*sentences: str) -> list[tuple[str, ...]]:
    table = reasons("table-left-out", "What was left out.", sentences, "analysis/regressions.json")
    return [tuple(cell for cell in row) for row in table.rows]


def test_pairs_of_one_reason_share_a_row() -> None:
    why = "no law is fitted: only 3 comparable cells"
    alike = [f"{pair}: {why}." for pair in ("GCN, none", "GCN, edge_blocks", "SAGE, none")]
    assert told(alike[0], "GCN, layers: no law is fitted: all equal.", *alike[1:]) == [
        ("GCN: none, edge_blocks; SAGE: none", why),
        ("GCN, layers", "no law is fitted: all equal"),
    ]


def test_of_more_pairs_than_can_be_read_the_first_are_named() -> None:
    few, many = ([f"GCN, segments({k}): no step was timed." for k in range(count)] for count in (6, 7))
    assert told(*few)[0][0].endswith("segments(4), segments(5)")
    assert told(*many)[0][0].endswith("segments(4), segments(5); and more")


def test_a_sentence_without_a_reason_stands_alone() -> None:
    assert told("Nothing was measured.") == [("–", "Nothing was measured")]  # noqa: RUF001


def test_what_is_no_pair_of_convolution_and_policy_is_named_as_it_is() -> None:
    assert told("The spread is not tried: one draw.", "The family is not tried: one draw.", "GCN, none: one draw.") == [
        ("The spread is not tried; The family is not tried; GCN: none", "one draw")
    ]
