"""Was the machine the measurement's alone, was everything measured that was planned, and is every failure told?"""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime

from scipy.stats import spearmanr

from gnn_checkpointing.analysis.checks import moment
from gnn_checkpointing.analysis.quality import NOT_FAILED
from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.audit.inputs import AuditInputs, place
from gnn_checkpointing.audit.rubric import Answer, Named, no_offender, not_applicable, percent
from gnn_checkpointing.records.measurements_table import hosts
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import GeneratedGraph, study_graphs
from gnn_checkpointing.study.settings import PRACTICE

SHARED = "the machine was shared"
"""The words with which a record warns of other load (`measurement/record_warnings.py`)."""
LARGEST_CORRELATION, LARGEST_DRIFT = 0.5, 0.02
FEWEST_GRAPHS = 10
"""A random order of fewer graphs is often correlated with their density by chance."""


def cells_alone(inputs: AuditInputs) -> Named:
    # Against an earlier one of its own machine: the nodes of a cluster measure at the same time.
    spans = sorted(
        (hosts(row)[0], moment(str(row["started"]), "started", cell), moment(str(row["ended"]), "ended", cell), cell)
        for cell, row in inputs.cells.items()
    )
    latest: dict[str, datetime] = {}
    for host, started, ended, cell in spans:
        yield cell, host in latest and started < latest[host]
        latest[host] = max(latest.get(host, ended), ended)


def nothing_else_ran(inputs: AuditInputs) -> Named:
    return ((cell, SHARED in str(row["warnings"] or "")) for cell, row in sorted(inputs.cells.items()))


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
    words = f"{len(missing)} of {len(planned)} rows missing, {len(besides)} outside the design, {len(doubled)} twice"
    return Answer(not wrong, words + (f"; the first: {', '.join(wrong[0])}" if wrong else ""))


def design_balanced(inputs: AuditInputs) -> Answer:
    drawn = [spec for spec in study_graphs(inputs.study) if isinstance(spec, GeneratedGraph)]
    left_out = {spec.id for spec in drawn if not spec.timed or spec.large}
    places: dict[tuple[str, int, float], dict[str, set[str]]] = {}
    for row in inputs.rows:
        degree, graph = row["requested_average_degree"], str(row["graph"])
        if degree is None or graph in left_out or row["model"] == PRACTICE or row["allocator"] != inputs.reference:
            continue
        key = (str(row["family"]), int(row["num_nodes"] or 0), float(degree))
        places.setdefault(key, {}).setdefault(series(row), set()).add(graph)
    names = {name for there in places.values() for name in there}
    usual = max((len(graphs) for there in places.values() for graphs in there.values()), default=0)
    named = (
        (f"{family}, {nodes} nodes, degree {degree:g}", set(there) != names or {*map(len, there.values())} != {usual})
        for (family, nodes, degree), there in sorted(places.items())
    )
    what = f"sizes and degrees lack a draw (of {usual}) or a convolution (of {len(names)})"
    return no_offender(named, what)


def order_random(inputs: AuditInputs) -> Answer:
    first: dict[str, tuple[float, float]] = {}
    for row in inputs.rows:
        if row["allocator"] == inputs.reference:
            started = moment(str(row["started"]), "started", str(row["cell"])).timestamp()
            begun = (started, float(row["average_degree"] or 0.0))
            first[str(row["graph"])] = min(begun, first.get(str(row["graph"]), begun))
    starts, degrees = [start for start, _ in first.values()], [degree for _, degree in first.values()]
    if len(first) < FEWEST_GRAPHS or min(len(set(starts)), len(set(degrees))) < 2:
        return not_applicable(f"fewer than {FEWEST_GRAPHS} graphs, or all of one density: any order will do")
    rho = float(spearmanr(starts, degrees).statistic)
    # Under a random order a rank correlation is about normal, of variance 1 / (n - 1).
    p_value = math.erfc(abs(rho) * math.sqrt((len(first) - 1) / 2))
    level = 1 - inputs.study.analysis.confidence
    drifts = [one.change.estimate for one in inputs.findings.robustness.drift if one.p_value < level]
    drift = max(drifts, key=abs, default=0.0)
    confounded = p_value < level and abs(drift) >= LARGEST_DRIFT
    return Answer(
        abs(rho) < LARGEST_CORRELATION and not confounded,
        f"rank correlation {rho:.2f} over {len(first)} graphs (p = {p_value:.2g}), while residuals drift by up to "
        f"{percent(drift)} over the run",
    )


def failures_listed(inputs: AuditInputs) -> Named:
    failed = {place(row) for row in inputs.rows if row["outcome"] not in NOT_FAILED}
    listed = {f"{failure.get('cell')}, {failure.get('policy')}" for failure in inputs.findings.quality.failures}
    return ((name, name in failed ^ listed) for name in sorted(failed | listed))


def outcomes_explained(inputs: AuditInputs) -> Named:
    absent = (row for row in inputs.rows if row["outcome"] != "completed")
    return ((place(row), not str(row["message"] or "").strip()) for row in absent)
