"""Synthetic measurement tables whose laws are known: exact bytes, step times with a small relative noise."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnn_checkpointing.analysis.protocol import Protocol
from gnn_checkpointing.records.measurements_table import COLUMNS, Value
from gnn_checkpointing.records.record import SCHEMA_VERSION
from gnn_checkpointing.records.training import REORDERED, TrainingRecord

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
    derivation: str = ""
    base: str = ""
    base_label: str = ""
    size: float | None = None


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


def families() -> list[Graph]:
    """Return graphs of three families at two densities, two draws each; rows of "rmat" are shifted by `with_skew`."""
    return [
        Graph(
            f"{family}-d{degree:g}-r{replicate}",
            f"{family} {degree:g}",
            family,
            1000,
            int(1000 * degree),
            degree,
            replicate,
        )
        for family in ("rmat", "erdos_renyi", "sbm")
        for degree in (4.0, 32.0)
        for replicate in range(2)
    ]


def graded() -> list[Graph]:
    """Return a real graph of degree 16, thinned to 4, capped to about 8, and closed to 64."""
    whole = Graph("real-x", "X", "real", 1000, 16_000, None)
    grades = [("thinned", 4.0, 4000), ("capped", 10.0, 8000), ("two_hop", 64.0, 64_000)]
    return [
        whole,
        *(
            Graph(f"real-x-{name}", f"X, {name}", "real", 1000, edges, None, 0, name, "real-x", "X", size)
            for name, size, edges in grades
        ),
    ]


def batches() -> list[Graph]:
    """Return a generated graph, two batches of each of two fan-outs, and one cluster."""
    whole = Graph("sbm-w", "W", "sbm", 4000, 64_000, 16.0)
    return [
        whole,
        *(
            Graph(f"sbm-w-n{size}-{draw}", f"W {size}", "sbm", nodes, edges, None, 0, "neighbours", "sbm-w", "W", size)
            for size, nodes, edges in ((5.0, 1000, 6000), (10.0, 2000, 24_000))
            for draw in range(2)
        ),
        Graph("sbm-w-c", "W 8", "sbm", 500, 4000, None, 0, "clusters", "sbm-w", "W", 8.0),
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
        for policy in policies:
            activation, saved, _ = (law.at(graph.num_nodes, graph.num_edges) for law in LAWS[convolution, policy])
            none = LAWS[convolution, "none"][0].at(graph.num_nodes, graph.num_edges)
            costs = Costs(activation, saved, none, seconds[policy], seconds["none"])
            rows.append(_row(number, graph, convolution, policy, costs))
    return rows


@dataclass(frozen=True)
class Costs:
    """What one row measured, and none beside it."""

    activation: float
    saved: float
    none_activation: float
    seconds: float
    none_seconds: float


# Policy: the share of none's bytes per node and per edge that it keeps, and how many times as long its step takes.
FRONTIER_SHARES = {
    "none": (1.0, 1.0, 1.0),
    "layers": (0.6, 0.25, 1.42),
    "segments(2)": (0.8, 0.55, 1.3),
    "segments(3)": (0.7, 0.4, 1.32),
    "selective": (0.9, 0.8, 1.15),
    "edge_blocks": (0.7, 0.002, 1.28),
    "layers+edge_blocks": (0.4, 0.002, 1.7),
    "compiled": (0.9, 0.56, 0.41),
    "memory_budget(0.5)": (0.5, 0.06, 0.3),
    "memory_budget(0)": (0.5, 0.061, 0.42),
    "compiled_edge_blocks": (0.5, 0.001, 0.4),
    "fused_edge_blocks": (0.45, 0.001, 0.29),
    "reversible": (0.3, 0.25, 1.6),
    "offloaded": (0.1, 0.1, 2.0),
}
FRONTIER_BYTES = {
    "GCN": (9_000.0, 500.0),
    "SAGE": (9_500.0, 260.0),
    "SAGE-max": (9_600.0, 900.0),
    "GIN": (12_000.0, 260.0),
    "GAT": (11_000.0, 2_500.0),
    "GATv2": (14_000.0, 7_500.0),
    "EdgeConv": (16_000.0, 5_200.0),
}
FRONTIER_DEGREES = (4.0, 8.0, 32.0, 128.0, 512.0)
ATTENTION = ("GAT", "GATv2")
NEEDS_CUDA = "offloaded needs a CUDA device, and this machine has none"
NEEDS_ATTENTION = "fused_edge_blocks is for attention convolutions"


def frontier_table(
    *,
    convolutions: Sequence[str] = ("GCN", "GATv2"),
    aggregations: Sequence[str] = ("gather_scatter", "spmm"),
    allocators: Sequence[str] = ("retaining", "default"),
    policies: Sequence[str] = tuple(FRONTIER_SHARES),
    degrees: Sequence[float] = FRONTIER_DEGREES,
    num_nodes: int = 2000,
    untimed: float | None = 512.0,
    noise: float = 0.02,
) -> Table:
    """Return a frontier study's table: one number of nodes, many policies, the level `untimed` without times.

    The noise of a row is drawn from its own name, so that another allocator in the table changes no other row.

    Under another allocator than retaining a step takes longer by 4 seconds a GiB of activations, all of it page
    faults. GCN as a sparse product keeps a tenth of the bytes per edge. `reversible` is another model, `offloaded`
    unavailable, `fused_edge_blocks` refused but for attention.
    """
    graphs = generated_graphs((num_nodes,), degrees, 1)
    cells = [
        (graph, convolution, aggregation, allocator)
        for graph in graphs
        for allocator in allocators
        for aggregation in aggregations
        for convolution in convolutions
        if aggregation == "gather_scatter" or convolution in ("GCN", "SAGE", "GIN")
    ]
    rows: Table = []
    for number, (graph, convolution, aggregation, allocator) in enumerate(cells):
        per_node, per_edge = FRONTIER_BYTES[convolution]
        per_edge *= 0.1 if aggregation == "spmm" else 1.0

        def activation(policy: str, graph: Graph = graph, node: float = per_node, edge: float = per_edge) -> float:
            shares = FRONTIER_SHARES[policy]
            return 5_000 + node * shares[0] * graph.num_nodes + edge * shares[1] * graph.num_edges

        cell = f"{graph.id}-{convolution}-{aggregation}-{allocator}"

        def seconds(policy: str, graph: Graph = graph, allocator: str = allocator, cell: str = cell) -> float:
            # Checkpointing costs a little less on denser graphs.
            own = FRONTIER_SHARES[policy][2] * (graph.requested or 1.0) ** (-0.02 if policy != "none" else 0)
            own_noise = np.random.default_rng(zlib.crc32(f"{cell}-{policy}".encode()))
            jitter = float(np.exp(noise * own_noise.standard_normal()))
            return (2e-6 * graph.num_edges + 2e-6 * graph.num_nodes) * own * jitter + faulting(policy, allocator)

        def faulting(policy: str, allocator: str) -> float:
            return 0.0 if allocator == "retaining" else 4 * activation(policy) / 2**30

        times = {policy: seconds(policy) for policy in policies}
        for policy in policies:
            costs = Costs(
                activation(policy), 0.7 * activation(policy), activation("none"), times[policy], times["none"]
            )
            row = _row(number, graph, convolution, policy, costs)
            row |= {
                "cell": cell,
                "aggregation": aggregation,
                "allocator": allocator,
                "policy_resident_bytes": 12 * graph.num_edges if "edge_blocks" in policy else 0,
                "page_faults": 0.0 if allocator == "retaining" else activation(policy) // 4096,
                "system_time_seconds": faulting(policy, allocator),
                "involuntary_switches": float(number % 3),
                "sentinel_drift": 0.01 * (1 + number % 4),
            }
            if graph.requested == untimed:
                row |= dict.fromkeys(TIMES)
            rows.append(row | _told(policy, convolution, row))
    return rows


def _told(policy: str, convolution: str, row: dict[str, Value]) -> dict[str, Value]:
    """Return what a policy that is not run, or trains another model, leaves in its row."""
    if policy == "offloaded":
        return {**_emptied(), "outcome": "unavailable", "message": NEEDS_CUDA}
    if policy == "fused_edge_blocks" and (convolution not in ATTENTION or row["aggregation"] == "spmm"):
        return {**_emptied(), "outcome": "refused", "message": NEEDS_ATTENTION}
    if policy == "reversible":
        unknown = ("same_loss", "same_gradients", "same_buffers", "loss_error", "gradient_error", "buffer_error")
        return {"other_model": True, **dict.fromkeys(unknown)}
    return {}


def _emptied() -> dict[str, Value]:
    return (
        {
            column.name: None
            for column in COLUMNS
            if column.unit in ("bytes", "seconds") and column.name not in ("measured_seconds", "memory_limit_bytes")
        }
        | dict.fromkeys(RATIOS)
        | dict.fromkeys(("same_loss", "same_gradients", "same_buffers"))
    )


def protocol(**changes: Any) -> Protocol:
    """Return what a study fixes of the analysis; quick, and with few resamples."""
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


def without(rows: Table, cell: str, policy: str, outcome: str, message: str = "") -> Table:
    """Return the table with one row that did not complete: its numbers empty, as the collector leaves them."""
    change = {**_emptied(), "outcome": outcome, "message": message}
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


def with_visits(
    rows: Table, graphs: Sequence[str], *, visits: int = 2, deviation: float = 0.05, day: int = 5, seed: int = 9
) -> Table:
    """The table with its `graphs` visited again, each time on a later day; ratios of time off by `deviation`.

    Other numbers of a visit are far from the first ones, so that a reader that counts them would tell.
    """
    generator = np.random.default_rng(seed)
    found = list(rows)
    for visit in range(1, visits + 1):
        for row in rows:
            if row["graph"] not in graphs or row["outcome"] != "completed":
                continue
            off = float(np.exp(deviation * generator.standard_normal()))
            stamps = dict.fromkeys(STAMPS, f"2026-02-0{day}T0{visit}:00:00+00:00")
            times = {name: float(row[name]) * off for name in SHIFTED if isinstance(row[name], int | float)}
            worse = {"activation_bytes": 2 * int(row["activation_bytes"] or 0), "warnings": "visited", "rounds": 99}
            found.append({**row, **stamps, **times, **worse, "visit": visit, "high_water_agrees": False})
    return found


def depth_table(
    layers: Sequence[int] = (50, 100, 200), degrees: Sequence[float] = (3.0, 8.0), stacks: Sequence[str] = ("SAGE",)
) -> Table:
    """Return a table of several depths: none and layers grow with them, reversible (another model) does not."""
    shares = {"none": lambda depth: depth, "layers": lambda depth: 1 + 0.2 * depth, "reversible": lambda _: 4.0}
    rows: Table = []
    cells = [
        (graph, stack, depth) for graph in generated_graphs((1000,), degrees, 1) for stack in stacks for depth in layers
    ]
    for number, (graph, stack, depth) in enumerate(cells):
        for policy, share in shares.items():
            own, none = 1000.0 * share(depth) * graph.num_edges, 1000.0 * depth * graph.num_edges
            times = {"none": 1.0, "layers": 1.4, "reversible": 1.5}
            costs = Costs(own, 0.5 * own, none, 0.01 * depth * times[policy], 0.01 * depth)
            row = _row(number, graph, stack, policy, costs)
            row |= {
                "cell": f"{graph.id}-{stack}-{depth}",
                "model": f"{depth} layers",
                "num_layers": depth,
                "parameters": 100 * depth,
                "other_model": policy == "reversible",
            }
            rows.append(row)
    return rows


def ego_table(degrees: Sequence[float] = (2.0, 8.0), radii: Sequence[int] = (1, 2)) -> Table:
    """Return graphs of 1,000 nodes, each with encodings and as a bag whose nodes and edges grow with degree^radius."""
    graphs = []
    for whole in generated_graphs((1000,), degrees, 1):
        graphs.append(whole)
        for radius in radii:
            around = int(1 + (whole.requested or 0) ** radius)
            past = {"base": whole.id, "base_label": whole.label, "size": float(radius)}
            graphs += [
                Graph(
                    f"{whole.id}-enc-{radius}", whole.label, "sbm", 1000, whole.num_edges, None, 0, "encodings", **past
                ),
                Graph(
                    f"{whole.id}-bag-{radius}",
                    whole.label,
                    "sbm",
                    1000 * around,
                    whole.num_edges * around,
                    None,
                    0,
                    "ego_networks",
                    **past,
                ),
            ]
    return table(np.random.default_rng(5), graphs, convolutions=("GCN",), policies=("none", "layers"))


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
TIMES = (
    "step_time_seconds",
    "forward_time_seconds",
    "backward_time_seconds",
    "cpu_time_seconds",
    "system_time_seconds",
    "page_faults",
    "involuntary_switches",
    "warm_up_seconds",
    "nodes_per_second",
    "edges_per_second",
    "rounds",
    "processes",
    "process_spread",
    "time_ratio",
    "time_ratio_low",
    "time_ratio_high",
)
STAMPS = ("started", "ended", "again_started", "again_ended")
SHIFTED = ("step_time_seconds", "time_ratio", "time_ratio_low", "time_ratio_high")
RESIDENT_BYTES = 1_000_000
MEMORY_LIMIT_BYTES = 8 * 2**30
BLOCK_EDGES = 8192


def _row(number: int, graph: Graph, convolution: str, policy: str, costs: Costs) -> dict[str, Value]:
    activation, saved, none = costs.activation, costs.saved, costs.none_activation
    ratio = costs.seconds / costs.none_seconds
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
        "visit": 0,
        "nodes_per_second": graph.num_nodes / costs.seconds,
        "edges_per_second": graph.num_edges / costs.seconds,
        "num_features": 32,
        "replicate": graph.replicate,
        "derivation": graph.derivation,
        "base": graph.base,
        "base_label": graph.base_label,
        "derivation_size": graph.size,
        "training_nodes": graph.num_nodes // 2,
        "degree_p5": 1,
        "median_degree": 8,
        "degree_p95": 40,
        "maximum_degree": 90,
        "clustering": 0.1,
        "homophily": 0.6,
        "convolution": convolution,
        "aggregation": "gather_scatter",
        "model": "",
        "parameters": 12_345,
        "num_layers": NUM_LAYERS,
        "hidden_channels": HIDDEN_CHANNELS,
        "heads": 4,
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
        "forward_time_seconds": costs.seconds * 0.4,
        "backward_time_seconds": costs.seconds * 0.6,
        "involuntary_switches": 0.0,
        "sentinel_drift": 0.01,
        "sentinel_seconds": None,
        "step_time_seconds": costs.seconds,
        "cpu_time_seconds": costs.seconds,
        "system_time_seconds": 0.0,
        "page_faults": 0.0,
        "warm_up_seconds": 2 * costs.seconds,
        "rounds": 10,
        "processes": 2,
        "process_spread": 0.005,
        "edges_at_once": min(graph.num_edges, BLOCK_EDGES) if "edge_blocks" in policy else graph.num_edges,
        "memory_limit_bytes": MEMORY_LIMIT_BYTES,
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
        "again_started": f"2026-01-02T{hour:02}:{minute:02}:{second:02}+00:00",
        "again_ended": f"2026-01-02T{hour:02}:{minute:02}:{second + 3:02}+00:00",
        "warnings": "",
        **{column.name: None for column in COLUMNS if column.cuda},
    }
    assert set(values) == {column.name for column in COLUMNS}
    return values
