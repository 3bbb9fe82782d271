"""Findings made by hand in which every part has something to say: the widest ledger that there is."""

from __future__ import annotations

from analysis.explained_sets import explained
from analysis.tables import depth_table, ego_table, protocol
from gnn_checkpointing.analysis.analyse import Findings, analyse
from gnn_checkpointing.analysis.explained import explanations
from gnn_checkpointing.analysis.results import Quantity, ReplicateSpread, Trends
from gnn_checkpointing.records.explained import ExplainedSets

from .made import effect, effects, empty, flatness, frontier, point, trends
from .tried import (
    about,
    candidate,
    capacity,
    censored,
    count,
    coverage,
    drift,
    influence,
    left_out,
    predictions,
    robustness,
    stopping,
    summary,
)

QUANTITIES: tuple[Quantity, ...] = ("activation_ratio", "time_ratio")


def everything() -> Findings:
    """Return findings in which every new part has something to say, with several policies in most of them."""
    more = ("edge_blocks", "segments(3)", "memory_budget(0.5)", "memory_budget(1)", "fused_edge_blocks")
    systems = [analyse(rows, [], protocol()).effects for rows in (depth_table(), ego_table())]
    bands = [
        trends(policy, quantity, {"4": about(0.8, 0.1), "128": about(0.995, 0.001)}, ("rises", about(64, 8), ""))
        for policy in ("layers", "edge_blocks")
        for quantity in QUANTITIES
    ]
    return empty(
        effects=effects(
            *(effect("GATv2", policy, time=1.2) for policy in more), real=(effect("GCN", "layers", "Cora"),)
        ),
        trends=Trends(
            confidence=0.95,
            bands=[band for one in bands for band in one.bands],
            break_evens=[even for one in bands for even in one.break_evens],
        ),
        predictions=predictions(
            leaderboard=[candidate("none", 0.01), candidate("layers", 0.05), candidate("layers", 0.9, chosen=False)],
            coverage=[coverage("activation_bytes"), coverage("saved_activation_bytes"), coverage("step_time_seconds")],
            analytic=[count("none", 99.0), count("layers", 103.0), count("edge_blocks", 0.0)],
            summaries=[summary("activation_bytes"), summary("step_time_seconds")],
            censored=[censored("a", 9.0), censored("b", 30.0), censored("c", None)],
            capacities=[
                capacity(policy, degree, memory_gib=gib)
                for gib in (1.0, 2.0)
                for policy, degree in (("none", about(20 * gib, 1)), ("edge_blocks", about(400 * gib, 9)))
            ],
        ),
        robustness=robustness(
            left_out=[left_out("layers"), left_out("edge_blocks", "g1", "g2")],
            influence=[influence("layers", -0.02), influence("edge_blocks", 0.3)],
            drift=[drift("layers", 0.01), drift("edge_blocks", 0.2)],
            replicates=[ReplicateSpread(response="activation_bytes", places=9, median=0.0, worst=0.002, worst_at="d4")],
            stopping=[stopping(0.02, 0.95), stopping(0.1, 0.94)],
        ),
        explained=explanations(ExplainedSets(validation=explained(), adversarial=explained(label="b <i>")), 0.95),
        frontier=frontier(
            point("GATv2", "none", level="4", forward_share=0.5),
            point("GATv2", "none", forward_share=0.4, num_edges=500),
            point("GATv2", "layers", time=1.5),
            point("GATv2", "segments(3)", time=1.3),
            point("GATv2", "reversible", ratio=0.3),
            *(row for found in systems for row in found.rows),
            models=[model for found in systems for model in found.models],
            flatness=[flatness()],
        ),
    )
