"""Findings in which no part is empty: they give the widest ledger."""

from gnn_checkpointing.analysis import results as kinds
from gnn_checkpointing.analysis.analyse import Findings, analyse
from gnn_checkpointing.records.jobs import Explanations

from .explained import explained
from .findings import empty
from .results import (
    about,
    candidate,
    capacity,
    censored,
    count,
    coverage,
    effect,
    flatness,
    frontier,
    made,
    point,
    some_effects,
    summary,
    trends,
)
from .tables import depth_table, ego_table, protocol


def everything() -> Findings:
    """Findings in which no part is empty, with several policies in most parts."""
    more = ("edge_blocks", "segments(3)", "memory_budget(0.5)", "memory_budget(1)", "fused_edge_blocks")
    systems = [analyse(rows, [], protocol()).effects for rows in (depth_table(), ego_table())]
    bands = [
        trends(policy, quantity, {"4": about(0.8, 0.1), "128": about(0.995, 0.001)}, ("rises", about(64, 8), ""))
        for policy in ("layers", "edge_blocks")
        for quantity in ("activation_ratio", "time_ratio")
    ]
    blocks = {"policy": "edge_blocks"}
    return empty(
        effects=some_effects(
            *(effect("GATv2", policy, time=1.2) for policy in more), real=(effect("GCN", "layers", "Cora"),)
        ),
        trends=made(
            kinds.Trends,
            bands=[band for one in bands for band in one.bands],
            break_evens=[even for one in bands for even in one.break_evens],
        ),
        predictions=made(
            kinds.Predictions,
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
        robustness=made(
            kinds.Robustness,
            left_out=[made(kinds.LeftOut), made(kinds.LeftOut, **blocks, changes=["g1", "g2"])],
            influence=[
                made(kinds.Influence, shift_per_edge=-0.02),
                made(kinds.Influence, **blocks, shift_per_edge=0.3),
            ],
            drift=[
                made(kinds.RunDrift, change=about(0.01, 0.02)),
                made(kinds.RunDrift, **blocks, change=about(0.2, 0.02)),
            ],
            replicates=[made(kinds.ReplicateSpread, places=9, worst=0.002)],
            stopping=[
                made(kinds.StoppingRule, noise=noise, covered=held) for noise, held in ((0.02, 0.95), (0.1, 0.94))
            ],
        ),
        explained=Explanations(sets={"validation": explained(), "adversarial": explained(label="b <i>")}),
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
