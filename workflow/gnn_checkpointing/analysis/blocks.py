"""The blocks of a model's hidden layers, which decide its peak."""

from __future__ import annotations

import sys
from dataclasses import replace

from gnn_checkpointing.analysis.table import Row
from gnn_checkpointing.study.block_rule import EDGES_PER_NODE, SMALLEST_BYTES, block_edges
from gnn_checkpointing.study.convolutions import READS_FEATURES
from gnn_checkpointing.study.policy_names import parse_policy


def of_hidden_layers(row: Row) -> Row:
    """The row with the block of a hidden layer; where the first layer gathers few features, its block has more edges.

    Records hold the largest block of all layers.
    """
    policy = parse_policy(row.policy)
    by_rule = row.edges_at_once is not None and policy.count is None and policy.kind in EDGES_PER_NODE
    few_features = row.convolution.split(" ")[0] in READS_FEATURES and row.num_features < row.hidden_channels
    if not by_rule or not few_features or row.device != "cpu":
        return row
    block = block_edges(row.num_nodes, row.hidden_channels, EDGES_PER_NODE[policy.kind], SMALLEST_BYTES, sys.maxsize)
    return replace(row, edges_at_once=min(row.edges_at_once or block, block))
