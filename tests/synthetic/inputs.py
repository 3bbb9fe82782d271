"""ReportInputs in the default study's shape: rows of known laws, their real analysis, the rest made by hand."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from gnn_checkpointing.analysis import results as found
from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.quality import quality as quality_of
from gnn_checkpointing.analysis.results import Effects, Estimate, Quality, Trends
from gnn_checkpointing.analysis.table import completed
from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.records.cell import write_records
from gnn_checkpointing.records.graph_facts import GraphList
from gnn_checkpointing.records.jobs import Demonstration, Explanations
from gnn_checkpointing.records.measurements_table import write_table
from gnn_checkpointing.records.record import Machine
from gnn_checkpointing.records.traces import Trace, Traces
from gnn_checkpointing.report.inputs import ReportInputs, Row, in_series
from gnn_checkpointing.report.render import Sources, published_sources
from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.study import Study

from . import planner
from .changes import changed
from .findings import analysed
from .frontier import frontier_table
from .graphs import DEGREES, NUM_NODES, Graph, generated_graphs
from .judged import audit, ledger
from .results import made
from .results import within as estimate
from .rows import CONVOLUTIONS, POLICIES, table
from .studies import small_values

PAIRS = [(convolution, policy) for convolution in CONVOLUTIONS for policy in POLICIES]
UNREAD = [
    *("again_started", "again_ended"),
    *(f"{instrument}_{what}" for instrument in ("high_water", "fake_tensor") for what in ("bytes", "agrees")),
]
"""Columns that tables of the default study once lacked, and that its report does not need."""
REAL = {"Cora": (2708, 10556), "amherst41": (2235, 181908), "tolokers": (11758, 1038000)}


def study(title: str = "Gradient checkpointing across densities", **changes: Any) -> Study:
    """A study in the default study's shape, under any title."""
    grid = {"family": "sbm", "num_nodes": list(NUM_NODES), "average_degrees": list(DEGREES), "replicates": 2}
    sizes = {"num_layers": 4, "hidden_channels": 32, "heads": 4}
    values = small_values(CONVOLUTIONS, POLICIES, grid, sizes, name="default", title=title)
    return parse_study({**values, **changes}, "synthetic")


def rows_of(graphs: Sequence[Graph]) -> list[Row]:
    own = {"hardware": "laptop", "study": "default", "rounds": 20, **dict.fromkeys(UNREAD)}
    own |= {"started": "2026-11-24T10:00:00+00:00", "ended": "2026-11-24T10:00:05+00:00"}
    return [{**row, **own} for row in table(0, graphs)]


def generated_rows() -> list[Row]:
    """The 324 rows in the default study's shape."""
    return rows_of(generated_graphs())


def real_rows(labels: Sequence[str] = tuple(REAL)) -> list[Row]:
    """Rows on real graphs of plausible sizes."""
    named = zip(labels, REAL.values(), strict=False)
    return rows_of([Graph(f"real-{label}", label, "real", *size, None) for label, size in named])


@cache
def findings(real: tuple[str, ...] = ()) -> Findings:
    """Analysis of the rows on generated graphs, or on these real ones."""
    return analysed(real_rows(real) if real else generated_rows())


def effects(real: Sequence[str] = ()) -> Effects:
    return findings(tuple(real)).effects


def quality(rows: Sequence[Row]) -> Quality:
    return quality_of(rows, completed(rows), "retaining", 0.03)


def trace(convolution: str, policy: str, aggregation: str = "gather_scatter", peak: float = 2e6) -> Trace:
    """Trace of a step whose memory rises to a peak and falls again, with a tooth per layer if it recomputes."""
    recomputes = policy != "none"
    shape = []
    for share in (number / 299 for number in range(300)):
        slope = share / 0.4 if share < 0.4 else (1 - share) / 0.6
        tooth = (share * 9) % 1 if recomputes else 0.0
        shape.append(int(peak * max(0.0, slope * (0.6 if recomputes else 1.0) + 0.4 * tooth)))
    return Trace(
        graph="sbm-n2000-d32-r0",
        graph_label="SBM, 2000 nodes, degree 32",
        num_nodes=2000,
        num_edges=64000,
        average_degree=32.0,
        convolution=convolution,
        aggregation=aggregation,
        policy=policy,
        events=1234,
        forward_ended_seconds=0.04,
        resident_bytes=600_000,
        saved_activation_bytes=int(0.7 * max(shape)),
        peak_bytes=max(shape),
        seconds=[0.1 * number / 299 for number in range(300)],
        live_bytes=shape,
    )


def traces() -> list[Trace]:
    """Trace of each convolution and policy; the policies' peaks differ by a factor of 7."""
    return [trace(*pair, peak=8e7 / 7 ** POLICIES.index(pair[1])) for pair in PAIRS]


def demonstration() -> Demonstration:
    """Readings of other instruments for a step that takes 609 MiB."""
    mib = {"held": 500, "exact": 609, "high_water": 611, "process_high_water": 930}
    mib |= {"child_maxrss": 1130, "benchmark_max_rss": 12}
    return Demonstration(
        workload="GATv2, 9 layers, 2,000 nodes, average degree 32",
        **{f"{name}_bytes": number * 2**20 for name, number in mib.items()},
        step_seconds=0.8,
        benchmark_seconds=4.2,
    )


def machine(label: str = "Laptop, 2 cores", slug: str = "laptop") -> Machine:
    facts = {"Processor": "Some Processor 3000 @ 2.1 GHz", "Cores": "2", "Memory": "16 GiB"}
    facts |= {"Operating system": "Linux 6.1", "Python": "3.11.7", "torch": "2.13.0+cpu"}
    facts |= {"torch-geometric": "2.8.1", "numpy": "2.4.1"}
    return Machine(slug, facts, label)


def trends() -> Trends:
    """Bands of ±10 % around the ratios, and break-evens of several courses."""
    bands = []
    for band in findings().trends.bands:
        points = [one.model_copy(update={"ratio": estimate(one.ratio.estimate, 0.1)}) for one in band.points]
        bands.append(band.model_copy(update={"points": points}))
    crossing = Estimate(estimate=41.2, low=33.1, high=52.4)
    evens = [
        *({"convolution": "GCN", "policy": policy} for policy in POLICIES[1:]),
        {"convolution": "SAGE", "course": "rises", "average_degree": crossing},
        {"convolution": "SAGE", "policy": "edge_blocks"},
        *({"policy": policy} for policy in POLICIES[1:]),
        {"convolution": "GCN", "quantity": "time_ratio", "threshold": 1.0, "course": "above"},
    ]
    return made(Trends, bands=bands, break_evens=[made(found.BreakEven, **even) for even in evens])


def knowledge(**changes: Any) -> Knowledge:
    """Knowledge of a planner that has no laws."""
    sizes = {"num_layers": 4, "hidden_channels": 32, "heads": 4, "num_features": 32}
    named = {"hardware": "laptop", "machine": "Laptop, 2 cores", "study": "default"}
    nothing: dict[str, Any] = {"limits": [], "graphs": [], "policies": []}
    return planner.knowledge(**{**named, "measured": sizes, **nothing, **changes})


def inputs(rows: list[Row] | None = None, **changes: Any) -> ReportInputs:
    """Inputs on generated graphs; `changes` replace the synthetic parts."""
    rows = generated_rows() if rows is None else rows
    own = (study, machine, ledger, audit, knowledge, traces, demonstration)
    parts: dict[str, Any] = {
        **{make.__name__: make() for make in own if make.__name__ not in changes},
        **{name: getattr(findings(), name) for name in ("effects", "regressions", "accuracy")},
        **{"rows": rows, "graphs": [], "explained": Explanations()},
        "quality": changes.get("quality") or quality(rows),
        **{"trends": made(Trends), "predictions": made(found.Predictions), "robustness": made(found.Robustness)},
    }
    return ReportInputs(**{**parts, **changes})


def real_inputs(labels: Sequence[str] = tuple(REAL)) -> ReportInputs:
    """Inputs of a study that has real graphs only: no laws, no effects along degrees."""
    real = {"real": [{"class": "Planetoid", "name": "Cora"}]}
    no_law = ["No law is fitted: no comparable cell of a generated graph was measured."]
    return inputs(
        real_rows(labels),
        study=study(name="real", graphs=real, data_root="data"),
        effects=effects(labels),
        regressions=made(found.Regressions, not_fitted=no_law),
        accuracy=[],
    )


def frontier_inputs(**changes: Any) -> ReportInputs:
    """Inputs of a frontier study, by the real analysis; `changes` go to `frontier_table`."""
    rows = frontier_table(**changes)
    rows = changed(rows, str(rows[0]["cell"]), "layers", high_water_agrees=False)
    known = replace(analysed(rows), accuracy=[])
    convolutions, policies, allocators = (
        [*dict.fromkeys(str(row[name]) for row in rows)] for name in ("convolution", "policy", "allocator")
    )
    degrees = sorted({float(row["requested_average_degree"] or 0) for row in rows})
    sizes = {"num_layers": 9, "hidden_channels": 64, "heads": 4}
    aggregations = ["gather_scatter", "spmm"]
    run = [row for row in rows if row["outcome"] == "completed" and row["allocator"] == "retaining"]
    traced = [row for row in run if row["requested_average_degree"] == degrees[len(degrees) // 2]]
    names = ("convolution", "policy", "aggregation")
    return inputs(
        in_series(rows),
        study=study(
            "Frontier of policies",
            name="frontier",
            graphs={"generated": [{"family": "sbm", "num_nodes": [2000], "average_degrees": degrees}]},
            architecture={"convolutions": convolutions, "aggregations": aggregations, **sizes},
            policies=policies,
            measurement={"allocators": allocators},
        ),
        **vars(known),
        ledger=judge(known, "frontier", "laptop"),
        traces=[trace(*(str(row[name]) for name in names), float(row["activation_bytes"])) for row in traced],
    )


def data_files(folder: Path, made: ReportInputs) -> Sources:
    write_table(folder / "measurements.csv", made.rows)
    written = {
        "claims.json": made.ledger,
        "audit.json": made.audit,
        "planner.json": made.knowledge,
        "graphs.json": GraphList(graphs=made.graphs),
        "traces.json": Traces(traces=made.traces),
        "demonstration.json": made.demonstration,
    }
    for name, value in written.items():
        write_json(folder / name, value.model_dump(mode="json"))
    write_json(folder / "trainings.json", [])
    facts = [{"name": name, "value": value} for name, value in made.machine.facts.items()]
    write_json(folder / "hardware.json", {"slug": made.machine.slug, "label": made.machine.label, "facts": facts})
    write_json(folder / "study.json", made.study.model_dump(mode="json", by_alias=True, exclude_none=True))
    write_records(folder / "records.jsonl", [])
    return published_sources(folder)
