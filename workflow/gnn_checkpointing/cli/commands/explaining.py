"""Commands that explain a Vision GNN: its blocks' graphs on a folder of images, or on those that a study names."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_checkpointing.refusal import Refusal

if TYPE_CHECKING:
    from gnn_checkpointing.records.explained import Explained
    from gnn_checkpointing.report.figures.explained import Curve


def explain(options: argparse.Namespace) -> None:
    """Measure the graph of every block of a Vision GNN on your images; draw the curves and one image's patch graph."""
    import torch

    from gnn_checkpointing.artefacts import sha256_of, write_json, write_text
    from gnn_checkpointing.explaining.explain import explained, patch_graph, trained
    from gnn_checkpointing.explaining.images import class_names, pictures, pixels
    from gnn_checkpointing.models.vision.vig import shape_of
    from gnn_checkpointing.models.vision.weights import classes_of
    from gnn_checkpointing.report.figures.explained import curves_svg, patch_graph_svg

    torch.set_num_threads(options.threads)
    names = class_names(options.images, options.classes, classes_of(options.weights))
    found = pictures(options.images, options.masks, names)[: options.most]
    model = trained(options.weights, options.size, len(names), options.side, options.k)
    result = explained(
        model, options.size, found, options.batch, _label(options), sha256_of(options.weights), _progress
    )
    write_json(options.output_folder / "explained.json", result.model_dump(mode="json"))
    write_text(options.output_folder / "curves.svg", curves_svg(_curves(result)))
    blocks = shape_of(options.size).blocks
    graphs = [(number, patch_graph(model, found[0], number)) for number in (1, blocks // 2, blocks)]
    middle = (options.side // 16) ** 2 // 2 + options.side // 32
    write_text(
        options.output_folder / "patch-graph.svg", patch_graph_svg(pixels(found[0].path, options.side), graphs, middle)
    )
    print(f"{options.output_folder}: explained.json, curves.svg and patch-graph.svg of {result.images} images")


def explanations(options: argparse.Namespace) -> None:
    """Measure the graph of every block on the images that a study names: what its seed claims rest on."""
    import torch

    from gnn_checkpointing.artefacts import seal, sha256_of, write_json
    from gnn_checkpointing.explaining.explain import explained, trained
    from gnn_checkpointing.explaining.images import class_names, pictures
    from gnn_checkpointing.models.vision.weights import classes_of
    from gnn_checkpointing.records.explained import ExplainedSets
    from gnn_checkpointing.study.contents import refuse_other_contents
    from gnn_checkpointing.study.reading import read_study
    from gnn_checkpointing.study.vision_shapes import NAMES, SIDE

    study = read_study(options.study)
    asked = study.explained
    if asked is None:
        raise Refusal(f"{options.study}: no key explained; name weights and images there, or leave this command out")
    refuse_other_contents(study)
    torch.set_num_threads(study.measurement.threads)
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
    write_json(options.output, sets.model_dump(mode="json"))
    seal(options.output)


def _label(options: argparse.Namespace) -> str:
    label: str = options.label or Path(options.images).resolve().name
    if not label.strip():
        raise Refusal("--label: empty; name the set of images, such as 'ImageNet validation'")
    return label


def _curves(result: Explained) -> list[Curve]:
    from gnn_checkpointing.report.figures.explained import Curve
    from gnn_checkpointing.report.sections.explained import MEASURES

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
