"""Is it known what was measured, on which machine, and how well: alone, complete, balanced, timed as asked?"""

import math
import re
from collections import Counter
from datetime import datetime
from functools import partial
from statistics import median

from scipy.stats import spearmanr

from gnn_checkpointing.analysis.table import moment, series
from gnn_checkpointing.audit import Answer, Found, Named, at_least, at_most, no_offender, percent
from gnn_checkpointing.records.jobs import REORDERED
from gnn_checkpointing.records.measurements_table import hosts, number, numbers
from gnn_checkpointing.report.run_folder import RunFolder, place
from gnn_checkpointing.study.design import graph_cells, trained_graphs
from gnn_checkpointing.study.graph_design import GeneratedGraph, study_graphs
from gnn_checkpointing.study.settings import PRACTICE

SHARED = "the machine was shared"
"""Words of a record's warning of other load on the machine (`measurement/readings.py`)."""
LARGEST_CORRELATION, ORDER_DRIFT = 0.5, 0.02
FEWEST_GRAPHS = 10
"""A random order of fewer graphs is often correlated with their density by chance."""

WORST_OVER_TARGET = 3
"""Cells whose time budget ended first may have intervals up to three times as wide as the study aims for."""
LEAST_REPEATED = 0.9
FEWEST_PROCESSES = 2
"""One process says nothing about the variation between processes."""
LARGEST_DRIFT = 0.05

VERSIONS = ("torch", "torch-geometric", "numpy", "python")
"""Of the facts in `hardware.json`, those that decide which tensors are kept."""

NAMED = (
    *("processor", "cores", "memory", "operating system", "kernel", "C library", "clock governor"),
    *("compute threads", "allocators"),
)
NOT_STATED = "not stated"
"""Beginning of the text that stands for a source or licence that was not stated (`study/graph_entries.py`)."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def cells_alone(run: RunFolder) -> Named:
    # Only cells of one machine are compared: the nodes of a cluster measure at the same time.
    spans = sorted(
        (hosts(row)[0], moment(str(row["started"]), "started", cell), moment(str(row["ended"]), "ended", cell), cell)
        for cell, row in run.cells.items()
    )
    latest: dict[str, datetime] = {}
    for host, started, ended, cell in spans:
        yield cell, host in latest and started < latest[host]
        latest[host] = max(latest.get(host, ended), ended)


def nothing_else_ran(run: RunFolder) -> Named:
    return ((cell, SHARED in str(row["warnings"] or "")) for cell, row in sorted(run.cells.items()))


def everything_measured(run: RunFolder) -> Answer:
    planned = {
        (cell.id, policy)
        for spec in study_graphs(run.study)
        for cell in graph_cells(run.study, spec)
        for policy in run.study.policies
    }
    rows = Counter((str(row["cell"]), str(row["policy"])) for row in run.rows)
    missing, besides = sorted(planned - rows.keys()), sorted(rows.keys() - planned)
    doubled = sorted(key for key, times in rows.items() if times > 1)
    wrong = [*missing, *besides, *doubled]
    words = f"{len(missing)} of {len(planned)} rows missing, {len(besides)} outside the design, {len(doubled)} twice"
    return Answer(not wrong, words + (f"; the first: {', '.join(wrong[0])}" if wrong else ""))


def design_balanced(run: RunFolder) -> Found:
    drawn = [spec for spec in study_graphs(run.study) if isinstance(spec, GeneratedGraph)]
    left_out = {spec.id for spec in drawn if not spec.timed or spec.large}
    places: dict[tuple[str, int, float], dict[str, set[str]]] = {}
    for row in run.rows:
        degree, graph = row["requested_average_degree"], str(row["graph"])
        if degree is None or graph in left_out or row["model"] == PRACTICE or row["allocator"] != run.reference:
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


def order_random(run: RunFolder) -> Found:
    first: dict[str, tuple[float, float]] = {}
    for row in run.rows:
        if row["allocator"] == run.reference:
            started = moment(str(row["started"]), "started", str(row["cell"])).timestamp()
            begun = (started, float(row["average_degree"] or 0.0))
            first[str(row["graph"])] = min(begun, first.get(str(row["graph"]), begun))
    starts, degrees = [start for start, _ in first.values()], [degree for _, degree in first.values()]
    if len(first) < FEWEST_GRAPHS or min(len(set(starts)), len(set(degrees))) < 2:
        return f"fewer than {FEWEST_GRAPHS} graphs, or all of one density: any order will do"
    rho = float(spearmanr(starts, degrees).statistic)
    # Under a random order a rank correlation is approximately normal with variance 1 / (n - 1).
    p_value = math.erfc(abs(rho) * math.sqrt((len(first) - 1) / 2))
    level = 1 - run.study.analysis.confidence
    drifts = [one.change.estimate for one in run.findings.robustness.drift if one.p_value < level]
    drift = max(drifts, key=abs, default=0.0)
    confounded = p_value < level and abs(drift) >= ORDER_DRIFT
    return Answer(
        abs(rho) < LARGEST_CORRELATION and not confounded,
        f"rank correlation {rho:.2f} over {len(first)} graphs (p = {p_value:.2g}), while residuals drift by up to "
        f"{percent(drift)} over the run",
    )


def outcomes_explained(run: RunFolder) -> Named:
    absent = (row for row in run.rows if row["outcome"] != "completed")
    return ((place(row), not str(row["message"] or "").strip()) for row in absent)


def rounds_enough(run: RunFolder) -> Found:
    fewest = run.study.measurement.rounds.at_least
    own = {
        spec.id: spec.rounds[0]
        for spec in (study_graphs(run.study) if run.study.graphs.large else ())
        if isinstance(spec, GeneratedGraph) and spec.rounds
    }
    named = ((place(row), (number(row, "rounds") or 0) < own.get(str(row["graph"]), fewest)) for row in run.timed)
    return no_offender(named, f"rows were timed for fewer than {fewest} rounds")


def processes_enough(run: RunFolder) -> Named:
    return ((place(row), (number(row, "processes") or 1) < FEWEST_PROCESSES) for row in run.timed)


def repeats_agree(run: RunFolder) -> Found:
    first = {(row["cell"], row["policy"]): row for row in run.timed if row["policy"] != "none"}
    pairs = [(row, first[key]) for row in run.repeats if (key := (row["cell"], row["policy"])) in first]
    ends = [[numbers(row, "time_ratio_low", "time_ratio_high") for row in pair] for pair in pairs]
    known = [(again, one) for again, one in ends if again and one]
    if not known:
        return None
    apart = sum(again[0] > one[1] or one[0] > again[1] for again, one in known)
    what = f"share of {len(known)} repeated time ratios whose interval meets the first one"
    return at_least(1 - apart / len(known), LEAST_REPEATED, what)


def _width(run: RunFolder, which: str, times: float, what: str) -> Found:
    if not any(row["policy"] != "none" and row["time_ratio"] is not None for row in run.timed):
        return None
    width = getattr(run.findings.quality, f"{which}_half_width")
    return at_most(width, times * run.study.measurement.ratio_half_width, what)


usual_width = partial(_width, which="median", times=1, what="median half-width")
worst_width = partial(_width, which="worst", times=WORST_OVER_TARGET, what="widest half-width")


def machine_steady(run: RunFolder) -> Found:
    drift = run.findings.quality.sentinel_drift
    return at_most(drift.median, LARGEST_DRIFT, "median drift") if drift else None


def no_page_faults(run: RunFolder) -> Found:
    if run.reference != "retaining":
        return "the reference allocator may give freed memory back, so that steps fault"
    rows = [row for row in run.timed if row["allocator"] == run.reference]
    faults = [value for row in rows if (value := number(row, "page_faults")) is not None]
    if not faults:
        return None
    above = sum(value > 0 for value in faults)
    words = f"median {median(faults):g} faults a step; {above} of {len(faults)} rows above 0"
    return Answer(median(faults) == 0, words)


def graphs_checksummed(run: RunFolder) -> Named:
    checksums = {graph.id: graph.sha256 for graph in run.graphs}
    measured = sorted({str(row["graph"]) for row in run.rows})
    return ((graph, not _SHA256.fullmatch(checksums.get(graph, ""))) for graph in measured)


def draws_differ(run: RunFolder) -> Named:
    drawn = [graph for graph in run.graphs if graph.requested_average_degree is not None]
    times = Counter(graph.sha256 for graph in drawn)
    return ((graph.id, times[graph.sha256] > 1) for graph in drawn if len(drawn) > 1)


def real_documented(run: RunFolder) -> Named:
    for graph in run.graphs:
        known = graph.provenance
        words = [known.source, known.licence] if known else [""]
        if graph.family == "real":
            yield graph.id, any(not text.strip() or text.startswith(NOT_STATED) for text in words)


def machine_described(run: RunFolder) -> Named:
    facts = {name: run.machine.facts.get(name, "") for name in NAMED}
    return ((name, not fact.strip() or fact.startswith("unknown")) for name, fact in facts.items())


def versions_recorded(run: RunFolder) -> Named:
    return ((name, not run.machine.facts.get(name, "")[:1].isdigit()) for name in VERSIONS)


def control_trained(run: RunFolder) -> Named:
    trained = {(job.graph, job.convolution) for job in run.findings.accuracy if job.policy == REORDERED}
    for spec in trained_graphs(run.study):
        for convolution in run.study.architecture.convolutions:
            yield f"{convolution} on {spec.id}", (spec.id, convolution) not in trained
