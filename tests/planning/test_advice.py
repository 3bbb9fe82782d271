"""What a machine's planner advises for every published cell, in memories that hold a policy or leave it out."""

from functools import cache

import pytest

from gnn_checkpointing import planning
from gnn_checkpointing.analysis.table import Row, grouped
from gnn_checkpointing.planning import Planner
from gnn_checkpointing.planning.knowledge import together

from .published import measured, planner

LAWS = ("default", "prediction", "frontier", "ego")


@cache
def machine(without: str = "") -> Planner:
    """The laws of all studies but one; what was measured on the very graph is not known to them."""
    return Planner(together([planner(study).knowledge for study in LAWS if study != without]))


def of(one: Planner, convolution: str, policies: frozenset[str]) -> Planner:
    """The planner that knows these policies alone."""
    own = [each for each in one.knowledge.policies if each.convolution == convolution and each.policy in policies]
    return Planner(one.knowledge.model_copy(update={"policies": own}))


def is_right(one: Planner, cells: dict[str, Row], memory: float) -> bool:
    """Whether the policy advised fits and took at most a tenth longer than the fastest: two runs differ by as much."""
    row = next(iter(cells.values()))
    sizes = {name: getattr(row, name) for name in ("num_layers", "hidden_channels", "heads", "num_features")}
    graph = {"num_nodes": row.num_nodes, "num_edges": row.num_edges}
    advised = one.plan(**graph, **sizes, convolution=row.convolution, memory_gib=memory / 2**30).recommended
    fitting = {name: each.step_time_seconds for name, each in cells.items() if peak(each) <= memory}
    if not fitting or advised is None:
        return not fitting and advised is None
    return advised in fitting and fitting[advised] <= 1.1 * min(fitting.values())


def peak(row: Row) -> int:
    return row.resident_bytes + row.activation_bytes


@pytest.mark.parametrize(
    ("study", "without", "fewest"),
    [
        ("default", "", 600),
        ("real", "", 190),
        ("frontier", "", 500),
        ("batches", "", 300),
        ("ego", "", 240),
        ("default", "default", 600),
        ("prediction", "prediction", 370),
        ("ego", "ego", 120),
    ],
)
def test_of_ten_questions_nine_are_advised_the_fastest_policy_that_fits(
    study: str, without: str, fewest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 0.9 and 1.15 of each policy's peak; also where laws of other studies alone are known."""
    monkeypatch.setattr(planning, "largest", lambda *_: None)  # takes most of the time, and decides nothing
    known = set(machine(without).knowledge.convolutions)
    timed = [row for row in measured(study) if row.step_time_seconds and not row.other_model and not row.model]
    right = tried = 0
    for rows in grouped(timed, lambda row: (row.graph, row.convolution, row.num_features)).values():
        cells = {row.policy: row for row in rows}
        if rows[0].convolution in known and "none" in cells:
            one = of(machine(without), rows[0].convolution, frozenset(cells))
            asked = [share * peak(row) for row in rows for share in (0.9, 1.15)]
            right += sum(is_right(one, cells, memory) for memory in asked)
            tried += len(asked)
    assert tried >= fewest
    assert right >= 0.9 * tried, f"{right} of {tried}"
