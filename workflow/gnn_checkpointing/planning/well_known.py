"""Real graphs that everyone knows, to plan for without having them: sizes as their publishers give them."""

from __future__ import annotations

from gnn_checkpointing.planning.knowledge import KnownGraph

PYG = "documentation of PyG"
OGB = "Open Graph Benchmark, ogb.stanford.edu/docs/nodeprop, edges in both directions"

_SIZES = (
    ("ogbn-arxiv", 169_343, 2 * 1_166_243, 128),  # few papers cite each other
    ("ogbn-proteins", 132_534, 2 * 39_561_252, 8),  # features: the means of its edges' eight
    ("ogbn-products", 2_449_029, 2 * 61_859_140, 100),
    ("Cora", 2_708, 10_556, 1_433),
    ("CiteSeer", 3_327, 9_104, 3_703),
    ("PubMed", 19_717, 88_648, 500),
    ("Amazon Computers", 13_752, 491_722, 767),
    ("Amazon Photo", 7_650, 238_162, 745),
    ("Coauthor CS", 18_333, 163_788, 6_805),
    ("Coauthor Physics", 34_493, 495_924, 8_415),
    ("Flickr", 89_250, 899_756, 500),
    ("Yelp", 716_847, 13_954_819, 300),
    ("Reddit", 232_965, 114_615_892, 602),
    ("AmazonProducts", 1_569_960, 264_339_468, 200),
)

WELL_KNOWN = tuple(
    KnownGraph(
        label=label,
        num_nodes=nodes,
        num_edges=edges,
        num_features=features,
        source=OGB if label.startswith("ogbn") else PYG,
    )
    for label, nodes, edges, features in _SIZES
)
"""A test compares them with the documentation of the installed PyG."""
