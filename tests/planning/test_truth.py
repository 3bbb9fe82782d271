"""A planner against what was measured on real graphs that its laws never saw, and several studies as one planner."""

import re
from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.analysis.table import Row, grouped
from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.planning import Plan, Planner, PolicyPlan
from gnn_checkpointing.planning.knowledge import together
from gnn_checkpointing.refusal import Refusal
from synthetic.planner import BLOCKED, STORED, knowledge, law

from .published import measured, planner

HUGE = 1000.0


def asked(row: Row, memory_gib: float = HUGE, study: str = "prediction", **sizes: int) -> Plan:
    graph = {"num_nodes": row.num_nodes, "num_edges": row.num_edges}
    return planner(study).plan(**graph, convolution=row.convolution, memory_gib=memory_gib, **sizes)


def real_rows() -> list[Row]:
    """The rows on real graphs in the study that tries laws on them."""
    return [row for row in measured("prediction") if row.is_real]


def within(errors: list[float], fewest: int, usual: float, worst: float) -> bool:
    return len(errors) >= fewest and float(np.median(np.abs(errors))) <= usual and max(map(abs, errors)) <= worst


def bytes_of(row: Row) -> float:
    return row.resident_bytes + row.activation_bytes


def test_bytes_of_real_graphs_are_told_within_two_percent_at_the_median_and_five_at_worst() -> None:
    errors = [asked(row).of(row.policy).peak.estimate / bytes_of(row) - 1 for row in real_rows()]
    assert len(errors) == 45
    assert within(errors, 45, 0.02, 0.05)


@pytest.mark.parametrize("study", ["default", "prediction"])
def test_bytes_of_graphs_with_more_features_than_channels_are_told_as_well(study: str) -> None:
    """SAGE with blocks was once told 24 % too high: its first layer's messages as if beside all that is kept later."""
    errors = []
    for row in measured("real"):
        told = asked(row, study=study, num_layers=row.num_layers, num_features=row.num_features)
        errors.append(told.of(row.policy).peak.estimate / bytes_of(row) - 1)
    assert len(errors) == 99
    assert within(errors, 99, 0.02, 0.05)


def test_seconds_of_real_graphs_are_told_within_fifteen_percent_at_the_median_and_forty_at_worst() -> None:
    laws = {(one.convolution, one.policy): one.seconds for one in planner("prediction").knowledge.policies}
    errors = []
    for row in real_rows():
        fitted = laws[row.convolution, row.policy]
        if fitted.num_nodes[0] <= row.num_nodes <= fitted.num_nodes[1] and row.num_edges <= fitted.num_edges[1]:
            errors.append(asked(row).of(row.policy).seconds.estimate / row.step_time_seconds - 1)
    assert within(errors, 30, 0.15, 0.40)


def test_the_policy_that_is_advised_is_the_fastest_measured_that_fits_in_nine_of_ten() -> None:
    """Every graph and convolution, in a memory that holds all policies and in each that just leaves one out.

    Times within a tenth of each other are the same: two runs differ by as much.
    """
    right = tried = 0
    for cells in grouped(real_rows(), lambda row: (row.graph_label, row.convolution)).values():
        peaks = {row.policy: bytes_of(row) for row in cells}
        seconds = {row.policy: row.step_time_seconds or 0.0 for row in cells}
        for memory in (HUGE * 2**30, *(0.9 * peak for peak in peaks.values())):
            fitting = [policy for policy, peak in peaks.items() if peak <= memory]
            advised = asked(cells[0], memory / 2**30).recommended
            tried += 1
            if not fitting or advised is None:
                right += not fitting and advised is None
            else:
                right += advised in fitting and seconds[advised] <= 1.1 * min(seconds[one] for one in fitting)
    assert tried == 60
    assert right >= 0.9 * tried


def one(study: str, nodes: int, edges: int, convolution: str, policy: str) -> PolicyPlan:
    plan = planner(study).plan(num_nodes=nodes, num_edges=edges, convolution=convolution, memory_gib=HUGE)
    return plan.of(policy)


@pytest.mark.parametrize("convolution", ["GCN", "SAGE", "GATv2"])
def test_reddits_time_is_withheld_and_no_square_is_carried_on_to_hours(convolution: str) -> None:
    """None was once told to take 2.68 hours, and layers 58 seconds."""
    for policy in ("none", "layers", "edge_blocks"):
        found = one("default", 232_965, 114_615_892, convolution, policy)
        assert found.seconds is None
        assert found.time.at_least < 600


@pytest.mark.parametrize(
    ("study", "nodes", "edges", "convolution"),
    [
        ("default", 1600, 10**6, "GCN"),  # edge_blocks takes 1.30 times as long as none; it was advised
        ("default", 11_758, 1_038_000, "GCN"),  # tolokers: none 287 ms, edge_blocks 409; it was advised
        ("prediction", 11_758, 1_038_000, "GCN"),
        ("prediction", 1600, 10**6, "GCN"),  # at 2,000 nodes 0.87 with 540,000 edges, but 0.97 with 1,400,000
        ("default", 1600, 204_800, "SAGE"),
    ],
)
def test_none_is_advised_where_it_fits_and_recomputing_is_never_told_to_be_faster(
    study: str, nodes: int, edges: int, convolution: str
) -> None:
    plan = planner(study).plan(num_nodes=nodes, num_edges=edges, convolution=convolution, memory_gib=64)
    assert plan.recommended == "none"
    least = {each.policy: each.seconds.estimate if each.seconds else each.time.at_least for each in plan.policies}
    assert all(least[policy] >= least["none"] for policy in ("layers", "edge_blocks"))


@pytest.mark.parametrize("study", ["default", "prediction"])
def test_the_time_of_a_graph_of_the_size_of_acm_is_predicted_within_forty_percent(study: str) -> None:
    """The default study's square once predicted 3.03 seconds (2.29 to 3.77); 0.586 were measured.

    An edge of the study's largest graph took `then` on that day; the machine is not always as fast.
    """
    then = {"default": 0.279e-6, "prediction": 0.177e-6}[study]
    own = [row for row in measured(study) if (row.convolution, row.policy) == ("GCN", "none")]
    largest = max(own, key=lambda row: row.num_edges)
    wanted = 0.586 * largest.step_time_seconds / largest.num_edges / then
    assert one(study, 3025, 2_207_736, "GCN", "none").seconds.estimate == pytest.approx(wanted, rel=0.4)


@pytest.fixture(scope="module")
def machine() -> Planner:
    """A machine's published studies together."""
    return Planner(together([planner(study).knowledge for study in ("default", "prediction", "frontier")]))


def test_every_policy_of_the_studies_can_be_planned_and_is_compared_in_the_study_that_reaches_furthest(
    machine: Planner,
) -> None:
    """The prediction study has 2.24 million edges, the default 204,800; the frontier has policies that both lack."""
    assert {"GCN", "SAGE", "GATv2", "GAT", "EdgeConv", "GCN (spmm)"} <= set(machine.knowledge.convolutions)
    plan = machine.plan(num_nodes=2000, num_edges=300_000, convolution="GATv2", memory_gib=24)
    names = [found.policy for found in plan.policies]
    assert names[:3] == ["none", "layers", "edge_blocks"] and len(set(names)) == len(names)
    assert {"selective", "fused_edge_blocks"} <= set(names)
    assert not {"compiled_edge_blocks", "reversible"} & set(names)
    far = asked_of(machine, 9000, 2_000_000).of("none").time
    assert far.interval is not None and asked_of(planner("default"), 9000, 2_000_000).of("none").time.interval is None


def asked_of(one: Planner, nodes: int, edges: int, **model: int) -> Plan:
    return one.plan(num_nodes=nodes, num_edges=edges, convolution="GATv2", memory_gib=24, **model)


def test_a_model_that_a_study_measured_is_answered_for_by_that_study(machine: Planner) -> None:
    """The frontier's none takes 811 ms; scaled from the prediction study's smaller model it was told to take 1.29 s."""
    model = {"num_layers": 9, "hidden_channels": 64, "num_features": 64}
    found = asked_of(machine, 2000, 256_000, **model)
    assert found.policies == asked_of(planner("frontier"), 2000, 256_000, **model).policies
    assert found.warnings == ()
    assert asked_of(machine, 1600, 204_800).of("none") == asked_of(planner("default"), 1600, 204_800).of("none")


@pytest.mark.parametrize(
    ("model", "dropout", "left_out", "why"),
    [
        ({"num_layers": 4}, False, {"compiled", "memory_budget(0)", "segments(5)"}, "layers, channels and heads alone"),
        ({"num_layers": 9}, True, {"compiled", "memory_budget(0)"}, "other masks of dropout"),
        ({"num_layers": 2}, False, {"segments(3)", "segments(5)", "compiled"}, "at least one layer"),
    ],
)
def test_what_cannot_be_applied_or_is_not_known_of_another_model_is_left_out(
    model: dict[str, int], dropout: bool, left_out: set[str], why: str
) -> None:
    """The compiler's bytes of SAGE-max with 4 layers of 32 channels were told 2.3 times too high, others too low."""
    plan = planner("frontier").plan(
        num_nodes=2000, num_edges=256_000, convolution="GATv2", memory_gib=24, attention_dropout=dropout, **model
    )
    assert not left_out & {found.policy for found in plan.policies}
    assert any(why in warning and all(name in "".join(plan.warnings) for name in left_out) for warning in plan.warnings)


def test_of_ten_cases_nine_are_advised_a_policy_measured_within_a_fifth_of_the_fastest() -> None:
    """Each convolution and density of the frontier, in a memory that holds all but the largest peaks."""
    cells: dict[tuple[str, float | None], dict[str, float]] = {}
    for row in measured("frontier"):
        same = not row.changes and not row.other_model
        if same and row.step_time_seconds and row.requested_average_degree in (8, 32, 128) and row.is_drawn:
            place = row.convolution, row.requested_average_degree
            cells.setdefault(place, {})[row.policy] = row.step_time_seconds
    right = 0
    for (convolution, degree), seconds in cells.items():
        num_edges = round(2000 * (degree or 0))
        plan = planner("frontier").plan(num_nodes=2000, num_edges=num_edges, convolution=convolution, memory_gib=24)
        right += seconds[plan.recommended] <= 1.2 * min(seconds.values())
    assert len(cells) == 18
    assert right >= 0.9 * len(cells)


def test_another_studys_policy_is_added_and_no_policy_is_answered_for_twice(tmp_path: Path) -> None:
    with pytest.raises(
        Refusal, match=r"no study below it has a planner\.json with laws; name the report/<hardware> of a"
    ):
        Planner.read(tmp_path)
    wide = {**STORED, "activation": law({"edges": {"rest": 1.0}}, num_edges=(1000, 10**6))}
    for name, one in (("default", knowledge(STORED, BLOCKED)), ("wide", knowledge(wide, study="wide"))):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / "planner.json", one.model_dump(mode="json"))
    found = asked_of(Planner.read(tmp_path), 1000, 500_000)
    assert [one.policy for one in found.policies] == ["none", "edge_blocks"]
    assert found.of("none").time == asked_of(Planner(knowledge(wide)), 1000, 500_000).of("none").time
    assert Planner.read(tmp_path / "wide") == Planner.read(tmp_path / "wide" / "planner.json")


def test_policies_of_a_narrower_study_are_named_where_their_bytes_are_extrapolated(machine: Planner) -> None:
    """The frontier has 2,000 nodes alone, the prediction study 2,000 to 12,000; beyond both, a limit warns of all."""
    narrow = [text for text in asked_of(machine, 4000, 64_000).warnings if "other sizes alone" in text]
    (warning,) = narrow
    assert re.fullmatch(r".*fused_edge_blocks.*: measured on graphs of other sizes alone, .* untested\.", warning)
    assert not any(name in warning.split(":")[0].split(", ") for name in ("none", "layers", "edge_blocks"))
    models = re.findall(r"measured on a model of (\d+) layers", " ".join(asked_of(machine, 4000, 64_000).warnings))
    assert models == ["3", "9"]
    far = asked_of(machine, 10**6, 10**8).warnings
    assert far[0].startswith("Step times of graphs of 2,000 to 12,000 nodes") and not any(
        "other sizes alone" in one for one in far
    )


def test_a_policy_that_recomputes_takes_no_less_than_none_was_measured_to_take() -> None:
    """Blocks were timed up to 2,000 edges, none up to 100,000: their bound is that of none's largest graph."""
    narrow = {**BLOCKED, "seconds": law({"edges": {"layer_channels": 1e-9}}, num_edges=(1000, 2000))}
    plan = Planner(knowledge(STORED, narrow)).plan(num_nodes=1000, num_edges=900_000, convolution="GATv2", memory_gib=1)
    bounds = [plan.of(policy).time.at_least for policy in ("none", "edge_blocks")]
    assert bounds[0] == bounds[1] == pytest.approx(0.9 * 16e-9 * 100_000)
