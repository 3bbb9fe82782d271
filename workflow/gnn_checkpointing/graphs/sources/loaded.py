"""What every source of real graphs gives, and where the public graphs are from; the report prints it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.refusal import shown
from gnn_checkpointing.study.graph_entries import RealGraph

NOT_STATED = "not stated by the source"
_MIT = "MIT (repository)"
_SHCHUR = ("https://github.com/shchur/gnn-benchmark (Shchur et al. 2018)", _MIT)
_GRAPHSAINT = ("https://github.com/GraphSAINT/GraphSAINT (Zeng et al. 2020)", _MIT)
_GEOM_GCN = ("https://github.com/graphdml-uiuc-jlu/geom-gcn (Pei et al. 2020)", NOT_STATED)
_ORIGINS: dict[str | None, tuple[str, str]] = {
    None: ("a file of the user's own", "not given in the study"),
    "KarateClub": ("Zachary 1977, J. Anthropol. Res. 33, 452; part of PyG", NOT_STATED),
    "Planetoid": ("https://github.com/kimiyoung/planetoid (Yang, Cohen and Salakhutdinov 2016)", _MIT),
    "Coauthor": _SHCHUR,
    "Amazon": _SHCHUR,
    "Reddit": ("https://data.dgl.ai/dataset/reddit.zip (Hamilton, Ying and Leskovec 2017)", NOT_STATED),
    "Reddit2": _GRAPHSAINT,
    "Flickr": _GRAPHSAINT,
    "Yelp": _GRAPHSAINT,
    "LINKXDataset": ("https://github.com/CUAI/Non-Homophily-Large-Scale (Lim et al. 2021)", NOT_STATED),
    "HeterophilousGraphDataset": (
        "https://github.com/yandex-research/heterophilous-graphs (Platonov et al. 2023)",
        _MIT,
    ),
    "Actor": _GEOM_GCN,
    "WebKB": _GEOM_GCN,
    "ogbn-arxiv": ("https://ogb.stanford.edu/docs/nodeprop/#ogbn-arxiv (Hu et al. 2020)", "ODC-BY"),
    "ogbn-products": ("https://ogb.stanford.edu/docs/nodeprop/#ogbn-products (Hu et al. 2020)", "Amazon license"),
}


@dataclass(frozen=True)
class Loaded:
    """Features `[num_nodes, num_features]`, edges `[2, num_edges]` in any order, labels `[num_nodes]` (below 0: none).

    `files` holds the SHA-256 of every file read, by name; `notes` what the source changed on its own account.
    """

    features: NDArray[np.float32]
    edge_index: NDArray[np.int64]
    labels: NDArray[Any]
    files: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def origin(source: RealGraph) -> tuple[str, str]:
    """What the study says of the graph's source and licence, and where it says nothing, what is known."""
    known = _ORIGINS[source.name if source.dataset == "OGB" else source.dataset]
    return source.source or known[0], source.licence or known[1]


def reason(error: Exception) -> str:
    """An exception in one short line."""
    return shown(f"{type(error).__name__}: {' '.join(str(error).split())}")
