"""Real graphs through PyG's own dataset classes, which read checked copies of the raw files and write nowhere else."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch_geometric import datasets

from gnn_checkpointing.graphs.sources.loaded import Loaded, from_pyg, reason
from gnn_checkpointing.graphs.sources.raw_files import provide
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.vocabulary import ONE_OF_A_CLASS


def load_pyg(source: RealGraph, data_root: Path | None) -> Loaded:
    """Load through the dataset class, which works in a temporary folder on checked copies of the raw files."""
    if source.dataset == "KarateClub":
        return from_pyg(datasets.KarateClub()[0], {})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return _through_pyg(source, data_root, Path(folder))


def _through_pyg(source: RealGraph, data_root: Path | None, scratch: Path) -> Loaded:
    """Load with `scratch` as PyG's root: it makes `raw/` and `processed/` there and not below data_root."""
    came_from: list[Path] = []
    files: dict[str, str] = {}

    def fill_raw_folder(dataset: Any) -> None:
        raw = Path(dataset.raw_dir)
        names = [Path(path).name for path in dataset.raw_paths]
        folder, digests = provide(source, data_root, raw.relative_to(dataset.root), names, raw, dataset.download)
        came_from.append(folder)
        files.update(digests)

    base = getattr(datasets, str(source.dataset))
    loader = type(base.__name__, (base,), {"_download": fill_raw_folder})
    named = () if source.dataset in ONE_OF_A_CLASS else (source.name,)
    try:
        return _single_label(from_pyg(loader(str(scratch), *named)[0], files))
    except Refusal:
        raise
    except Exception as error:  # a wrong name is an AssertionError; damaged files fail as numpy or scipy likes
        if not any(scratch.iterdir()):
            raise Refusal(f"real graph {source.name}: PyG's {source.dataset} has no dataset of that name") from None
        raise Refusal(
            f"real graph {source.name}: PyG cannot read the raw files in {came_from[0].resolve()} ({reason(error)}); "
            "replace them by the original files"
        ) from None


def _single_label(loaded: Loaded) -> Loaded:
    """Return a graph whose nodes have several labels each (Yelp) with the first of them as the class of a node."""
    if loaded.labels.ndim == 1 or loaded.labels.shape[1] == 1:
        return loaded
    several = torch.from_numpy(loaded.labels) > 0
    labels = torch.where(several.any(dim=1), several.int().argmax(dim=1), -1).numpy()
    note = f"nodes have several of {loaded.labels.shape[1]} labels each; the class of a node is the first of them"
    return Loaded(loaded.features, loaded.edge_index, labels, loaded.files, (*loaded.notes, note))
