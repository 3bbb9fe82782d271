"""Sizes of well-known graphs are those that the installed PyG documents."""

from __future__ import annotations

import re

from torch_geometric import datasets

from gnn_checkpointing.planning.well_known import OGB, PYG, WELL_KNOWN

PLACES = {
    "Cora": (datasets.Planetoid, "Cora"),
    "CiteSeer": (datasets.Planetoid, "CiteSeer"),
    "PubMed": (datasets.Planetoid, "PubMed"),
    "Amazon Computers": (datasets.Amazon, "Computers"),
    "Amazon Photo": (datasets.Amazon, "Photo"),
    "Coauthor CS": (datasets.Coauthor, "CS"),
    "Coauthor Physics": (datasets.Coauthor, "Physics"),
    "Flickr": (datasets.Flickr, None),
    "Yelp": (datasets.Yelp, None),
    "Reddit": (datasets.Reddit, None),
    "AmazonProducts": (datasets.AmazonProducts, None),
}


def documented(kind: type, name: str | None) -> tuple[int, int, int]:
    """Return nodes, edges and features from the table in a dataset's docstring."""
    rows = [
        [value.strip() for value in re.split(r"\n\s+- ", row)]
        for row in re.split(r"\n\s+\* - ", kind.__doc__ or "")[1:]
    ]
    found = next(row for row in rows[1:] if name is None or row[0] == name)
    numbers = [int(value.split("\n")[0].replace(",", "")) for value in found if re.match(r"[\d,]+", value)]
    return numbers[0], numbers[1], numbers[2]


def test_sizes_are_those_that_pyg_documents() -> None:
    ours = [graph for graph in WELL_KNOWN if graph.source == PYG]
    assert {graph.label for graph in ours} == set(PLACES)
    for graph in ours:
        assert (graph.num_nodes, graph.num_edges, graph.num_features) == documented(*PLACES[graph.label]), graph.label


def test_graphs_of_the_open_graph_benchmark_have_both_directions_of_its_edges() -> None:
    """Hu et al. (2020), arXiv 2005.00687, table 2: nodes and edges, each in one direction."""
    published = {
        "ogbn-products": (2_449_029, 61_859_140),
        "ogbn-proteins": (132_534, 39_561_252),
        "ogbn-arxiv": (169_343, 1_166_243),
    }
    ours = {graph.label: (graph.num_nodes, graph.num_edges // 2) for graph in WELL_KNOWN if graph.source == OGB}
    assert ours == published
