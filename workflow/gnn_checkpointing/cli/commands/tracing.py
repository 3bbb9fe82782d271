"""The command that shows one training step to Perfetto."""

from __future__ import annotations

from typing import Annotated

import torch
import torch.nn.functional as F

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.checkpointing import apply, explain
from gnn_checkpointing.cli import options
from gnn_checkpointing.cli.options import STUDY, says
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.step_trace import step_trace
from gnn_checkpointing.measurement.workload import cell_task, contestant, seeded
from gnn_checkpointing.models.own import build_own, own_scores
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import graph_spec
from gnn_checkpointing.study.reading import read_study


def trace(
    *,
    study: options.Study = STUDY,
    graph_file: options.GraphFile,
    graph: Annotated[str | None, says("the study's graph in that file; only with --convolution")] = None,
    convolution: Annotated[str | None, says("one of the study's convolutions")] = None,
    module: Annotated[str | None, says("your own model instead: my_package.my_model:build")] = None,
    policy: Annotated[str, says("policy, as in a study file")] = "none",
    output: options.Output,
) -> None:
    if (module is None) == (convolution is None) or (graph is None) != (convolution is None):
        raise Refusal("which model? give --graph and --convolution of a study, or --module my_package.my_model:build")
    if module is not None:
        loaded = load_graph(graph_file)
        model = apply(build_own(module, loaded.features.shape[1], loaded.num_classes, seed=0).train(), policy)
        features, edges, labels = map(torch.from_numpy, (loaded.features, loaded.edge_index, loaded.labels))

        def forward() -> torch.Tensor:
            return F.cross_entropy(own_scores(model, module, features, edges, loaded.num_classes), labels)

    else:
        read = read_study(study)
        assert graph is not None
        cells = graph_cells(read, graph_spec(read, graph))
        cell = next((one for one in cells if one.convolution == convolution), None)
        if cell is None:
            allowed = ", ".join(dict.fromkeys(one.convolution for one in cells))
            raise Refusal(f"--convolution {convolution}: graph {graph} has cells of {allowed}")
        contest = contestant(cell, cell_task(load_graph(graph_file, graph), cell, torch.device("cpu")), policy)
        model, forward = contest.model, lambda: seeded(contest, cell.seed, contest.forward)
    forward().backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    model.zero_grad(set_to_none=True)
    write_json(output, step_trace(model, forward))
    print(explain(model))
