"""Explain a Vision GNN on folders of images: five measures of each block's graph, as means with intervals.

The measures are those of arXiv 2504.19682, exactly defined.

`neighbours` is int64 `[images, nodes, k]`, with the node itself in slot 0; nodes are on a square grid, row by row.
Distances and similarities leave out slot 0, and modularity ignores self-loops.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean, stdev

import networkx as nx
import torch
import torch.nn.functional as F
from scipy.stats import binomtest
from scipy.stats import t as student
from torch import Tensor

from gnn_checkpointing.artefacts import sha256_of
from gnn_checkpointing.explaining.images import (
    Picture,
    batches,
    class_names,
    classes_of,
    image_tensor,
    load_weights,
    pictures,
)
from gnn_checkpointing.models.vig import Vig, VigOptions, build_vig
from gnn_checkpointing.records.jobs import Block, Explained, Explanations, Mean
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.convolutions import NAMES, PATCH, SHAPES, SIDE, Size, neighbours_by_block
from gnn_checkpointing.study.settings import Explaining

LEVEL = 0.95
MEASURES = ("spatial_distance", "visual_similarity", "embedding_similarity", "class_probability")

Progress = Callable[[int, int], None]
"""Called with the number of images done and the total."""


def explanations(asked: Explaining, progress: Progress) -> Explanations:
    """Explain a study's trained model on its validation images, and on adversarial ones if the study names some."""
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
    """Build a ViG with the weights of a file; raises `Refusal` if they belong to another model."""
    model = build_vig(size, VigOptions(classes=classes, image=side, k=k), seed=0)
    load_weights(model, weights)
    return model


def explained(
    model: Vig, size: Size, found: Sequence[Picture], batch: int, label: str, weights_sha256: str, progress: Progress
) -> Explained:
    """Compute every block's measures over all images."""
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
    """Neighbours of each patch, without itself, in block `number` (counted from 1) for one image."""
    images = torch.stack([image_tensor(picture.path, model.options.image)])
    neighbours, _ = next(islice(states(model, images), number - 1, None))
    return [[int(other) for other in others[1:]] for others in neighbours[0]]


def late_rise(curves: Sequence[Sequence[float]]) -> Mean:
    """Rise of a measure over the last two blocks, minus its largest rise over any two blocks before them.

    `curves` holds the values of all images for each block, for at least five blocks: four that rise and one to start
    from. The two earlier blocks are those with the largest mean rise; the difference is taken image by image.
    """
    rises = [
        [after - before for before, after in zip(curves[end - 2], curves[end], strict=True)]
        for end in range(2, len(curves))
    ]
    last, earlier = rises[-1], max(rises[:-2], key=fmean)
    return mean([late - early for late, early in zip(last, earlier, strict=True)])


def mean(values: Sequence[float]) -> Mean:
    """Mean and its interval by Student's t; there is no interval for one value."""
    middle = fmean(values)
    if not all(map(math.isfinite, values)):
        raise Refusal("the trained model gives no finite numbers on these images; name other images or other weights")
    if len(values) < 2:
        return Mean(estimate=middle, low=None, high=None)
    reach = float(student.ppf((1 + LEVEL) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return Mean(estimate=middle, low=middle - reach, high=middle + reach)


def share(correct: Sequence[float]) -> Mean:
    """Share of correctly classified images, and Wilson's interval."""
    low, high = binomtest(int(sum(correct)), len(correct)).proportion_ci(LEVEL, "wilson")
    return Mean(estimate=fmean(correct), low=low, high=high)


Measures = dict[str, list[float]]
"""One block's measures by name, each with one number per image; without masks there is no modularity."""


@torch.no_grad()
def states(model: Vig, images: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield every block's graph and its output `[images, channels, side, side]`, computed in evaluation mode.

    The model's mode is restored afterwards.
    """
    training = model.training
    model.eval()
    try:
        x = model.patches(images)
        for block in model.blocks:
            grapher = block[0]  # type: ignore[index] # a sequence of grapher and feed-forward
            neighbours = grapher.graph_conv.graph(grapher.fc1(x))
            x = block(x)
            yield neighbours, x
    finally:
        model.train(training)


@torch.no_grad()
def measured(model: Vig, images: Tensor, classes: Tensor, masks: Tensor | None) -> list[Measures]:
    """Compute the measures of each block.

    `images` `[images, 3, side, side]` are normalised as in the model's training, `classes` int64 `[images]` are the
    true ones, `masks` bool `[images, side, side]` are true on the object.
    """
    pixels = patch_pixels(images)
    objects = None if masks is None else object_patches(masks)
    found = []
    for neighbours, features in states(model, images):
        # Pooled over patches, whatever the model's own task; `states` keeps evaluation mode while it is iterated.
        scores: Tensor = model.prediction(features.mean((2, 3), keepdim=True)).flatten(1)
        own: Measures = {
            "spatial_distance": spatial_distance(neighbours).tolist(),
            "visual_similarity": similarity(pixels, neighbours).tolist(),
            "embedding_similarity": similarity(features.flatten(2).transpose(1, 2), neighbours).tolist(),
            "class_probability": scores.softmax(1).gather(1, classes.unsqueeze(1)).squeeze(1).tolist(),
            "correct": (scores.argmax(1) == classes).tolist(),
        }
        if objects is not None:
            own["modularity"] = [modularity(*one) for one in zip(neighbours, objects, strict=True)]
        found.append(own)
    return found


def spatial_distance(neighbours: Tensor) -> Tensor:
    """Mean over edges of the Manhattan distance on the grid, in patches, `[images]`."""
    side = math.isqrt(neighbours.size(1))
    own = torch.arange(neighbours.size(1), device=neighbours.device).view(1, -1, 1)
    others = neighbours[:, :, 1:]
    steps = (own // side - others // side).abs() + (own % side - others % side).abs()
    return steps.double().mean((1, 2))


def similarity(features: Tensor, neighbours: Tensor) -> Tensor:
    """Mean over edges of the cosine similarity of `features` `[images, nodes, channels]`; `[images]`.

    For pixels this is the visual similarity, for the features after a block the embedding similarity.
    """
    unit = F.normalize(features.double(), dim=2)
    products = unit @ unit.transpose(1, 2)
    return products.gather(2, neighbours[:, :, 1:]).mean((1, 2))


def patch_pixels(images: Tensor) -> Tensor:
    """Pixels of each patch, `[images, nodes, channels * PATCH * PATCH]`, from `[images, channels, side, side]`."""
    return F.unfold(images, PATCH, stride=PATCH).transpose(1, 2)


def object_patches(masks: Tensor) -> Tensor:
    """Whether each patch has any pixel in the object, `[images, nodes]`; `masks` is bool `[images, side, side]`."""
    pixels = F.unfold(masks.unsqueeze(1).float(), PATCH, stride=PATCH)
    return pixels.amax(1) > 0


def modularity(neighbours: Tensor, is_object: Tensor) -> float:
    """Modularity of object against background in one image's undirected simple graph; 0 if either is empty.

    `neighbours` is `[nodes, k]` with all slots, `is_object` bool `[nodes]`.
    """
    parts = [set(torch.nonzero(is_object == side).flatten().tolist()) for side in (True, False)]
    if not all(parts):
        return 0.0
    graph = nx.Graph()
    graph.add_nodes_from(range(neighbours.size(0)))
    graph.add_edges_from(
        (node, other) for node, others in enumerate(neighbours.tolist()) for other in others if node != other
    )
    return float(nx.community.modularity(graph, parts))
