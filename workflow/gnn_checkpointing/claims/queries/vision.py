"""Vision GNNs: the model as it was measured or explained, and its blocks on images."""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.analysis.results import ExplainedSet
from gnn_checkpointing.claims.queries.query import Asked, Picked, exactly, nothing, picked, query, scaled
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

_PARTS = {"first": slice(0, 1), "first four": slice(0, 4), "last two": slice(-2, None), "last": slice(-1, None)}
_TAKES = "it takes trained weights of ViG-Small and {images}, named under the key explained of a study file"
_IMAGES = {"validation": "ImageNet's validation images", "adversarial": "ImageNet-A"}


@query("millions of parameters, blocks, channels, counted", "count")
def small_model(asked: Asked) -> Picked:
    """ViG-Small's millions of parameters, blocks and channels, as a study counted them."""
    for model in asked.findings.depths.models:
        if model.convolution.partition(" ")[0] == SMALL and model.parameters is not None:
            images = model.convolution.endswith("(images)")
            more = further_class_parameters(SHAPES_DRAWN if images else PATCH_CLASSES)
            numbers = ((model.parameters + more) / 1e6, model.num_layers * 1.0, model.hidden_channels * 1.0)
            return picked(
                map(exactly, numbers),
                f"counted on the measured model, which classifies {'images' if images else 'patches'}: {more} "
                f"parameters more for the {PUBLISHED_CLASSES} classes of the published one",
            )
    for one in asked.findings.explained.sets.values():
        if one.convolution == SMALL:
            numbers = (one.parameters / 1e6, counted(one.blocks) * 1.0, one.channels * 1.0)
            return picked(map(exactly, numbers), "counted on the explained model")
    return nothing("it takes ViG-Small built as a model: `snakemake --configfile workflow/studies/vision.yaml`")


@query()
def blocks(asked: Asked, where: Where, measure: Measure, part: Part) -> Picked:
    """A measure of some blocks on one set of images; an accuracy in per cent."""
    one = asked.findings.explained.sets.get(where)
    if one is None or one.convolution != SMALL:
        return _lacking(where, one, measure)
    found = [getattr(block, measure) for block in one.blocks[_PARTS[part]]]
    if any(value is None for value in found):
        return _lacking(where, one, measure)
    factor = 100 if measure == "top1_accuracy" else 1.0
    return picked([scaled(value, factor) for value in found], _note(one))


@query()
def fall(asked: Asked, measure: Measure) -> Picked:
    """A measure of the last block on validation images and on adversarial ones."""
    both = [blocks(asked, "validation", measure, "last"), blocks(asked, "adversarial", measure, "last")]
    lacking = [one for one in both if not one.estimates]
    if lacking:
        return lacking[0]
    return picked([value for one in both for value in one.estimates], "; ".join(one.note for one in both))


@query("rise of S_emb over the last two blocks - the largest rise over any two blocks before", "cosine")
def late_rise(asked: Asked) -> Picked:
    """How much more embedding similarity rises over the last two blocks than over any two before."""
    one = asked.findings.explained.sets.get("validation")
    if one is None or one.convolution != SMALL or one.late_rise is None:
        return _lacking("validation", one, "embedding_similarity")
    return picked([one.late_rise], _note(one))


def _lacking(where: Where, one: ExplainedSet | None, measure: Measure) -> Picked:
    """Nothing, and what it would take to judge what cannot be judged."""
    images = _IMAGES[where] + (" with masks of their objects" if measure == "modularity" else "")
    takes = _TAKES.format(images=images)
    if one is None:
        return nothing(takes)
    if one.convolution != SMALL:
        return nothing(f"{one.convolution} was explained, of which nothing is claimed; {takes}")
    if one.images < 2:
        return nothing(f"one image of {one.label} tells no interval; {takes}")
    return nothing(f"{one.label} came without masks; {takes}")


def _note(one: ExplainedSet) -> str:
    return f"on {one.images} images of {one.label}"
