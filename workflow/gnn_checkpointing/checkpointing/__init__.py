"""Checkpointing policies for any PyG model, applied from outside without changes to the model's code.

>>> from torch_geometric.nn import GAT
>>> from gnn_checkpointing.checkpointing import apply, explain, remove
>>> model = apply(GAT(16, 32, num_layers=2))
>>> [row.name for row in explain(model).layers]
['convs.0', 'convs.1']
>>> remove(model)
GAT(16, 32, num_layers=2)
"""

from gnn_checkpointing.checkpointing.edge_blocks import largest_block_edges, policy_tensors
from gnn_checkpointing.checkpointing.explanation import explain
from gnn_checkpointing.checkpointing.policies import apply, edge_blocks, remove

__all__ = ["apply", "edge_blocks", "explain", "largest_block_edges", "policy_tensors", "remove"]
