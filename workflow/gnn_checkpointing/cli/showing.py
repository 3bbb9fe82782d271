"""Commands that show a model at work: a Vision GNN's graphs on images, a training step's memory layer by layer."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from cyclopts import Parameter
from cyclopts.validators import Number
from pydantic import TypeAdapter, ValidationError

from gnn_checkpointing.artefacts import sha256_of, write_json, write_text
from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.checkpointing import explain as explained_policies
from gnn_checkpointing.cli import app as options
from gnn_checkpointing.cli.app import STUDY, AtLeastOne, OutputFolder, progress, says
from gnn_checkpointing.explaining import explained, patch_graph, trained
from gnn_checkpointing.explaining.images import class_names, classes_of, pictures, pixels
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.step_trace import step_trace
from gnn_checkpointing.measurement.workload import cell_task, subject_of
from gnn_checkpointing.models.own import build_own, own_scores, refusing
from gnn_checkpointing.records.jobs import Explained
from gnn_checkpointing.refusal import Refusal, shown
from gnn_checkpointing.report.figures.explained import Curve, curves_svg, patch_graph_svg
from gnn_checkpointing.report.sections.timeline import MEASURES
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import graph_spec
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.vocabulary import Text


def explain(
    *,
    images: Annotated[Path, says("a folder of images for each class")],
    masks: Annotated[Path | None, says("masks: as the images, each a .png of the same name")] = None,
    weights: Annotated[Path, says("ViG weights in the published layout")],
    classes: Annotated[Path | None, says("the model's classes, one folder name per line")] = None,
    label: Annotated[str | None, says("name of the set of images (default: that of its folder)")] = None,
    size: Annotated[Literal["ti", "s", "b"], says("ViG-Ti, S or B")] = "s",
    k: Annotated[int, Parameter(help="neighbours in the first block", validator=Number(gte=2))] = 9,
    side: Annotated[AtLeastOne, says("pixels of an image's side")] = 224,
    batch: Annotated[AtLeastOne, says("images at once")] = 16,
    most: Annotated[AtLeastOne | None, says("only the first images by path (default: all)")] = None,
    threads: Annotated[int, Parameter(help="threads of torch", validator=Number(gte=1, lte=4096))] = 1,
    output_folder: OutputFolder,
) -> None:
    name = shown(Path(os.path.abspath(images)).name) if label is None else label  # noqa: PTH100 - links may lead in circles
    try:
        name = TypeAdapter(Text).validate_python(name)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise Refusal(f"--label: {why}; name the set of images, such as 'ImageNet validation'") from None
    torch.set_num_threads(threads)
    names = class_names(images, classes, classes_of(weights))
    found = pictures(images, masks, names)[:most]
    model = trained(weights, size, len(names), side, k)
    result = explained(model, size, found, batch, name, sha256_of(weights), progress)
    write_json(output_folder / "explained.json", result.model_dump(mode="json"))
    write_text(output_folder / "curves.svg", curves_svg(_curves(result)))
    blocks = len(result.blocks)
    drawn = [(number, patch_graph(model, found[0], number)) for number in (1, blocks // 2, blocks)]
    middle = (side // 16) ** 2 // 2 + side // 32
    write_text(output_folder / "patch-graph.svg", patch_graph_svg(pixels(found[0].path, side), drawn, middle))
    print(f"{output_folder}: explained.json, curves.svg and patch-graph.svg of {result.images} images")


def _curves(result: Explained) -> list[Curve]:
    curves = []
    for name, title in MEASURES.items():
        means = [getattr(block, name) for block in result.blocks]
        if all(mean is not None for mean in means):
            ends = [[mean.low for mean in means], [mean.high for mean in means]]
            known = all(end is not None for side in ends for end in side)
            curves.append(Curve(title, [mean.estimate for mean in means], *(ends if known else (None, None))))
    return curves


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
        model = apply(build_own(module, loaded.num_features, loaded.num_classes, seed=0), policy)
        features, edges, labels = map(torch.from_numpy, (loaded.features, loaded.edge_index, loaded.labels))

        def forward() -> torch.Tensor:
            scores = own_scores(model, module, features, edges, loaded.num_classes)
            return F.cross_entropy(scores, labels, ignore_index=-1)  # nodes without a label

    else:
        read = read_study(study)
        assert graph is not None
        cells = graph_cells(read, graph_spec(read, graph))
        cell = next((one for one in cells if one.convolution == convolution), None)
        if cell is None:
            allowed = ", ".join(dict.fromkeys(one.convolution for one in cells))
            raise Refusal(f"--convolution {convolution}: graph {graph} has cells of {allowed}")
        subject = subject_of(cell, cell_task(load_graph(graph_file, graph), cell, torch.device("cpu")), policy)
        model, forward = subject.model, lambda: subject.seeded_forward(cell.seed)
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler reports its own start and stop otherwise
    with refusing(module, "a training step of the model fails", "correct it") if module else nullcontext():
        forward().backward()  # type: ignore[no-untyped-call] # torch annotates it partly
        model.zero_grad(set_to_none=True)
        traced = step_trace(model, forward)
    write_json(output, traced)
    print(explained_policies(model))
