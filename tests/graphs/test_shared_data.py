"""The five real graphs beside the checkout, where they are there: sizes as their README gives them."""

from pathlib import Path

import pytest

from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.graphs.storage import load_graph, save_graph

from .builders import loaded

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no folder {DATA}: the real graphs are not part of the repository")
@pytest.mark.parametrize(
    ("entry", "num_nodes", "num_edges", "num_features", "num_classes"),
    [
        ({"class": "Planetoid", "name": "Cora"}, 2708, 10556, 1433, 7),
        ({"npz": "Twitch-DE/raw/graph.npz", "name": "Twitch-DE", "to_undirected": True}, 9498, 306276, 3170, 2),
        ({"class": "LINKXDataset", "name": "amherst41"}, 2235, 181908, 1193, 2),
        ({"class": "HeterophilousGraphDataset", "name": "tolokers"}, 11758, 1038000, 10, 2),
        ({"npz": "ACM3025-PLP/raw/graph.npz", "name": "ACM3025-PLP"}, 3025, 2207736, 1870, 3),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_a_real_graph_is_loaded_as_described(tmp_path, entry, num_nodes, num_edges, num_features, num_classes):
    before = sorted(DATA.rglob("*"))
    graph = make_graph(loaded(**{"class": None, **entry}, data_root=str(DATA)))
    assert (graph.num_nodes, graph.num_edges) == (num_nodes, num_edges)
    assert (graph.features.shape[1], graph.num_classes) == (num_features, num_classes)
    assert ((graph.labels < 0).sum() == 203) if entry["name"] == "amherst41" else (graph.labels >= 0).all()
    assert sorted(DATA.rglob("*")) == before
    save_graph(tmp_path / "graph.npz", graph)
    assert load_graph(tmp_path / "graph.npz").content_sha256 == graph.content_sha256
