"""Numbers of Vision GNNs: the model as it was measured or explained, and its blocks on images (explained.json)."""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import ExplainedBlock, ExplainedSet
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing, picked, scaled
from gnn_checkpointing.sourced import counted
from gnn_checkpointing.study.vision_shapes import (
    PATCH_CLASSES,
    PUBLISHED_CLASSES,
    SHAPES_DRAWN,
    further_class_parameters,
)

SMALL = "ViG-S"

Where = Literal["validation", "adversarial"]
Measure = Literal[
    "spatial_distance", "visual_similarity", "embedding_similarity", "class_probability", "modularity", "top1_accuracy"
]
Part = Literal["first", "first four", "last two", "last"]

_TAKES = "it takes trained weights of ViG-Small and {images}, named under the key explained of a study file"
_IMAGES = {"validation": "ImageNet's validation images", "adversarial": "ImageNet-A"}


def small_model(findings: Findings) -> Picked:
    """Return ViG-Small's millions of parameters, blocks and channels, as a study counted them."""
    for model in findings.depths.models:
        if model.convolution.partition(" ")[0] == SMALL and model.parameters is not None:
            images = model.convolution.endswith("(images)")
            more = further_class_parameters(SHAPES_DRAWN if images else PATCH_CLASSES)
            return picked(
                [
                    exactly((model.parameters + more) / 1e6),
                    exactly(model.num_layers * 1.0),
                    exactly(model.hidden_channels * 1.0),
                ],
                f"counted on the measured model, which classifies {'images' if images else 'patches'}: {more} "
                f"parameters more for the {PUBLISHED_CLASSES} classes of the published one",
            )
    for one in findings.explained.sets.values():
        if one.convolution == SMALL:
            return picked(
                [exactly(one.parameters / 1e6), exactly(counted(one.blocks) * 1.0), exactly(one.channels * 1.0)],
                "counted on the explained model",
            )
    return nothing("it takes ViG-Small built as a model: `snakemake --configfile workflow/studies/vision.yaml`")


def blocks(findings: Findings, where: Where, measure: Measure, part: Part, factor: float = 1.0) -> Picked:
    """Return a measure of some blocks on one set of images, times a factor (100 for per cent)."""
    one = findings.explained.sets.get(where)
    if one is None or one.convolution != SMALL:
        return nothing(_lacking(where, one, measure))
    chosen = _part(one.blocks, part)
    found = [getattr(block, measure) for block in chosen]
    if any(value is None for value in found):
        return nothing(_lacking(where, one, measure))
    return picked([scaled(value, factor) for value in found], _note(one))


def fall(findings: Findings, measure: Measure, factor: float = 1.0) -> Picked:
    """Return a measure of the last block on validation images and on adversarial ones."""
    both = [blocks(findings, where, measure, "last", factor) for where in ("validation", "adversarial")]
    for one in both:
        if not one.estimates:
            return one
    return picked([value for one in both for value in one.estimates], "; ".join(one.note for one in both))


def late_rise(findings: Findings) -> Picked:
    """Return how much more embedding similarity rises over the last two blocks than over any two before."""
    one = findings.explained.sets.get("validation")
    if one is None or one.convolution != SMALL or one.late_rise is None:
        return nothing(_lacking("validation", one, "embedding_similarity"))
    return picked([one.late_rise], _note(one))


def _part(found: list[ExplainedBlock], part: Part) -> list[ExplainedBlock]:
    cuts = {"first": slice(0, 1), "first four": slice(0, 4), "last two": slice(-2, None), "last": slice(-1, None)}
    return found[cuts[part]]


def _lacking(where: Where, one: ExplainedSet | None, measure: Measure) -> str:
    """Return what it would take to judge what cannot be judged."""
    images = _IMAGES[where] + (" with masks of their objects" if measure == "modularity" else "")
    takes = _TAKES.format(images=images)
    if one is None:
        return takes
    if one.convolution != SMALL:
        return f"{one.convolution} was explained, of which nothing is claimed; {takes}"
    if one.images < 2:
        return f"one image of {one.label} tells no interval; {takes}"
    return f"{one.label} came without masks; {takes}"


def _note(one: ExplainedSet) -> str:
    return f"on {one.images} images of {one.label}"
