"""One convolution trained on one graph under each policy of a study, and once more with the edges reordered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.design import training_cell
from gnn_checkpointing.study.graph_design import graph_spec
from gnn_checkpointing.training.job import Job, train
from gnn_checkpointing.training.state import state_name

if TYPE_CHECKING:
    from gnn_checkpointing.study.study import Study


def train_under_every_policy(
    study: Study, graph: str, convolution: str, graph_file: Path, output: Path, still_wanted: Callable[[], bool]
) -> list[dict[str, Any]]:
    """Records of all jobs; a policy that cannot train is left out and its reason printed."""
    graph_spec(study, graph)
    known = next((name for name in study.architecture.convolutions if name == convolution), None)
    if known is None:
        raise Refusal(f"--convolution {convolution}: the study has {', '.join(study.architecture.convolutions)}")
    cell, loaded = training_cell(study, graph, known), load_graph(graph_file, graph)

    def tell(epoch: int, loss: float) -> None:
        if not still_wanted():
            raise SystemExit(1)
        if epoch % study.training.save_every == 0:
            print(f"epoch {epoch} of {study.training.epochs}, loss {loss:.4f}", flush=True)  # noqa: T201 - its log

    records = []
    for policy in (*study.policies, REORDERED):
        print(f"{convolution} under {policy}", flush=True)  # noqa: T201
        state = output.parent / "states" / state_name(output.stem, policy)
        try:
            record = train(Job(study, cell, loaded, policy), state, tell)
        except Refusal as refusal:
            print(f"not trained: {refusal}", flush=True)  # noqa: T201
            continue
        records.append(record.model_dump(mode="json"))
    return records
