"""Synthetic measurement tables whose laws are known: exact bytes, step times with a small relative noise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gnn_checkpointing.records import COLUMNS, REORDERED, SCHEMA_VERSION, TrainingRecord, Value

Table = list[dict[str, Value]]

DEGREES = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
NUM_NODES = (500, 1000, 2000)
NUM_LAYERS = 4
HIDDEN_CHANNELS = 16


@dataclass(frozen=True)
class TrueLaw:
    """constant + per_node * num_nodes + per_edge * num_edges."""

    constant: float
    per_node: float
    per_edge: float

    def at(self, num_nodes: int, num_edges: int) -> float:
        return self.constant + self.per_node * num_nodes + self.per_edge * num_edges


# What each policy costs: (activation bytes, saved bytes, seconds of a step).
LAWS: dict[tuple[str, str], tuple[TrueLaw, TrueLaw, TrueLaw]] = {
    ("GCN", "none"): (TrueLaw(64, 1500, 120), TrueLaw(16, 1000, 40), TrueLaw(1e-3, 2e-6, 1e-7)),
    ("GCN", "layers"): (TrueLaw(64, 1000, 100), TrueLaw(16, 700, 0), TrueLaw(1.5e-3, 3e-6, 1.5e-7)),
    ("GCN", "edge_blocks"): (TrueLaw(64, 1200, 0), TrueLaw(16, 800, 0), TrueLaw(1.4e-3, 3e-6, 1.3e-7)),
    ("SAGE", "none"): (TrueLaw(64, 1600, 130), TrueLaw(16, 1100, 16), TrueLaw(1e-3, 3e-6, 8e-8)),
    ("SAGE", "layers"): (TrueLaw(64, 900, 128), TrueLaw(16, 600, 16), TrueLaw(1.5e-3, 5e-6, 1.3e-7)),
    ("SAGE", "edge_blocks"): (TrueLaw(64, 1300, 0), TrueLaw(16, 900, 0), TrueLaw(1.4e-3, 4e-6, 1.1e-7)),
    ("GATv2", "none"): (TrueLaw(64, 3000, 2000), TrueLaw(16, 2500, 1800), TrueLaw(2e-3, 4e-6, 4e-7)),
    ("GATv2", "layers"): (TrueLaw(64, 1500, 500), TrueLaw(16, 900, 0), TrueLaw(3e-3, 6e-6, 5.4e-7)),
    ("GATv2", "edge_blocks"): (TrueLaw(64, 2500, 0), TrueLaw(16, 1100, 0), TrueLaw(3e-3, 6e-6, 4.8e-7)),
}
CONVOLUTIONS = ("GCN", "SAGE", "GATv2")
POLICIES = ("none", "layers", "edge_blocks")


@dataclass(frozen=True)
class Graph:
    """What a row says of its graph."""

    id: str
    label: str
    family: str
    num_nodes: int
    num_edges: int
    requested: float | None
    replicate: int = 0


def generated_graphs(
    num_nodes: Sequence[int] = NUM_NODES, degrees: Sequence[float] = DEGREES, replicates: int = 2
) -> list[Graph]:
    return [
        Graph(
            f"sbm-n{nodes}-d{degree:g}-r{replicate}", f"SBM {nodes}, {degree:g}", "sbm", nodes, edges, degree, replicate
        )
        for nodes in num_nodes
        for degree in degrees
        for replicate in range(replicates)
        for edges in [2 * round(nodes * degree / 2)]
    ]


def real_graphs() -> list[Graph]:
    return [
        Graph("Planetoid-Cora-000000", "Cora", "real", 2708, 10556, None),
        Graph("LINKXDataset-amherst41-000000", "amherst41", "real", 2235, 181908, None),
    ]


def table(
    generator: np.random.Generator,
    graphs: Iterable[Graph] | None = None,
    *,
    convolutions: Sequence[str] = CONVOLUTIONS,
    policies: Sequence[str] = POLICIES,
    noise: float = 0.02,
) -> Table:
    """Return one row per graph x convolution x policy, as `read_table` would."""
    rows: Table = []
    cells = [(graph, name) for graph in (generated_graphs() if graphs is None else graphs) for name in convolutions]
    for number, (graph, convolution) in enumerate(cells):
        seconds = {
            policy: LAWS[convolution, policy][2].at(graph.num_nodes, graph.num_edges)
            * float(np.exp(noise * generator.standard_normal()))
            for policy in policies
        }
        rows += [_row(number, graph, convolution, policy, seconds) for policy in policies]
    return rows


def without(rows: Table, cell: str, policy: str, outcome: str, message: str = "") -> Table:
    """Return the table with one row that did not complete: its numbers empty, as the collector leaves them."""
    emptied = (
        {
            column.name: None
            for column in COLUMNS
            if column.unit in ("bytes", "seconds") and column.name != "measured_seconds"
        }
        | dict.fromkeys(RATIOS)
        | dict.fromkeys(("same_loss", "same_gradients", "same_buffers"))
    )
    change = {**emptied, "outcome": outcome, "message": message}
    lost_reference = dict.fromkeys(RATIOS) if policy == "none" else {}
    return [
        {**row, **change}
        if (row["cell"], row["policy"]) == (cell, policy)
        else {**row, **(lost_reference if row["cell"] == cell else {})}
        for row in rows
    ]


def changed(rows: Table, cell: str, policy: str, /, **values: Value) -> Table:
    """Return the table with some fields of one row replaced."""
    return [{**row, **values} if (row["cell"], row["policy"]) == (cell, policy) else row for row in rows]


def trainings(
    graphs: Sequence[str] = ("sbm-n500-d4-r0",),
    convolutions: Sequence[str] = CONVOLUTIONS,
    policies: Sequence[str] = POLICIES,
    drift: float = 1e-6,
    control: float = 1e-6,
) -> list[TrainingRecord]:
    """Return training records whose losses differ from none's, relatively, in the last epoch.

    By `drift` under a policy, by `control` where only the order of the edges differs.
    """
    curve = [2.0, 1.0, 0.5]
    drifts = {"none": 0.0, REORDERED: control}
    return [
        TrainingRecord(
            schema_version=SCHEMA_VERSION,
            study="synthetic",
            graph=graph,
            graph_label=graph,
            convolution=convolution,
            policy=policy,
            seed=1,
            epochs=len(curve),
            losses=[*curve[:-1], curve[-1] * (1 + drifts.get(policy, drift))],
            train_accuracy=0.9,
            test_accuracy=0.8,
            seconds=1.0,
            resumed_from_epoch=0,
        )
        for graph in graphs
        for convolution in convolutions
        for policy in (*policies, REORDERED)
    ]


RATIOS = ("memory_ratio", "activation_ratio", "time_ratio", "time_ratio_low", "time_ratio_high")
RESIDENT_BYTES = 1_000_000


def _row(number: int, graph: Graph, convolution: str, policy: str, seconds: dict[str, float]) -> dict[str, Value]:
    activation, saved, _ = (law.at(graph.num_nodes, graph.num_edges) for law in LAWS[convolution, policy])
    none = LAWS[convolution, "none"][0].at(graph.num_nodes, graph.num_edges)
    ratio = seconds[policy] / seconds["none"]
    minute, second = divmod(number * 4, 60)
    hour, minute = divmod(minute, 60)
    values: dict[str, Value] = {
        "hardware": "test-machine",
        "study": "synthetic",
        "cell": f"{graph.id}-{convolution}",
        "graph": graph.id,
        "graph_label": graph.label,
        "family": graph.family,
        "num_nodes": graph.num_nodes,
        "num_edges": graph.num_edges,
        "requested_average_degree": graph.requested,
        "average_degree": graph.num_edges / graph.num_nodes,
        "density": graph.num_edges / (graph.num_nodes * (graph.num_nodes - 1)),
        "num_features": 32,
        "replicate": graph.replicate,
        "convolution": convolution,
        "aggregation": "gather_scatter",
        "num_layers": NUM_LAYERS,
        "hidden_channels": HIDDEN_CHANNELS,
        "policy": policy,
        "allocator": "retaining",
        "device": "cpu",
        "threads": 1,
        "outcome": "completed",
        "message": "",
        "resident_bytes": RESIDENT_BYTES,
        "policy_resident_bytes": 0,
        "saved_activation_bytes": int(saved),
        "transient_bytes": int(activation) - int(saved),
        "peak_memory_bytes": RESIDENT_BYTES + int(activation),
        "activation_bytes": int(activation),
        "other_model": False,
        "high_water_bytes": int(activation * 1.002),
        "high_water_agrees": True,
        "fake_tensor_bytes": int(activation),
        "fake_tensor_agrees": True,
        "forward_time_seconds": seconds[policy] * 0.4,
        "backward_time_seconds": seconds[policy] * 0.6,
        "involuntary_switches": 0.0,
        "sentinel_drift": 0.01,
        "step_time_seconds": seconds[policy],
        "cpu_time_seconds": seconds[policy],
        "system_time_seconds": 0.0,
        "page_faults": 0.0,
        "warm_up_seconds": 2 * seconds[policy],
        "rounds": 5,
        "memory_ratio": (RESIDENT_BYTES + int(activation)) / (RESIDENT_BYTES + int(none)),
        "activation_ratio": int(activation) / int(none),
        "time_ratio": ratio,
        "time_ratio_low": ratio * 0.98,
        "time_ratio_high": ratio * 1.02,
        "loss_error": 0.0,
        "gradient_error": 1e-7,
        "buffer_error": 0.0,
        "same_loss": True,
        "same_gradients": True,
        "same_buffers": True,
        "measured_seconds": 1.5,
        "started": f"2026-01-01T{hour:02}:{minute:02}:{second:02}+00:00",
        "ended": f"2026-01-01T{hour:02}:{minute:02}:{second + 3:02}+00:00",
        "warnings": "",
    }
    assert set(values) == {column.name for column in COLUMNS}
    return values
