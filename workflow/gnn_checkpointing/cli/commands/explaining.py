"""Commands that explain a Vision GNN: its blocks' graphs on a folder of images, or on those that a study names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from gnn_checkpointing.cli.options import STUDY, AtLeastOne, Output, OutputFolder, Study, says
from gnn_checkpointing.refusal import Refusal

if TYPE_CHECKING:
    from gnn_checkpointing.records.explained import Explained
    from gnn_checkpointing.report.figures.explained import Curve


def explain(
    *,
    images: Annotated[Path, says("a folder of images for each class")],
    masks: Annotated[Path | None, says("masks: as the images, each a .png of the same name")] = None,
    weights: Annotated[Path, says("ViG weights in the published layout")],
    classes: Annotated[Path | None, says("the model's classes, one folder name per line")] = None,
    label: Annotated[str | None, says("name of the set of images (default: that of its folder)")] = None,
    size: Annotated[Literal["ti", "s", "b"], says("ViG-Ti, S or B")] = "s",
    k: Annotated[int, says("neighbours in the first block")] = 9,
    side: Annotated[int, says("pixels of an image's side")] = 224,
    batch: Annotated[AtLeastOne, says("images at once")] = 16,
    most: Annotated[AtLeastOne | None, says("only the first images by path (default: all)")] = None,
    threads: Annotated[AtLeastOne, says("threads of torch")] = 1,
    output_folder: OutputFolder,
) -> None:
    import torch

    from gnn_checkpointing.artefacts import sha256_of, write_json, write_text
    from gnn_checkpointing.explaining.explain import explained, patch_graph, trained
    from gnn_checkpointing.explaining.images import class_names, pictures, pixels
    from gnn_checkpointing.models.vision.vig import shape_of
    from gnn_checkpointing.models.vision.weights import classes_of
    from gnn_checkpointing.report.figures.explained import curves_svg, patch_graph_svg

    name = images.resolve().name if label is None else label
    if not name.strip():
        raise Refusal("--label: empty; name the set of images, such as 'ImageNet validation'")
    torch.set_num_threads(threads)
    names = class_names(images, classes, classes_of(weights))
    found = pictures(images, masks, names)[:most]
    model = trained(weights, size, len(names), side, k)
    result = explained(model, size, found, batch, name, sha256_of(weights), _progress)
    write_json(output_folder / "explained.json", result.model_dump(mode="json"))
    write_text(output_folder / "curves.svg", curves_svg(_curves(result)))
    blocks = shape_of(size).blocks
    shown = [(number, patch_graph(model, found[0], number)) for number in (1, blocks // 2, blocks)]
    middle = (side // 16) ** 2 // 2 + side // 32
    write_text(output_folder / "patch-graph.svg", patch_graph_svg(pixels(found[0].path, side), shown, middle))
    print(f"{output_folder}: explained.json, curves.svg and patch-graph.svg of {result.images} images")


def explanations(*, study: Study = STUDY, output: Output) -> None:
    from gnn_checkpointing.measurement.forked import leave_to_server
    from gnn_checkpointing.study.contents import refuse_other_contents
    from gnn_checkpointing.study.reading import read_study

    read = read_study(study)
    asked = read.explained
    if asked is None:
        raise Refusal(f"{study}: no key explained; name weights and images there, or leave this command out")
    leave_to_server(read)
    import torch

    from gnn_checkpointing.artefacts import sha256_of, write_sealed
    from gnn_checkpointing.explaining.explain import explained, trained
    from gnn_checkpointing.explaining.images import class_names, pictures
    from gnn_checkpointing.models.vision.weights import classes_of
    from gnn_checkpointing.records.explained import ExplainedSets
    from gnn_checkpointing.study.vision_shapes import NAMES, SIDE

    refuse_other_contents(read)
    torch.set_num_threads(read.measurement.threads)
    size = next(size for size, name in NAMES.items() if name == asked.convolution)
    classes = classes_of(asked.weights)
    model = trained(asked.weights, size, classes, SIDE, asked.neighbours)
    known = class_names(asked.validation.images, asked.classes, classes)
    found = {}
    for name, given in (("validation", asked.validation), ("adversarial", asked.adversarial)):
        if given is not None:
            images = pictures(given.images, given.masks, known)[: given.most]
            label = given.label or given.images.resolve().name
            found[name] = explained(model, size, images, asked.batch, label, sha256_of(asked.weights), _progress)
    sets = ExplainedSets(validation=found["validation"], adversarial=found.get("adversarial"))
    write_sealed(output, sets.model_dump(mode="json"))


def _curves(result: Explained) -> list[Curve]:
    from gnn_checkpointing.report.figures.explained import Curve
    from gnn_checkpointing.report.sections.vision import MEASURES

    curves = []
    for name, title in MEASURES.items():
        if name == "top1_accuracy":  # a share, which has no mean
            curves.append(Curve(title, [block.top1_accuracy for block in result.blocks], None, None))
            continue
        means = [getattr(block, name) for block in result.blocks]
        if all(mean is not None for mean in means):
            ends = [[mean.low for mean in means], [mean.high for mean in means]]
            known = all(end is not None for side in ends for end in side)
            curves.append(Curve(title, [mean.mean for mean in means], *(ends if known else (None, None))))
    return curves


def _progress(done: int, of: int) -> None:
    print(f"\r{done} of {of} images", end="\n" if done == of else "", file=sys.stderr, flush=True)
