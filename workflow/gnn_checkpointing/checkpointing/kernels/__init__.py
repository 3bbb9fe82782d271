"""Whole graph kernels of our own: forward and gradient of message passing without a value kept per edge.

Each family takes node tensors and `GraphTables` and gives node tensors: `attention`, `weighted` sums, `extremum`.
"""

from gnn_checkpointing.checkpointing.kernels import attention, extremum, weighted
from gnn_checkpointing.checkpointing.kernels.build import load
from gnn_checkpointing.checkpointing.kernels.tables import GraphTables, graph_tables

__all__ = ["GraphTables", "attention", "extremum", "graph_tables", "load", "weighted"]
