"""Real graphs of the Open Graph Benchmark, whose raw tables the optional package `ogb` reads and knows where to get."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np

from gnn_checkpointing.graphs.sources.loaded import Loaded, reason
from gnn_checkpointing.graphs.sources.raw_files import provide
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_entries import RealGraph

FILES = ["edge.csv.gz", "node-feat.csv.gz", "node-label.csv.gz", "num-node-list.csv.gz", "num-edge-list.csv.gz"]


def load_ogb(source: RealGraph, data_root: Path | None) -> Loaded:
    """Load from OGB's raw tables; its own loader would write a pickle beside them and open it again."""
    try:
        from ogb.io.read_graph_raw import read_csv_graph_raw
    except ImportError:
        raise Refusal(
            f"real graph {source.name}: class OGB needs the package ogb, which is not installed; install it with "
            'pip install "gnn-checkpointing[ogb]"'
        ) from None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        raw = Path(folder) / "raw"
        inner = Path(source.name.replace("-", "_")) / "raw"
        came_from, files = provide(source, data_root, inner, FILES, raw, lambda: _download(source.name, raw))
        try:
            graph = read_csv_graph_raw(str(raw))[0]
            labels = np.loadtxt(raw / "node-label.csv.gz", dtype=np.int64, delimiter=",", ndmin=1)
            return Loaded(
                np.ascontiguousarray(graph["node_feat"], dtype=np.float32),
                graph["edge_index"].astype(np.int64),
                labels,
                files,
            )
        except Exception as error:  # whatever pandas or numpy objects to, the files are at fault
            raise Refusal(
                f"real graph {source.name}: ogb cannot read the raw files in {came_from.resolve()} ({reason(error)}); "
                "replace them by the original files"
            ) from None


def _download(name: str, raw: Path) -> None:
    """Fetch the archive that ogb's own list names, and leave its raw tables in `raw`."""
    import ogb.nodeproppred
    from ogb.utils.url import download_url, extract_zip

    # A table whose columns are the graphs; the first column names its rows.
    with (Path(ogb.nodeproppred.__file__).parent / "master.csv").open(newline="", encoding="utf-8") as stream:
        url = next(row for row in csv.DictReader(stream) if row[""] == "url")[name]
    extract_zip(download_url(url, str(raw)), str(raw))
    for path in raw.rglob("raw/*.csv.gz"):
        path.replace(raw / path.name)
