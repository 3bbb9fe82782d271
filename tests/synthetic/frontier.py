"""The table of a frontier study: one number of nodes, many policies, two allocators, two aggregations."""

import zlib
from collections.abc import Sequence

import numpy as np

from .changes import TIMES, emptied
from .graphs import generated_graphs
from .rows import Costs, Table
from .rows import row as row_of

# Policy: its fractions of none's bytes per node and per edge, and its step time as a multiple of none's.
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
    "fused_edge_blocks": (0.45, 0.001, 0.24),
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
    """A frontier study's table: one number of nodes, many policies, the level `untimed` without times.

    Each row's noise is seeded by its own name, so that adding an allocator to the table changes no other row.

    Under allocators other than retaining a step takes 4 more seconds per GiB of activations, all of it page faults.
    As sparse products, convolutions keep a tenth of the bytes per edge. `reversible` is another model, `offloaded` is
    unavailable, and `fused_edge_blocks` is refused except for attention.
    """
    cells = [
        (graph, convolution, aggregation, allocator)
        for graph in generated_graphs((num_nodes,), degrees, 1)
        for allocator in allocators
        for aggregation in aggregations
        for convolution in convolutions
        if aggregation == "gather_scatter" or convolution in ("GCN", "SAGE", "GIN")
    ]
    rows: Table = []
    for number, (graph, convolution, aggregation, allocator) in enumerate(cells):
        cell = f"{graph.id}-{convolution}-{aggregation}-{allocator}"
        per_node, per_edge = FRONTIER_BYTES[convolution]
        per_edge *= 0.1 if aggregation == "spmm" else 1.0
        peaks, faults, times = {}, {}, {}
        for policy in policies:
            of_node, of_edge, of_time = FRONTIER_SHARES[policy]
            peaks[policy] = 5_000 + per_node * of_node * num_nodes + per_edge * of_edge * graph.num_edges
            faults[policy] = 0.0 if allocator == "retaining" else 4 * peaks[policy] / 2**30
            # Checkpointing costs a little less on denser graphs.
            own = of_time * (graph.requested or 1.0) ** (-0.02 if policy != "none" else 0)
            own_noise = np.random.default_rng(zlib.crc32(f"{cell}-{policy}".encode())).standard_normal()
            steady = (2e-6 * graph.num_edges + 2e-6 * num_nodes) * own
            times[policy] = steady * float(np.exp(noise * own_noise)) + faults[policy]
        for policy, peak in peaks.items():
            costs = Costs(peak, 0.7 * peak, peaks["none"], times[policy], times["none"])
            row = row_of(number, graph, convolution, policy, costs)
            row |= {"cell": cell, "aggregation": aggregation, "allocator": allocator}
            row |= {
                "policy_resident_bytes": 12 * graph.num_edges if "edge_blocks" in policy else 0,
                "page_faults": 0.0 if allocator == "retaining" else peak // 4096,
                "system_time_seconds": faults[policy],
                "involuntary_switches": float(number % 3),
                "sentinel_drift": 0.01 * (1 + number % 4),
                **(dict.fromkeys(TIMES) if graph.requested == untimed else {}),
            }
            if policy == "offloaded":
                row |= {**emptied(), "outcome": "unavailable", "message": NEEDS_CUDA}
            elif policy == "fused_edge_blocks" and (convolution not in ATTENTION or aggregation == "spmm"):
                row |= {**emptied(), "outcome": "refused", "message": NEEDS_ATTENTION}
            elif policy == "reversible":
                asked = (
                    ("same_loss", "same_gradients", "same_buffers"),
                    ("loss_error", "gradient_error", "buffer_error"),
                )
                row |= {"other_model": True, **dict.fromkeys(asked[0]), **dict.fromkeys(asked[1])}
            rows.append(row)
    return rows
