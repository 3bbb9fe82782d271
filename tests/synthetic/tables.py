"""Measurement tables with known laws, and the settings for their analysis."""

from collections.abc import Sequence
from typing import Any

from gnn_checkpointing.analysis.effects import effects
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.results import Effects, Response
from gnn_checkpointing.analysis.table import Protocol, completed
from gnn_checkpointing.records.jobs import REORDERED, TrainingRecord
from gnn_checkpointing.records.record import SCHEMA_VERSION

from .graphs import Graph, derived, generated_graphs
from .rows import CONVOLUTIONS, POLICIES, Costs, Table, table
from .rows import row as row_of


def protocol(**changes: Any) -> Protocol:
    """Settings of the analysis, with few resamples so that it is quick."""
    values: dict[str, Any] = {
        "reference_allocator": "retaining",
        "confidence": 0.95,
        "resamples": 200,
        "ratio_half_width": 0.03,
        "seed": 1,
        "memory_forms": ("additive", "blocks", "largest_of_two", "power"),
        "time_forms": ("additive", "knee", "power"),
        "rounds": (10, 40),
        "processes": 2,
        "timeout_seconds": 300.0,
        "capacity_gib": (1.0,),
    }
    return Protocol(**{**values, **changes})


def effects_of(rows: Table) -> Effects:
    """Every effect of a table, judged under the reference allocator."""
    return effects(completed(rows), "retaining", 0.95, rows)[0]


def depth_table(layers: Sequence[int] = (50, 100, 200), degrees: Sequence[float] = (3.0, 8.0)) -> Table:
    """A table of several depths: memory grows with them under none and layers, not under reversible (another model)."""
    rows: Table = []
    cells = [(graph, depth) for graph in generated_graphs((1000,), degrees, 1) for depth in layers]
    for number, (graph, depth) in enumerate(cells):
        shares = {"none": (depth, 1.0), "layers": (1 + 0.2 * depth, 1.4), "reversible": (4.0, 1.5)}
        for policy, (share, time) in shares.items():
            own, none = 1000.0 * share * graph.num_edges, 1000.0 * depth * graph.num_edges
            row = row_of(number, graph, "SAGE", policy, Costs(own, 0.5 * own, none, 0.01 * depth * time, 0.01 * depth))
            row |= {"cell": f"{graph.id}-SAGE-{depth}", "model": f"{depth} layers", "num_layers": depth}
            rows.append(row | {"parameters": 100 * depth, "other_model": policy == "reversible"})
    return rows


def ego_table() -> Table:
    """Graphs of 1,000 nodes, each also with encodings and as a bag whose nodes and edges grow as degree^radius."""
    graphs: list[Graph] = []
    for whole in generated_graphs((1000,), (2.0, 8.0), 1):
        graphs.append(whole)
        for radius in (1, 2):
            around = int(1 + (whole.requested or 0) ** radius)
            for name, method, times in (("enc", "encodings", 1), ("bag", "ego_networks", around)):
                sizes = {"num_nodes": 1000 * times, "num_edges": whole.num_edges * times}
                graphs.append(derived(whole, f"{name}-{radius}", method, float(radius), label=whole.label, **sizes))
    return table(5, graphs, convolutions=("GCN",), policies=("none", "layers"))


def trainings(
    graphs: Sequence[str] = ("sbm-n500-d4-r0",),
    convolutions: Sequence[str] = CONVOLUTIONS,
    policies: Sequence[str] = POLICIES,
    drift: float = 1e-6,
    control: float = 1e-6,
) -> list[TrainingRecord]:
    """Training records whose losses differ from none's in the last epoch, by a relative amount.

    The amount is `drift` under a policy, and `control` if only the order of the edges differs.
    """
    curve = [2.0, 1.0, 0.5]
    drifts = {"none": 0.0, REORDERED: control}
    same = {"schema_version": SCHEMA_VERSION, "study": "synthetic", "seed": 1, "epochs": len(curve)}
    same |= {"train_accuracy": 0.9, "test_accuracy": 0.8, "seconds": 1.0, "resumed_from_epoch": 0}
    return [
        TrainingRecord.model_validate(
            {"graph": graph, "graph_label": graph, "convolution": convolution, "policy": policy, **same}
            | {"losses": [*curve[:-1], curve[-1] * (1 + drifts.get(policy, drift))]}
        )
        for graph in graphs
        for convolution in convolutions
        for policy in (*policies, REORDERED)
    ]


def series(
    rows: Table | None = None,
    convolution: str = "GATv2",
    policy: str = "none",
    response: Response = "activation_bytes",
    noise: float = 0.02,
    seed: int = 0,
) -> Series:
    """One series of the synthetic table."""
    if rows is None:
        policies = tuple(dict.fromkeys(("none", policy)))
        rows = table(seed, convolutions=(convolution,), policies=policies, noise=noise)
    return Series([row for row in completed(rows) if (row.convolution, row.policy) == (convolution, policy)], response)
