"""Is everything there once, as the study asks for it? Do table, graphs and traces agree with the records?"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import islice

from gnn_checkpointing.collecting import trace_facts, traced_cells
from gnn_checkpointing.collecting.rows import table_rows
from gnn_checkpointing.measurement.hardware import differences
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.records.jobs import REORDERED
from gnn_checkpointing.records.measurements_table import COLUMNS, HOSTS, Value
from gnn_checkpointing.records.policy import Memory
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.study.design import graph_cells, trained_graphs, training_cell, visits
from gnn_checkpointing.study.graph_design import GeneratedGraph, LoadedGraph, encoded_graphs, study_graphs

_TOLERANCE = 1e-9
"""Relative tolerance for medians and bootstrap intervals of the same numbers under another version of a library."""

_FACTORS = ("graph", "convolution", "aggregation", "model", "allocator", "timed", "seed")
_SIZES = ("num_layers", "hidden_channels", "heads")
_DRAWN = ("family", "num_nodes", "num_edges", "replicate")


def names(run: RunFolder) -> Iterator[str]:
    """Yield complaints where the names of folder, study, machine and measurements disagree."""
    folder = run.folder
    for kind, called, own in (
        ("study", folder.name, run.study.name),
        ("hardware", folder.parent.name, run.machine.slug),
    ):
        measured = {str(getattr(record, kind)) for record in run.records} | {str(row[kind]) for row in run.rows}
        if called != own:
            yield f"{kind} {own} lies in a folder called {called}; call it {own}"
        for other in sorted(measured - {own}):
            yield f"{kind} is {own}, but some measurements say {other}; they are another run's"


def doubles(run: RunFolder) -> Iterator[str]:
    """Yield rows, graphs, traces and training jobs that are there more than once."""
    listed: dict[str, Iterable[tuple[Hashable, ...]]] = {
        "measurements.csv: cell {}, policy {}": map(_row, run.rows),
        "graphs.json: graph {}": ((graph.id,) for graph in run.graphs),
        "traces.json: {}, {}, policy {}": map(_trace, run.traces),
        "trainings.json: graph {}, {}, policy {}": ((j.graph, j.convolution, j.policy) for j in run.trainings),
    }
    for words, places in listed.items():
        for place, count in Counter(places).items():
            if count > 1:
                yield f"{words.format(*place)}: there {count} times"


def cells(run: RunFolder) -> Iterator[str]:
    """Yield cells that were not measured as the study asks, measured cells that it lacks, and other policies."""
    study = run.study
    # Only as many as show that cells are missing: a study may ask for a billion.
    every = ((cell.id, cell) for spec in study_graphs(study) for cell in graph_cells(study, spec))
    asked = dict(islice(every, len(run.records) + 1000))
    # A cell may have been measured again later, as another visit.
    measured = Counter((record.cell, record.visit) for record in run.records)
    times = Counter({cell: count for (cell, _), count in sorted(measured.items(), key=lambda one: one[1])})
    yield from (
        f"cell {cell}: asked for by the study, and not measured" for cell in sorted(asked.keys() - times.keys())
    )
    yield from (f"cell {cell}: measured, and not the study's" for cell in sorted(times.keys() - asked.keys()))
    yield from (f"cell {cell}: {count} records of it" for cell, count in sorted(times.items()) if count > 1)
    if asked.keys() == times.keys():
        again = {(cell.id, one.number) for one in visits(study) if one.number for cell in graph_cells(study, one.graph)}
        for id, visit in sorted(again ^ {place for place in measured if place[1]}):
            yield f"cell {id}: visit {visit} asked for by the study or measured, not both"
    for record in run.records:
        policies = [policy.policy for policy in record.policies]
        if policies != list(study.policies):
            yield f"cell {record.cell}: policies {', '.join(policies)}, but the study's are others"
        if record.cell in asked:
            cell = asked[record.cell]
            factors = {name: getattr(cell, name) for name in _FACTORS} | {"threads": study.measurement.threads}
            limit = study.measurement.memory_limit_gib
            if limit is not None and record.memory_limit_bytes:  # there is none if no process was started
                factors["memory_limit_bytes"] = int(limit * 2**30)
            sizes = {} if cell.architecture.module else {name: getattr(cell.architecture, name) for name in _SIZES}
            given = {"graph": record.graph.id} | {name: getattr(record, name) for name in factors if name != "graph"}
            yield from _apart(f"cell {record.cell}", given | record.architecture, factors | sizes)


def _apart(place: str, given: Mapping[str, object], asked: Mapping[str, object]) -> Iterator[str]:
    for name, value in asked.items():
        if given.get(name) != value:
            yield f"{place}: {name} is {given.get(name)!r}, the study asks for {value!r}"


def machines(run: RunFolder) -> Iterator[str]:
    """Yield processes that ran on another type of machine than the report's."""
    for record in run.records:
        for number, process in enumerate(record.runs, start=1):
            host, device = process.host, run.study.measurement.device
            other = differences(host, run.machine.facts, device) if host else []
            if other:
                yield f"cell {record.cell}: process {number} ran on another type of machine: {'; '.join(other)}"


def graphs(run: RunFolder) -> Iterator[str]:
    """Yield graphs that records describe differently or lack, and real graphs from files that the study lacks."""
    listed = {graph.id: graph for graph in run.graphs}
    for record in run.records:
        if listed.get(record.graph.id) != record.graph:
            yield f"cell {record.cell}: its graph {record.graph.id} is not the one that graphs.json lists"
    for id in sorted(listed.keys() - {record.graph.id for record in run.records}):
        yield f"graphs.json: graph {id}: listed, and not measured"
    for spec in study_graphs(run.study):
        if isinstance(spec, GeneratedGraph) and spec.id in listed:
            drawn = {name: getattr(spec, name) for name in _DRAWN} | {"requested_average_degree": spec.average_degree}
            yield from _apart(f"graphs.json: graph {spec.id}", vars(listed[spec.id]), drawn)
        known = listed[spec.id].provenance if spec.id in listed else None
        if isinstance(spec, LoadedGraph) and spec.source.files and known is not None:
            for name, sha256 in known.files.items():
                if spec.source.files.get(name) != sha256:
                    yield (
                        f"graphs.json: graph {spec.id} was read from {name} with SHA-256 {sha256}, but study.json "
                        f"lists {spec.source.files.get(name, 'no such file')}"
                    )


def beside(run: RunFolder) -> Iterator[str]:
    """Yield training jobs, counted encodings and explanations that are missing, or that the study does not ask for."""
    study = run.study
    ran = {(record.cell, policy.policy) for record in run.records for policy in record.policies if policy.memory}
    asked, needed = dict[tuple[str, str, str], int](), set[tuple[str, str, str]]()
    for spec in trained_graphs(study):
        for convolution in study.architecture.convolutions:
            cell = training_cell(study, spec.id, convolution)
            for policy in (*study.policies, REORDERED):
                asked[spec.id, convolution, policy] = cell.seed
                # A policy that cannot train a model is not trained.
                if policy == REORDERED or (cell.id, policy) in ran:
                    needed.add((spec.id, convolution, policy))
    jobs = {(job.graph, job.convolution, job.policy): job for job in run.trainings}
    labels, epochs = {graph.id: graph.label for graph in run.graphs}, study.training.epochs
    for place in sorted(needed - jobs.keys()):
        yield f"trainings.json: {', '.join(place)}: asked for by the study, and not there"
    for place, job in jobs.items():
        words = f"trainings.json: {', '.join(place)}"
        if place not in asked:
            yield f"{words}: not asked for by the study"
            continue
        wanted = {"study": study.name, "epochs": epochs, "seed": asked[place], "graph_label": labels.get(job.graph)}
        yield from _apart(words, vars(job) | {"losses": len(job.losses)}, wanted | {"losses": epochs})
    encoded = {(cost.graph, cost.radius) for cost in run.encodings}
    for graph, radius in sorted(encoded ^ {(one.base.id, round(one.size)) for one in encoded_graphs(study)}):
        yield f"encodings.json: {graph}, radius {radius}: counted or asked for by the study, not both"
    if (run.explained is None) != (study.explained is None):
        yield f"explained.json: {'asked for by the study, and not there' if study.explained else 'not asked for'}"


def table(run: RunFolder) -> Iterator[str]:
    """Yield rows of the table that disagree with the records."""
    again = {_row(row): row for row in table_rows(run.records, run.study.analysis)}
    # Tables made before a column existed have nothing in it.
    compared = [column.name for column in COLUMNS if column.flag != "new" or any(row[column.name] for row in run.rows)]
    given = {_row(row): row for row in run.rows}
    for cell, policy, _ in sorted(again.keys() ^ given.keys(), key=str):
        yield f"measurements.csv: cell {cell}, policy {policy}: in the records or in the table, not in both"
    for place in sorted(again.keys() & given.keys(), key=str):
        for name in (*compared, HOSTS.name):
            if not _same(given[place][name], again[place].get(name)):
                yield (
                    f"measurements.csv: cell {place[0]}, policy {place[1]}: {name} is {given[place][name]!r}, the "
                    f"records say {again[place].get(name)!r}"
                )
    if given.keys() == again.keys() and list(given) != list(again):
        yield "measurements.csv: its rows are not in the order of the records"


def traces(run: RunFolder) -> Iterator[str]:
    """Yield traces that are missing, that belong to no measured cell, or that contradict the records."""
    asked: dict[tuple[str, str, str], tuple[CellRecord, Memory]] = {}
    for record in traced_cells(run.records, run.study):
        for policy in record.policies:
            # On CUDA the allocator's events are not read.
            if policy.memory is not None and record.device == "cpu":
                model = _model(record.convolution, record.aggregation, record.model)
                asked[record.graph.id, model, policy.policy] = record, policy.memory
    given = {_trace(trace): trace for trace in run.traces}
    words = "traces.json: {}, {}, policy {}"
    for place in sorted(asked.keys() - given.keys()):
        yield "traces.json: no trace of {}, {}, policy {}".format(*place)
    for place in sorted(given.keys() - asked.keys()):
        yield f"{words.format(*place)}: no such trace is shown of these records"
    for place in sorted(given.keys() & asked.keys()):
        wrong = _contradiction(given[place], *asked[place])
        if wrong:
            yield f"{words.format(*place)}: {wrong}"


def _contradiction(trace: Trace, record: CellRecord, memory: Memory) -> str:
    blocks = len(trace.block_numbers)
    for name, value in trace_facts(record, memory).items():
        if getattr(trace, name) != value:
            return f"{name} is {getattr(trace, name)!r}, the record says {value!r}"
    if len(trace.seconds) != len(trace.live_bytes) or trace.seconds != sorted(trace.seconds):
        return "its times do not go with its bytes"
    if max(trace.live_bytes, default=0) != trace.peak_bytes or min(trace.live_bytes, default=0) < -trace.resident_bytes:
        least, most = min(trace.live_bytes, default=0), max(trace.live_bytes, default=0)
        return f"its bytes go from {least} to {most}, its peak is {trace.peak_bytes} above {trace.resident_bytes}"
    if trace.events < len(trace.seconds) or trace.forward_ended_seconds > max(trace.seconds, default=0):
        return "it has fewer events than points, or ends before its forward pass"
    lengths = [len(trace.block_bytes) - 1, len(trace.block_peaks), len(trace.block_degrees)]
    if lengths != ([blocks] * 3 if trace.block_bytes else [-1, 0, 0]) or (blocks and not trace.block_bytes):
        return f"{blocks} blocks, and values of {lengths}"
    return ""


def _row(row: Mapping[str, Value]) -> tuple[str, str, int]:
    return str(row["cell"]), str(row["policy"]), int(row.get("visit") or 0)


def _trace(trace: Trace) -> tuple[str, str, str]:
    return trace.graph, _model(trace.convolution, trace.aggregation, trace.model), trace.policy


def _model(convolution: str, aggregation: str, model: str) -> str:
    return " ".join(filter(None, (convolution, aggregation, model)))


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int) and not isinstance(one, bool):
        return math.isclose(one, other, rel_tol=_TOLERANCE)
    return (one or None) == (other or None) or one == other
