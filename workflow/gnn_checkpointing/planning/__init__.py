"""From a graph and a memory limit to a policy, by the arithmetic of the laws (torch-free).

from gnn_checkpointing.planning import Planner

planner = Planner.read("report/<hardware>/default/planner.json")
plan = planner.plan(num_nodes=100_000, num_edges=20_000_000, convolution="GATv2", memory_gib=8)
plan.recommended            # the fastest policy that fits, such as "edge_blocks"
"""

from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.planning.planner import Plan, Planner, PolicyPlan

__all__ = ["Knowledge", "Plan", "Planner", "PolicyPlan"]
