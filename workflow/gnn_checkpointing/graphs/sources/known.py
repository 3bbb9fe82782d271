"""What is known of the public graphs: where they are from and under which licence; the report prints it."""

from __future__ import annotations

from typing import NamedTuple

from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.vocabulary import DatasetClass

NOT_STATED = "not stated by the source"


class Origin(NamedTuple):
    """Source and licence as words for the report."""

    source: str
    licence: str


_CLASSES: dict[DatasetClass, Origin] = {
    "KarateClub": Origin("Zachary 1977, J. Anthropol. Res. 33, 452; part of PyG", NOT_STATED),
    "Planetoid": Origin(
        "https://github.com/kimiyoung/planetoid (Yang, Cohen and Salakhutdinov 2016)", "MIT (repository)"
    ),
    "Coauthor": Origin("https://github.com/shchur/gnn-benchmark (Shchur et al. 2018)", "MIT (repository)"),
    "Amazon": Origin("https://github.com/shchur/gnn-benchmark (Shchur et al. 2018)", "MIT (repository)"),
    "Reddit": Origin("https://data.dgl.ai/dataset/reddit.zip (Hamilton, Ying and Leskovec 2017)", NOT_STATED),
    "Reddit2": Origin("https://github.com/GraphSAINT/GraphSAINT (Zeng et al. 2020)", "MIT (repository)"),
    "Flickr": Origin("https://github.com/GraphSAINT/GraphSAINT (Zeng et al. 2020)", "MIT (repository)"),
    "Yelp": Origin("https://github.com/GraphSAINT/GraphSAINT (Zeng et al. 2020)", "MIT (repository)"),
    "LINKXDataset": Origin("https://github.com/CUAI/Non-Homophily-Large-Scale (Lim et al. 2021)", NOT_STATED),
    "HeterophilousGraphDataset": Origin(
        "https://github.com/yandex-research/heterophilous-graphs (Platonov et al. 2023)", "MIT (repository)"
    ),
    "Actor": Origin("https://github.com/graphdml-uiuc-jlu/geom-gcn (Pei et al. 2020)", NOT_STATED),
    "WebKB": Origin("https://github.com/graphdml-uiuc-jlu/geom-gcn (Pei et al. 2020)", NOT_STATED),
    "OGB": Origin("https://ogb.stanford.edu (Hu et al. 2020)", NOT_STATED),
}
_NAMES: dict[str, Origin] = {
    "ogbn-arxiv": Origin("https://ogb.stanford.edu/docs/nodeprop/#ogbn-arxiv (Hu et al. 2020)", "ODC-BY"),
    "ogbn-products": Origin("https://ogb.stanford.edu/docs/nodeprop/#ogbn-products (Hu et al. 2020)", "Amazon license"),
}
_OWN = Origin("a file of the user's own", "not given in the study")


def origin(source: RealGraph) -> Origin:
    """Return what the study says of the graph's source and licence, and where it says nothing, what is known."""
    known = _OWN if source.dataset is None else _NAMES.get(source.name, _CLASSES[source.dataset])
    return Origin(source.source or known.source, source.licence or known.licence)
