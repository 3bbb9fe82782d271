"""Was the machine the measurement's alone, was everything measured that was planned, and is every failure told?"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from statistics import correlation

from gnn_checkpointing.analysis.checks import moment
from gnn_checkpointing.analysis.quality import NOT_FAILED
from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.audit.inputs import AuditInputs, place
from gnn_checkpointing.audit.question import Answer, asks, no_offender, not_applicable, percent
from gnn_checkpointing.records.measurements_table import hosts
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import GeneratedGraph, study_graphs
from gnn_checkpointing.study.practice import PRACTICE

SHARED = "the machine was shared"
"""The words with which a record warns of other load (`measurement/record_warnings.py`)."""
LARGEST_CORRELATION, LARGEST_DRIFT = 0.5, 0.02
FEWEST_GRAPHS = 10
"""A random order of fewer graphs is often correlated with their density by chance."""

PLACE = 1


@asks(
    "cells-alone",
    "Was each cell alone on the machine?",
    "No cell began before an earlier one had ended.",
)
def cells_alone(inputs: AuditInputs) -> Answer:
    # An earlier one of its own machine: the nodes of a cluster measure at the same time.
    spans = sorted(
        (hosts(row)[0], moment(str(row["started"]), "started", cell), moment(str(row["ended"]), "ended", cell), cell)
        for cell, row in inputs.cells.items()
    )
    overlapping: list[str] = []
    latest: dict[str, datetime] = {}
    for host, started, ended, cell in spans:
        if host in latest and started < latest[host]:
            overlapping.append(cell)
        latest[host] = max(latest.get(host, ended), ended)
    return no_offender(overlapping, len(spans), "cells overlapped another", "measurements.csv: started, ended")


@asks(
    "nothing-else-ran",
    "Was the machine free of other load?",
    "No record warns that the machine was shared: of too high a load, or of a processor taken away too often.",
)
def nothing_else_ran(inputs: AuditInputs) -> Answer:
    shared = [cell for cell, row in inputs.cells.items() if SHARED in str(row["warnings"] or "")]
    what = "cells warn that the machine was shared"
    return no_offender(sorted(shared), len(inputs.cells), what, "measurements.csv: warnings")


@asks(
    "everything-measured",
    "Was everything measured that was planned?",
    "The table has one row for each cell and policy of the study's design, and no other.",
)
def everything_measured(inputs: AuditInputs) -> Answer:
    planned = {
        (cell.id, policy)
        for spec in study_graphs(inputs.study)
        for cell in graph_cells(inputs.study, spec)
        for policy in inputs.study.policies
    }
    rows = Counter((str(row["cell"]), str(row["policy"])) for row in inputs.rows)
    missing, besides = sorted(planned - rows.keys()), sorted(rows.keys() - planned)
    doubled = sorted(key for key, times in rows.items() if times > 1)
    wrong = [*missing, *besides, *doubled]
    found = (
        f"{len(missing)} of {len(planned)} rows missing, {len(besides)} outside the design, {len(doubled)} twice"
        + (f"; the first: {', '.join(wrong[0])}" if wrong else "")
    )
    return Answer(
        not wrong,
        found,
        "study.json: graphs, architecture, policies; measurements.csv: cell, policy",
    )


@asks(
    "design-balanced",
    "Is the design balanced?",
    "Every size and degree of timed generated graphs was drawn equally often, and measured with each convolution.",
)
def design_balanced(inputs: AuditInputs) -> Answer:
    places = _draws(inputs)
    names = {name for found in places.values() for name in found}
    usual = max((len(graphs) for found in places.values() for graphs in found.values()), default=0)
    uneven = [
        f"{family}, {nodes} nodes, degree {degree:g}"
        for (family, nodes, degree), found in sorted(places.items())
        if set(found) != names or any(len(graphs) != usual for graphs in found.values())
    ]
    what = f"sizes and degrees lack a draw (of {usual}) or a convolution (of {len(names)})"
    fields = "family, num_nodes, requested_average_degree, convolution"
    return no_offender(uneven, len(places), what, f"measurements.csv: {fields}", "the study times no generated graphs")


@asks(
    "order-random",
    "Is the order of measurement unrelated to density?",
    "Order and average degree have a rank correlation below 0.5 either way, and none that matters while times drift.",
)
def order_unrelated_to_density(inputs: AuditInputs) -> Answer:
    first: dict[str, tuple[float, float]] = {}
    for row in inputs.rows:
        if row["allocator"] == inputs.reference:
            started = moment(str(row["started"]), "started", str(row["cell"])).timestamp()
            begun = (started, float(row["average_degree"] or 0.0))
            first[str(row["graph"])] = min(begun, first.get(str(row["graph"]), begun))
    starts, degrees = [start for start, _ in first.values()], [degree for _, degree in first.values()]
    if len(first) < FEWEST_GRAPHS or min(len(set(starts)), len(set(degrees))) < 2:
        return not_applicable(f"fewer than {FEWEST_GRAPHS} graphs, or all of one density: any order will do")
    found = rank_correlation(starts, degrees)
    # Under a random order a rank correlation is about normal, of variance 1 / (n - 1).
    p_value = math.erfc(abs(found) * math.sqrt((len(first) - 1) / 2))
    level = 1 - inputs.study.analysis.confidence
    drifts = [one.change.estimate for one in inputs.findings.robustness.drift if one.p_value < level]
    drift = max(drifts, key=abs, default=0.0)
    confounded = p_value < level and abs(drift) >= LARGEST_DRIFT
    return Answer(
        abs(found) < LARGEST_CORRELATION and not confounded,
        f"rank correlation {found:.2f} over {len(first)} graphs (p = {p_value:.2g}), while residuals drift by up to "
        f"{percent(drift)} over the run",
        "measurements.csv: started, average_degree; analysis/robustness.json: drift",
    )


@asks(
    "failures-listed",
    "Is every failure listed?",
    "The list of failures has exactly the rows of the table that ran out of memory or time, or failed.",
)
def failures_listed(inputs: AuditInputs) -> Answer:
    failed = {place(row) for row in inputs.rows if row["outcome"] not in NOT_FAILED}
    listed = {f"{failure.get('cell')}, {failure.get('policy')}" for failure in inputs.findings.quality.failures}
    if not failed and not listed:
        return not_applicable("nothing failed, and nothing is listed")
    differing = sorted(failed ^ listed)
    what = "failures stand in the table or in the list alone"
    evidence = "measurements.csv: outcome; analysis/quality.json: failures"
    return no_offender(differing, len(failed | listed), what, evidence)


@asks(
    "outcomes-explained",
    "Does everything that did not run say why?",
    "Every row that is not completed (failed, refused or unavailable) has a message that says why.",
)
def outcomes_explained(inputs: AuditInputs) -> Answer:
    absent = [row for row in inputs.rows if row["outcome"] != "completed"]
    silent = [place(row) for row in absent if not str(row["message"] or "").strip()]
    return no_offender(
        silent,
        len(absent),
        "rows that did not complete give no reason",
        "measurements.csv: message",
        "every measurement ran to its end",
    )


def rank_correlation(some: Sequence[float], others: Sequence[float]) -> float:
    """Return Spearman's rank correlation: Pearson's of the ranks."""
    return correlation(_ranks(some), _ranks(others))


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the place of each value in order; equal ones share the mean of their places."""
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value) - 1) / 2 for value in values]


def _draws(inputs: AuditInputs) -> dict[tuple[str, int, float], dict[str, set[str]]]:
    """Return the graphs measured at each family, size and degree that the study times, by series."""
    drawn = [spec for spec in study_graphs(inputs.study) if isinstance(spec, GeneratedGraph)]
    left_out = {spec.id for spec in drawn if not spec.timed or spec.large}
    places: dict[tuple[str, int, float], dict[str, set[str]]] = {}
    for row in inputs.rows:
        degree, graph = row["requested_average_degree"], str(row["graph"])
        if degree is None or graph in left_out or row["model"] == PRACTICE or row["allocator"] != inputs.reference:
            continue
        key = (str(row["family"]), int(row["num_nodes"] or 0), float(degree))
        places.setdefault(key, {}).setdefault(series(row), set()).add(graph)
    return places
