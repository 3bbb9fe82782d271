"""A Vision GNN explained on folders of images: every block measured on every image, as means with their intervals."""

import math
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean, stdev

import torch
from scipy.stats import binomtest
from scipy.stats import t as student

from gnn_checkpointing.artefacts import sha256_of
from gnn_checkpointing.explaining.blocks import Measures, measured, states
from gnn_checkpointing.explaining.images import Picture, batches, class_names, image_tensor, pictures
from gnn_checkpointing.models.vision.vig import Vig, VigOptions, build_vig
from gnn_checkpointing.models.vision.weights import classes_of, load_weights
from gnn_checkpointing.records.explained import Block, Explained, Explanations, Mean
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.settings import Explaining
from gnn_checkpointing.study.vision_shapes import NAMES, PATCH, SHAPES, SIDE, Size, neighbours_by_block

LEVEL = 0.95
MEASURES = ("spatial_distance", "visual_similarity", "embedding_similarity", "class_probability")

Progress = Callable[[int, int], None]
"""Called with how many images of how many are done."""


def explanations(asked: Explaining, progress: Progress) -> Explanations:
    """What a study asks for: its trained model on images of its kind, and on deceiving ones where it names some."""
    size = next(size for size, name in NAMES.items() if name == asked.convolution)
    classes = classes_of(asked.weights)
    model = trained(asked.weights, size, classes, SIDE, asked.neighbours)
    known = class_names(asked.validation.images, asked.classes, classes)
    found = {}
    for name, given in (("validation", asked.validation), ("adversarial", asked.adversarial)):
        if given is not None:
            images = pictures(given.images, given.masks, known)[: given.most]
            if len(images) < 2:
                raise Refusal(f"{given.images}: one image tells no interval; name two images or more")
            label = given.label or given.images.resolve().name
            found[name] = explained(model, size, images, asked.batch, label, sha256_of(asked.weights), progress)
    return Explanations.model_validate({"sets": found})


def trained(weights: Path, size: Size, classes: int, side: int, k: int) -> Vig:
    """A ViG with the weights of a file; raises `Refusal` where they are another model's."""
    model = build_vig(size, VigOptions(classes=classes, image=side, k=k), seed=0)
    load_weights(model, weights)
    return model


def explained(
    model: Vig,
    size: Size,
    found: Sequence[Picture],
    batch: int,
    label: str,
    weights_sha256: str,
    progress: Progress,
) -> Explained:
    """Every block's measures over all images."""
    blocks: list[Measures] = [{} for _ in model.blocks]
    for images, classes, masks in batches(found, model.options.image, batch):
        for own, more in zip(blocks, measured(model, images, classes, masks), strict=True):
            for name, values in more.items():
                own.setdefault(name, []).extend(values)
        progress(len(blocks[0]["correct"]), len(found))
    shapes = neighbours_by_block(model.options.k, len(blocks), (model.options.image // PATCH) ** 2)
    return Explained(
        label=label,
        images=len(found),
        convolution=NAMES[size],
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        channels=SHAPES[NAMES[size]].channels,
        weights_sha256=weights_sha256,
        blocks=[
            Block(
                number=number,
                neighbours=k,
                dilation=dilation,
                **{name: mean(own[name]) for name in MEASURES},
                modularity=mean(own["modularity"]) if "modularity" in own else None,
                top1_accuracy=share(own["correct"]),
            )
            for number, ((k, dilation), own) in enumerate(zip(shapes, blocks, strict=True), start=1)
        ],
        late_rise=late_rise([own["embedding_similarity"] for own in blocks]),
    )


def patch_graph(model: Vig, picture: Picture, number: int) -> list[list[int]]:
    """Each patch's neighbours, itself left out, in block `number` (counted from 1) for one image."""
    images = torch.stack([image_tensor(picture.path, model.options.image)])
    neighbours, _ = next(islice(states(model, images), number - 1, None))
    return [[int(other) for other in others[1:]] for others in neighbours[0]]


def late_rise(curves: Sequence[Sequence[float]]) -> Mean:
    """How much more a measure rises over the last two blocks than over any two before them.

    `curves` holds each block's images, at least five of them: two blocks before the last two need one to rise from.
    Those two before are the ones with the largest mean rise; the difference is taken image by image.
    """
    rises = [
        [after - before for before, after in zip(curves[end - 2], curves[end], strict=True)]
        for end in range(2, len(curves))
    ]
    last, earlier = rises[-1], max(rises[:-2], key=fmean)
    return mean([late - early for late, early in zip(last, earlier, strict=True)])


def mean(values: Sequence[float]) -> Mean:
    """The mean and its interval."""
    middle = fmean(values)
    if not all(map(math.isfinite, values)):
        raise Refusal("the trained model gives no finite numbers on these images; name other images or other weights")
    if len(values) < 2:
        return Mean(estimate=middle, low=None, high=None)
    reach = float(student.ppf((1 + LEVEL) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return Mean(estimate=middle, low=middle - reach, high=middle + reach)


def share(correct: Sequence[float]) -> Mean:
    """The share of images that are right, and Wilson's interval."""
    low, high = binomtest(int(sum(correct)), len(correct)).proportion_ci(LEVEL, "wilson")
    return Mean(estimate=fmean(correct), low=low, high=high)
