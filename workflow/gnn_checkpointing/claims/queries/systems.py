"""Queries about deeper models, training on ego networks, and Vision GNNs: the model and its blocks on images."""

from operator import attrgetter
from typing import Any

from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.queries import RATIO_OF_RATIOS, Asked, Found, query, scaled, where
from gnn_checkpointing.sourced import counted
from gnn_checkpointing.study.convolutions import (
    PATCH_CLASSES,
    PUBLISHED_CLASSES,
    SHAPES_DRAWN,
    further_class_parameters,
)

TAKES_DEPTHS = "it takes models of several depths with {}: `snakemake --configfile workflow/studies/depth.yaml`"
TAKES_EGO = "it takes encodings and bags of one radius on one graph: `snakemake --configfile workflow/studies/ego.yaml`"

SMALL = "ViG-S"
_PARTS = {"first": slice(0, 1), "first four": slice(0, 4), "last two": slice(-2, None), "last": slice(-1, None)}
_TAKES = "it takes trained weights of ViG-Small and {images}, named under the key explained of a study file"
_IMAGES = {"validation": "ImageNet's validation images", "adversarial": "ImageNet-A"}


@query("activation bytes, {policy}: {0} times the layers / the fewest layers")
def growth_with_depth(asked: Asked, times: int) -> Found:
    points, pairs = _of_policy(asked, asked.policy), dict[Any, tuple[Any, Any]]()
    by_depth = {(_place(point), point.num_layers): point for point in points}
    for point in points:
        deep = by_depth.get((_place(point), times * point.num_layers))
        if deep is not None:
            pairs.setdefault(_place(point), (deep, point))  # the fewest layers that have such a deeper model
    if not pairs:
        return f"no two depths were measured with {asked.policy} of which one is {times} times the other"
    return _bytes(pairs, "{0.stack}: {0.num_layers} layers against {1.num_layers} at average degree {0.level}")


@query("activation bytes, {policy} / {0}, at the most layers")
def deepest_against(asked: Asked, other: str) -> Found:
    others = {(_place(point), point.num_layers): point for point in _of_policy(asked, other)}
    both = [one for one in _of_policy(asked, asked.policy) if (_place(one), one.num_layers) in others]
    if not both:
        return f"{asked.policy} and {other} were not measured at one depth of several"
    pairs = {_place(point): (point, others[_place(point), point.num_layers]) for point in both}
    return _bytes(pairs, "{0.stack}, {0.num_layers} layers, average degree {0.level}")


@query("step time, {0} / none, at the most layers of several: the smallest ratio")
def deepest_time(asked: Asked, policy: str) -> Found:
    found = [point for point in _of_policy(asked, policy) if point.time_ratio is not None]
    if not found:
        return TAKES_DEPTHS.format(policy)
    point = min(where(found, num_layers=found[-1].num_layers), key=lambda one: one.time_ratio.estimate)
    place = f"{point.stack}, {point.num_layers} layers, average degree {point.level}"
    return [point.time_ratio], f"{place}: the least of the deepest models", True


def _of_policy(asked: Asked, policy: str) -> list[Any]:
    """The points of a policy, shallow before deep."""
    return sorted(where(asked.findings.effects.depths, policy=policy), key=attrgetter("num_layers"))


_place = attrgetter("stack", "num_nodes", "family", "degree")


def _bytes(pairs: dict[Any, tuple[Any, Any]], words: str) -> Found:
    """Ratios of the activation bytes of each pair; `words` describe each pair."""
    values = [one.activation_bytes / other.activation_bytes for one, other in pairs.values()]
    return values, "; ".join(words.format(*pair) for pair in pairs.values())


@query("peak memory, bag under {policy} / encodings under none")
def bag_over_encodings(asked: Asked) -> Found:
    pairs = _bags(asked, asked.convolution, asked.policy or "none")
    return [_peaks(*pair) for pair in pairs], "; ".join(_bag(bag) for bag, _ in pairs) or TAKES_EGO


@query(
    "peak memory of a training step on the bag / on the graph with encodings, without checkpointing: the largest ratio"
)
def most_saved(asked: Asked) -> Found:
    names = dict.fromkeys(point.convolution for point in asked.findings.effects.ego)
    pairs = [pair for name in names for pair in _bags(asked, name, "none")]
    if not pairs:
        return TAKES_EGO
    best = max(pairs, key=lambda pair: _peaks(*pair))
    place = f"{best[0].convolution}, {_bag(best[0])}"
    return [_peaks(*best)], f"{place}: the most of {len(pairs)} graphs and radii"


@query(
    "peak memory, bag / encodings: the ratio at the densest graph / at the sparsest, for each radius", RATIO_OF_RATIOS
)
def densest_bag_over_sparsest(asked: Asked) -> Found:
    bags = _bags(asked, asked.convolution, "none")
    groups = grouped(bags, lambda pair: (pair[0].origin, pair[0].size)).values()
    ends = [(pairs[-1], pairs[0]) for pairs in groups if pairs[0][0].base_degree < pairs[-1][0].base_degree]
    if not ends:
        return "no bags and encodings of one radius were measured at two densities"
    words = "radius {0.size:g}: average degree {0.base_degree:g} against {1.base_degree:g}"
    notes = [words.format(dense, sparse) for (dense, _), (sparse, _) in ends]
    return [_peaks(*dense) / _peaks(*sparse) for dense, sparse in ends], "; ".join(notes)


def _bags(asked: Asked, convolution: str, policy: str) -> list[tuple[Any, Any]]:
    """Bags under a policy, sparse before dense, each with the encodings of its graph and radius under none."""
    points, graph = asked.findings.effects.ego, attrgetter("origin", "base_degree", "size")
    encoded = {graph(one): one for one in where(points, convolution=convolution, policy="none", method="encodings")}
    bags = where(points, convolution=convolution, policy=policy, method="ego_networks")
    bags.sort(key=lambda one: (one.origin, one.size or 0.0, one.base_degree))
    return [(bag, encoded[graph(bag)]) for bag in bags if graph(bag) in encoded]


def _peaks(bag: Any, encoded: Any) -> Any:
    return bag.peak_memory_bytes / encoded.peak_memory_bytes


def _bag(point: Any) -> str:
    return f"{point.origin}, average degree {point.base_degree:g}, radius {point.size:g}"


@query("millions of parameters, blocks, channels, counted", "count")
def small_model(asked: Asked) -> Found:
    for model in asked.findings.effects.models:
        if model.convolution.partition(" ")[0] == SMALL and model.parameters is not None:
            images = model.convolution.endswith("(images)")
            more = further_class_parameters(SHAPES_DRAWN if images else PATCH_CLASSES)
            return (
                ((model.parameters + more) / 1e6, model.num_layers * 1.0, model.hidden_channels * 1.0),
                f"counted on the measured model, which classifies {'images' if images else 'patches'}: {more} "
                f"parameters more for the {PUBLISHED_CLASSES} classes of the published one",
            )
    for one in where(asked.findings.explained.sets.values(), convolution=SMALL):
        numbers = (one.parameters / 1e6, counted(one.blocks) * 1.0, one.channels * 1.0)
        return numbers, "counted on the explained model"
    return "it takes ViG-Small built as a model: `snakemake --configfile workflow/studies/vision.yaml`"


@query()
def blocks(asked: Asked, images: str, measure: str, part: str) -> Found:
    one = asked.findings.explained.sets.get(images)
    if one is None or one.convolution != SMALL:
        return _lacking(images, one, measure)
    found = [getattr(block, measure) for block in one.blocks[_PARTS[part]]]
    if any(value is None for value in found):
        return _lacking(images, one, measure)
    factor = 100 if measure == "top1_accuracy" else 1.0  # an accuracy is in per cent
    return [scaled(value, factor) for value in found], _note(one)


@query()
def fall(asked: Asked, measure: str) -> Found:
    both = [blocks(asked, images, measure, "last") for images in ("validation", "adversarial")]
    lacking = next((one.note for one in both if not one.estimates), "")
    return lacking or ([value for one in both for value in one.estimates], "; ".join(one.note for one in both))


@query("rise of S_emb over the last two blocks - the largest rise over any two blocks before", "cosine")
def late_rise(asked: Asked) -> Found:
    one: Any = asked.findings.explained.sets.get("validation")
    if one is None or one.convolution != SMALL:
        return _lacking("validation", one, "embedding_similarity")
    return [scaled(one.late_rise, 1.0)], _note(one)


def _lacking(images: str, one: Any, measure: str) -> str:
    """What is missing for a judgement."""
    takes = _TAKES.format(images=_IMAGES[images] + (" with masks of their objects" if measure == "modularity" else ""))
    if one is None:
        return takes
    if one.convolution != SMALL:
        return f"{one.convolution} was explained, of which nothing is claimed; {takes}"
    return f"{one.label} came without masks; {takes}"


def _note(one: Any) -> str:
    return f"on {one.images} images of {one.label}"
