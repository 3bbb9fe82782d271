"""Real graphs that everyone knows, to plan for without having them: sizes as PyG's documentation gives them."""

from __future__ import annotations

from gnn_checkpointing.planning.knowledge import KnownGraph

_SIZES = (
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
    KnownGraph(label=label, num_nodes=nodes, num_edges=edges, num_features=features)
    for label, nodes, edges, features in _SIZES
)
"""A test compares them with the documentation of the installed PyG."""
