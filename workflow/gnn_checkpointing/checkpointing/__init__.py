"""Checkpointing policies that wrap a model from outside: a small library for any PyG model.

from gnn_checkpointing.checkpointing import apply, edge_blocks

apply(model, "edge_blocks")     # every message passing layer of a model, or
edge_blocks(conv)               # one layer
"""

from gnn_checkpointing.checkpointing.blocked_layers import largest_block_edges, policy_tensors
from gnn_checkpointing.checkpointing.edge_blocks import edge_blocks
from gnn_checkpointing.checkpointing.policies import apply

__all__ = ["apply", "edge_blocks", "largest_block_edges", "policy_tensors"]
