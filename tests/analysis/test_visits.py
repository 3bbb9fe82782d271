"""A cell that is visited again tells how far runs differ, and is counted once by all else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gnn_checkpointing.analysis.analyse import analyse, analysis_files
from gnn_checkpointing.analysis.estimates import RATIO_KNOWN, SECONDS_KNOWN, run_to_run
from gnn_checkpointing.analysis.results import RunToRun
from synthetic.changes import with_visits
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import Table, table
from synthetic.tables import protocol, trainings

OF_INTERVALS = ("run_to_run", "slower", "faster", "certain", "open", "side", "changes")
"""What is read off the ends of intervals, and so may change as they become wider."""


@pytest.fixture(scope="module")
def rows() -> Table:
    graphs = [*generated_graphs((500, 1000), (4.0, 16.0, 64.0), 2), *real_graphs()]
    return table(0, graphs, convolutions=("GCN", "GATv2"))


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield name, value
    for key, part in parts:
        if key not in OF_INTERVALS:
            yield from leaves(part, f"{name}/{key}")


def test_visits_change_nothing_but_the_widths_of_intervals_of_time(rows: Table) -> None:
    again = with_visits(rows, [str(row["graph"]) for row in rows[:6]], deviation=0.2)
    assert len(again) > len(rows)
    once, twice = (
        {name: json.loads(text) for name, text in analysis_files(analyse(each, trainings(), protocol())).items()}
        for each in (rows, again)
    )
    for name in once:
        first, second = dict(leaves(once[name])), dict(leaves(twice[name]))
        moved = {place for place in first.keys() | second.keys() if first.get(place) != second.get(place)}
        assert all(place.endswith(("low", "high")) for place in moved), name
        assert moved == set() or name in ("effects.json", "trends.json", "robustness.json")
    widths = [
        [
            row["time_ratio"]["high"] / row["time_ratio"]["low"]
            for row in each["effects.json"]["rows"]
            if row["time_ratio"]
        ]
        for each in (once, twice)
    ]
    assert all(wide > narrow for narrow, wide in zip(*widths, strict=True))


def test_in_the_turns_of_visits_the_machine_was_not_idle(rows: Table) -> None:
    """The last cell moves a day back; of the hours between, those in which the first was visited were not idle."""
    alone = {"again_started": "", "again_ended": ""}
    late = {"started": "2026-03-01T00:00:00+00:00", "ended": "2026-03-01T00:00:03+00:00"}
    visited = {"visit": 1, "started": "2026-02-01T00:00:00+00:00", "ended": "2026-02-01T05:00:00+00:00"}
    first = [*rows[:-3], *({**row, **late, **alone} for row in rows[-3:])]
    visits = [{**row, **visited, **alone} for row in rows[:3]]
    without, having = (analyse(each, [], protocol()).quality.run for each in (first, [*first, *visits]))
    assert without.idle_seconds - having.idle_seconds == pytest.approx(5 * 3600)
    assert having.model_copy(update={"idle_seconds": 0}) == without.model_copy(update={"idle_seconds": 0})


def deviations(cells: int, visits: int, deviation: float) -> RunToRun:
    graphs = generated_graphs(num_nodes=(500,), replicates=7)[:cells]
    rows = table(5, graphs, convolutions=("GCN",), policies=("none", "layers"), noise=0.0)
    again = with_visits(rows, [graph.id for graph in graphs], visits=visits, deviation=deviation)
    return run_to_run(again, "retaining")


def test_visits_that_differ_more_than_two_runs_do_are_taken_as_they_were_measured() -> None:
    """40 cells visited three times; the pooled deviation of 80 degrees of freedom is within 25 % of the true one."""
    run = deviations(40, 2, 0.2)
    assert run.deviation == run.measured == pytest.approx(0.2, rel=0.25)
    # Steps of none and of the policy are shifted apart from each other here, and their mean variance is taken.
    assert run.seconds_deviation == run.level_deviation == pytest.approx(0.2, rel=0.25)
    assert run.degrees_of_freedom == run.level_degrees_of_freedom == 80
    few = deviations(2, 1, 1.0)
    assert few.deviation == few.measured > RATIO_KNOWN
    assert few.degrees_of_freedom == 2


def test_what_slows_the_sentinel_alike_is_no_deviation_of_laws_in_its_units() -> None:
    """Each visit off by its own factor of about 30 %, and the sentinel with it: laws in its units know none of it."""
    rows = table(5, generated_graphs((500,), replicates=1), convolutions=("GCN",), noise=0.0)
    again = with_visits(rows, [str(row["graph"]) for row in rows], deviation=0.3)
    slowed = [{**row, "sentinel_seconds": 0.1 * float(row["step_time_seconds"] or 0)} for row in again]
    assert run_to_run(slowed, "retaining", in_sentinels=True).seconds_deviation == SECONDS_KNOWN
    run = run_to_run(slowed, "retaining")
    assert run.seconds_deviation == run.level_deviation > 0.2


@pytest.mark.parametrize(("cells", "visits"), [(0, 0), (5, 1), (40, 2)])
def test_visits_of_one_run_narrow_no_interval(cells: int, visits: int) -> None:
    run = deviations(cells, visits, 0.001)
    assert (run.deviation, run.degrees_of_freedom) == (RATIO_KNOWN, None)
    assert (run.seconds_deviation, run.level_degrees_of_freedom) == (SECONDS_KNOWN, None)
    assert (run.measured is None) == (cells == 0)
