"""Two machines that agree are said to; changed in one place, the place is named."""

from pathlib import Path
from typing import Any

import pytest

from changed import in_json, in_table, table
from gnn_checkpointing.comparison import ratios
from gnn_checkpointing.comparison.page import compare
from gnn_checkpointing.comparison.results import Check, Pair

from .conftest import Changed
from .machines import OWN, publish, scale_ratios, slow_down, two


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that look at no interval."""
    monkeypatch.setattr(ratios, "RESAMPLES", 20)


def pair_of(reports: Path) -> Pair:
    (pair,) = compare(reports).pairs
    return pair


def check(pair: Pair, id: str) -> Check:
    return next(found for found in pair.checks if found.id == id)


def whole(pair: Pair) -> Any:
    return next(found for found in pair.ratio_summaries if not found.convolution)


def test_a_machine_three_times_as_slow_is_the_same_in_all_that_is_compared(tmp_path: Path) -> None:
    """Bytes and verdicts are those of the first, seconds three times its own: every ratio within the machine stays."""
    first, second = two(tmp_path)
    slow_down(second, 3.0)
    pair = pair_of(tmp_path)
    assert (pair.first, pair.second) == (OWN, "rack")
    rows = table(first)
    assert pair.rows == len(rows)
    assert pair.cells == pair.same_code == len({row["cell"] for row in rows})
    assert pair.findings == 0
    assert {found.word for found in pair.checks} == {"same"}
    assert check(pair, "graphs").matched == len({row["graph"] for row in rows})
    assert check(pair, "saved-bytes").matched == len(rows)
    assert check(pair, "bytes-per-edge").matched == 2 * 9  # three convolutions, three policies, two responses
    assert check(pair, "verdicts").matched > 20
    assert {found.quotient.estimate for found in pair.ratios} == {1.0}
    assert len(pair.throughput) == 18  # three convolutions, bare and in practice, under three policies
    assert [found.quotient.estimate for found in pair.throughput] == pytest.approx([1 / 3] * 18)
    largest = max(int(row["num_edges"]) for row in rows)
    (none,) = [found for found in pair.throughput if (found.convolution, found.policy) == ("GCN", "none")]
    times = [
        float(row["step_time_seconds"])
        for row in rows
        if (row["convolution"], row["policy"], row["graph_label"]) == ("GCN", "none", none.graph_label)
    ]
    assert (none.num_edges, [none.first.estimate]) == (largest, pytest.approx([largest / seconds for seconds in times]))
    assert len(pair.ratios) == sum(row["policy"] != "none" for row in rows)
    for summary in pair.ratio_summaries:
        assert summary.quotient.estimate == 1
        assert summary.rank_agreement is not None
        assert summary.rank_agreement.estimate == pytest.approx(1)
    compared = [law for law in pair.per_edge if law.policy != "none"]
    assert len(compared) == 6
    for law in compared:
        assert law.quotient is not None
        assert law.quotient.estimate == pytest.approx(1)
        assert law.second_seconds.estimate == pytest.approx(3 * law.first_seconds.estimate)
        assert not law.apart
    assert pair.per_edge_ranks is not None
    assert pair.per_edge_ranks.tau == pytest.approx(1)
    assert pair.differences == []


def test_one_byte_more_in_one_cell_is_a_finding_that_names_it(changed: Changed) -> None:
    row, found = changed.first[7], check(changed.pair, "saved-bytes")
    saved = int(row["saved_activation_bytes"])
    (difference,) = changed.pair.different("saved-bytes")
    assert (found.word, found.differ) == ("different", 1)
    assert difference.place == f"{row['cell']}, {row['policy']}"
    assert (difference.first, difference.second) == (saved, saved + 1)
    assert found.worst == difference.relative == pytest.approx(1 / (saved + 1))
    assert "the same kind of device under the same versions" in found.note
    assert changed.pair.findings == 3  # and one slope, one verdict


def test_a_verdict_turned_round_is_a_finding_and_one_left_open_is_told_apart(changed: Changed) -> None:
    (difference,) = changed.pair.different("verdicts")
    ids = changed.ids
    assert (difference.place, difference.first, difference.second) == (ids["refuted"], "supported", "refuted")
    (half,) = changed.pair.different("half")
    assert (half.place, half.first, half.second) == (ids["inconclusive"], "supported", "inconclusive")


def test_another_slope_is_a_finding_and_the_rounding_of_a_fit_is_none(changed: Changed) -> None:
    (difference,) = changed.pair.different("bytes-per-edge")
    assert isinstance(difference.first, float) and isinstance(difference.second, float)
    assert difference.second - difference.first == pytest.approx(4)
    assert difference.place.endswith(", saved_activation_bytes")
    assert difference.note == "laws of 36 and 35 cells"


def test_what_only_one_has_is_listed_by_cell_and_policy(changed: Changed) -> None:
    lacking, more = changed.first[4], changed.second[-3:]
    assert [(one.place, one.first, one.second) for one in changed.pair.different("alone")] == [
        (lacking["cell"], lacking["policy"], ""),
        (more[0]["cell"], "", ", ".join(row["policy"] for row in more)),
    ]
    assert changed.pair.rows == len(changed.second) - 3


def test_what_ran_to_its_end_on_one_alone_is_listed_and_not_compared(changed: Changed) -> None:
    pair = changed.pair
    assert [(one.first, one.second) for one in pair.different("outcomes")] == [("completed", "out_of_memory")]
    assert check(pair, "saved-bytes").matched == pair.rows - 1
    assert all(ratio.second_row != 1 for ratio in pair.ratios)


def test_other_settings_and_other_code_are_told(changed: Changed) -> None:
    settings = [(one.place, one.first, one.second) for one in changed.pair.different("settings")]
    assert settings == [("measurement.threads", "1", "2")]
    assert changed.pair.same_code == 0 < changed.pair.cells


def test_a_break_even_moved_to_twice_the_degree_is_shown_as_two(changed: Changed) -> None:
    moved, turned = changed.pair.break_evens[:2]
    assert moved.quotient is not None
    assert (moved.quotient.estimate, moved.quotient.low, moved.quotient.high) == (2, 14 / 9, 18 / 7)
    assert moved.apart
    assert (turned.first_course, turned.second_course, turned.quotient, turned.apart) == (
        *("above", "crosses"),
        None,
        True,
    )
    # Three convolutions, two policies, two quantities.
    assert len(changed.pair.break_evens) + changed.pair.no_break_even == 12


@pytest.mark.usefixtures("few_resamples")
@pytest.mark.parametrize(
    ("device", "torch", "said"),
    [
        ("cuda", "2.13.0+cu128", "on cpu here and on cuda there"),
        ("cpu", "2.14.0+cpu", "different versions (torch 2.13.0+cpu and 2.14.0+cpu)"),
    ],
)
def test_a_difference_says_which_devices_and_versions_it_is_between(
    tmp_path: Path, device: str, torch: str, said: str
) -> None:
    first, second = two(tmp_path)

    def change(rows: list[dict[str, str]]) -> None:
        rows[0]["saved_activation_bytes"] = "1"
        rows[0]["edges_at_once"] = "99"
        for row in rows:
            row["device"] = device

    def version(values: Any) -> None:
        next(fact for fact in values["facts"] if fact["name"] == "torch")["value"] = torch

    in_table(second, change)
    in_json(second, "hardware.json", version)
    pair = pair_of(tmp_path)
    found = check(pair, "saved-bytes")
    assert said in found.note
    assert pair.different("saved-bytes")[0].note == f"{table(first)[0]['edges_at_once']} and 99 edges at once"
    assert [(fact.place, fact.second) for fact in pair.different("facts")] == [("torch", torch)]


@pytest.mark.usefixtures("few_resamples")
def test_graphs_of_one_id_and_another_content_are_findings_and_of_another_size_no_pairs(tmp_path: Path) -> None:
    _, second = two(tmp_path)
    rows = table(second)
    graph = rows[0]["graph"]

    def other_content(values: Any) -> None:
        found = next(one for one in values["graphs"] if one["id"] == graph)
        found.update(sha256="0" * 64, num_edges=1602)

    in_json(second, "graphs.json", other_content)
    pair = pair_of(tmp_path)
    (difference,) = pair.different("graphs")
    assert difference.place == graph
    assert difference.second == f"400 nodes, 1602 edges, SHA-256 {'0' * 12}"
    assert pair.rows == len(rows) - sum(row["graph"] == graph for row in rows)
    assert pair.different("alone") == []


def test_a_policy_twice_as_dear_is_found_at_two_and_ranks_as_it_did(tmp_path: Path) -> None:
    _, second = two(tmp_path)
    scale_ratios(second, "edge_blocks", 2.0)
    pair = pair_of(tmp_path)
    for summary in (one for one in pair.ratio_summaries if one.policy):
        expected = 2 if summary.policy == "edge_blocks" else 1
        assert summary.quotient.estimate == pytest.approx(expected)
        assert summary.quotient.low <= expected <= summary.quotient.high
        assert summary.rank_agreement is not None
        assert summary.rank_agreement.estimate == pytest.approx(1)
    assert whole(pair).rank_agreement.estimate < 0.7


@pytest.mark.usefixtures("few_resamples")
def test_ratios_in_the_opposite_order_rank_at_minus_one(tmp_path: Path) -> None:
    _, second = two(tmp_path)

    def turn(rows: list[dict[str, str]]) -> None:
        for row in rows:
            low, high = float(row["time_ratio_low"]), float(row["time_ratio_high"])
            row["time_ratio"] = repr(1 / float(row["time_ratio"]))
            row["time_ratio_low"], row["time_ratio_high"] = repr(1 / high), repr(1 / low)

    in_table(second, turn)
    assert whole(pair_of(tmp_path)).rank_agreement.estimate == pytest.approx(-1)


@pytest.mark.usefixtures("few_resamples")
def test_three_machines_are_compared_two_by_two_and_a_missing_study_is_said(tmp_path: Path) -> None:
    two(tmp_path)
    publish(tmp_path, "tower")
    publish(tmp_path, "rack", "real")
    publish(tmp_path, "tower", "real")
    publish(tmp_path, "tower", "depth")
    found = compare(tmp_path)
    default, real = found.studies
    twos = [(pair.first, pair.second) for pair in found.pairs if pair.study == "default"]
    assert twos == [(OWN, "rack"), (OWN, "tower"), ("rack", "tower")]
    assert (real.name, real.missing, default.missing) == ("real", [OWN], [])
    assert {one.slug: one.studies for one in found.machines} == {
        OWN: ["default"],
        "rack": ["default", "real"],
        "tower": ["default", "depth", "real"],
    }
    assert found.machines[1].label == "The machine rack"


@pytest.mark.usefixtures("few_resamples")
def test_two_studies_that_share_a_name_alone_have_nothing_to_compare(tmp_path: Path) -> None:
    _, second = two(tmp_path)
    in_table(second, lambda rows: [row.update(cell=f"other-{row['cell']}") for row in rows])
    in_json(second, "graphs.json", lambda values: [one.update(id=f"other-{one['id']}") for one in values["graphs"]])
    pair = pair_of(tmp_path)
    assert pair.rows == 0
    assert {check(pair, id).word for id in ("graphs", "saved-bytes")} == {"not compared"}
    assert pair.ratios == pair.ratio_summaries == []
