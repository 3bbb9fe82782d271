"""A machine's published studies together: every policy of theirs, each convolution answered for by the widest study."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.planning import Planner
from gnn_checkpointing.planning.knowledge import together
from gnn_checkpointing.refusal import Refusal
from synthetic.planner import BLOCKED, STORED, knowledge, law

from .published import measured, planner


@pytest.fixture(scope="module")
def machine() -> Planner:
    return Planner(together([planner(study).knowledge for study in ("default", "prediction", "frontier")]))


def test_every_convolution_and_policy_of_the_studies_can_be_planned(machine: Planner) -> None:
    known = machine.knowledge
    assert {"GCN", "SAGE", "GATv2", "GAT", "EdgeConv", "GCN (spmm)"} <= set(known.convolutions)
    policies = {one.policy for one in known.policies if one.convolution == "GATv2"}
    assert {"none", "layers", "edge_blocks", "fused_edge_blocks", "compiled", "memory_budget(0.5)"} <= policies
    assert "compiled_edge_blocks" not in policies and "reversible" not in policies
    assert len({(one.convolution, one.policy) for one in known.policies}) == len(known.policies)


def test_policies_are_compared_within_the_study_that_reaches_furthest(machine: Planner) -> None:
    """The prediction study has 2.24 million edges, the default 204,800."""
    ours = {one.policy: one for one in machine.knowledge.policies if one.convolution == "GCN"}
    assert [ours[policy].activation.num_edges[1] for policy in ("none", "layers", "edge_blocks")] == [2_240_000] * 3


@pytest.mark.parametrize("degree", [8, 32, 128])
def test_among_all_policies_the_one_advised_was_measured_to_be_within_a_fifth_of_the_fastest(degree: int) -> None:
    """Each convolution of the frontier, on its own graphs, in a memory that holds all but the largest peaks."""
    cells: dict[str, dict[str, float]] = {}
    for row in measured("frontier"):
        same = not row.changes and not row.other_model and row.policy != "compiled_edge_blocks"
        if same and row.step_time_seconds and row.requested_average_degree == degree and row.is_drawn:
            cells.setdefault(row.convolution, {})[row.policy] = row.step_time_seconds
    right = 0
    for convolution, seconds in cells.items():
        plan = planner("frontier").plan(num_nodes=2000, num_edges=2000 * degree, convolution=convolution, memory_gib=24)
        right += seconds[plan.recommended] <= 1.2 * min(seconds.values())
    assert right >= 0.9 * len(cells)


def test_another_studys_policy_is_added_and_no_policy_is_answered_for_twice(tmp_path: Path) -> None:
    wide = {**STORED, "activation": law({"edges": {"rest": 1.0}}, num_edges=(1000, 10**6))}
    for name, one in (("default", knowledge(STORED, BLOCKED)), ("wide", knowledge(wide, study="wide"))):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / "planner.json", one.model_dump(mode="json"))
    found = Planner.read(tmp_path).knowledge
    assert [(one.policy, one.activation.num_edges[1]) for one in found.policies] == [
        ("none", 10**6),
        ("edge_blocks", 100_000),
    ]
    assert {limit.size: limit.high for limit in found.limits}["num_edges"] == 10**6


def test_a_folder_without_planners_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no study below it has a planner\.json with laws"):
        Planner.read(tmp_path)


def test_policies_of_a_narrower_study_are_named_where_their_bytes_are_extrapolated(machine: Planner) -> None:
    """The frontier has 2,000 nodes alone, the prediction study 2,000 to 12,000; beyond both, the limits warn of all."""
    asked = {"convolution": "GATv2", "memory_gib": 24}
    (warning,) = machine.plan(num_nodes=4000, num_edges=64_000, **asked).warnings
    assert re.fullmatch(r".*fused_edge_blocks.*: measured on graphs of other sizes alone, .* untested\.", warning)
    assert not any(name in warning.split(":")[0].split(", ") for name in ("none", "layers", "edge_blocks"))
    assert machine.plan(num_nodes=2000, num_edges=64_000, **asked).warnings == ()
    far = machine.plan(num_nodes=10**6, num_edges=10**8, **asked).warnings
    assert far and not any("other sizes alone" in one for one in far)


def test_a_policy_that_recomputes_takes_no_less_than_none_was_measured_to_take() -> None:
    """Blocks were timed up to 2,000 edges, none up to 100,000: their bound is that of none's largest graph."""
    narrow = {**BLOCKED, "seconds": law({"edges": {"layer_channels": 1e-9}}, num_edges=(1000, 2000))}
    plan = Planner(knowledge(STORED, narrow)).plan(num_nodes=1000, num_edges=900_000, convolution="GATv2", memory_gib=1)
    bounds = [plan.of(policy).time.at_least for policy in ("none", "edge_blocks")]
    assert bounds[0] == bounds[1] == pytest.approx(0.9 * 16e-9 * 100_000)
