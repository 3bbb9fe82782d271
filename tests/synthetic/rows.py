"""Rows of a measurement table with every column, and tables of known laws: exact bytes, noisy times."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from gnn_checkpointing.records.measurements_table import COLUMNS, Value

from .graphs import Graph, generated_graphs

Table = list[dict[str, Value]]

NUM_LAYERS = 4
HIDDEN_CHANNELS = 16
RESIDENT_BYTES = 1_000_000
MEMORY_LIMIT_BYTES = 8 * 2**30
BLOCK_EDGES = 8192


@dataclass(frozen=True)
class TrueLaw:
    """constant + per_node * num_nodes + per_edge * num_edges."""

    constant: float
    per_node: float
    per_edge: float

    def at(self, num_nodes: int, num_edges: int) -> float:
        return self.constant + self.per_node * num_nodes + self.per_edge * num_edges


# Laws of each policy: (activation bytes, saved bytes, seconds per step).
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
class Costs:
    """Measured costs of one row, and those of none in its cell."""

    activation: float
    saved: float
    none_activation: float
    seconds: float
    none_seconds: float


def table(
    draws: int | np.random.Generator,
    graphs: Iterable[Graph] | None = None,
    *,
    convolutions: Sequence[str] = CONVOLUTIONS,
    policies: Sequence[str] = POLICIES,
    noise: float = 0.02,
) -> Table:
    """One row per graph x convolution x policy, as `read_table` gives them; `draws` seeds or generates the noise."""
    generator = np.random.default_rng(draws)
    rows: Table = []
    cells = [(graph, name) for graph in (generated_graphs() if graphs is None else graphs) for name in convolutions]
    for number, (graph, convolution) in enumerate(cells):
        seconds = {
            policy: LAWS[convolution, policy][2].at(graph.num_nodes, graph.num_edges)
            * float(np.exp(noise * generator.standard_normal()))
            for policy in policies
        }
        for policy in policies:
            activation, saved, _ = (law.at(graph.num_nodes, graph.num_edges) for law in LAWS[convolution, policy])
            none = LAWS[convolution, "none"][0].at(graph.num_nodes, graph.num_edges)
            costs = Costs(activation, saved, none, seconds[policy], seconds["none"])
            rows.append(row(number, graph, convolution, policy, costs))
    return rows


CONSTANT: dict[str, Value] = {
    **{"hardware": "test-machine", "study": "synthetic", "visit": 0, "num_features": 32, "device": "cpu", "threads": 1},
    **{"degree_p5": 1, "median_degree": 8, "degree_p95": 40, "maximum_degree": 90, "clustering": 0.1, "homophily": 0.6},
    **{"aggregation": "gather_scatter", "model": "", "parameters": 12_345, "heads": 4},
    **{"num_layers": NUM_LAYERS, "hidden_channels": HIDDEN_CHANNELS, "allocator": "retaining"},
    **{"outcome": "completed", "message": "", "warnings": "", "other_model": False},
    **{"resident_bytes": RESIDENT_BYTES, "policy_resident_bytes": 0, "memory_limit_bytes": MEMORY_LIMIT_BYTES},
    **{"high_water_agrees": True, "fake_tensor_agrees": True, "involuntary_switches": 0.0, "page_faults": 0.0},
    **{"sentinel_drift": 0.01, "sentinel_seconds": None, "system_time_seconds": 0.0, "measured_seconds": 1.5},
    **{"rounds": 10, "processes": 2, "process_spread": 0.005},
    **{"loss_error": 0.0, "gradient_error": 1e-7, "buffer_error": 0.0},
    **{"same_loss": True, "same_gradients": True, "same_buffers": True},
    **{column.name: None for column in COLUMNS if column.flag == "cuda"},
}
"""Values that all rows share by default."""


def row(number: int, graph: Graph, convolution: str, policy: str, costs: Costs) -> dict[str, Value]:
    activation, none, seconds = int(costs.activation), int(costs.none_activation), costs.seconds
    nodes, edges, ratio = graph.num_nodes, graph.num_edges, costs.seconds / costs.none_seconds
    began, again = (datetime(2026, 1, day, tzinfo=UTC) + timedelta(seconds=4 * number) for day in (1, 2))
    values: dict[str, Value] = {
        **CONSTANT,
        "cell": f"{graph.id}-{convolution}",
        "graph": graph.id,
        "graph_label": graph.label,
        "requested_average_degree": graph.requested,
        "derivation_size": graph.size,
        **{name: getattr(graph, name) for name in ("family", "num_nodes", "num_edges", "replicate")},
        **{name: getattr(graph, name) for name in ("derivation", "base", "base_label")},
        "average_degree": edges / nodes,
        "density": edges / (nodes * (nodes - 1)),
        "training_nodes": nodes // 2,
        "nodes_per_second": nodes / seconds,
        "edges_per_second": edges / seconds,
        "convolution": convolution,
        "policy": policy,
        "saved_activation_bytes": int(costs.saved),
        "transient_bytes": activation - int(costs.saved),
        "peak_memory_bytes": RESIDENT_BYTES + activation,
        "activation_bytes": activation,
        "high_water_bytes": int(costs.activation * 1.002),
        "fake_tensor_bytes": activation,
        **dict.fromkeys(("step_time_seconds", "cpu_time_seconds"), seconds),
        **{"forward_time_seconds": seconds * 0.4, "backward_time_seconds": seconds * 0.6},
        "warm_up_seconds": 2 * seconds,
        "edges_at_once": min(edges, BLOCK_EDGES) if "edge_blocks" in policy else edges,
        "memory_ratio": (RESIDENT_BYTES + activation) / (RESIDENT_BYTES + none),
        "activation_ratio": activation / none,
        **{"time_ratio": ratio, "time_ratio_low": ratio * 0.98, "time_ratio_high": ratio * 1.02},
        **{"started": began.isoformat(), "ended": (began + timedelta(seconds=3)).isoformat()},
        **{"again_started": again.isoformat(), "again_ended": (again + timedelta(seconds=3)).isoformat()},
    }
    assert set(values) == {column.name for column in COLUMNS}
    return values
