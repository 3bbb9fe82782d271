"""The twelve claims that this project began from, all on Vision GNNs: what each rests on, its rule, what it would take.

The measures, for block l of a ViG on an image of 14 x 14 patches; a patch's neighbours are the k slots of the block's
dynamic nearest-neighbour graph, and slot 0, the patch itself, counts for Q alone:
D: mean over edges of the Manhattan distance on the grid, in patches;
S_vis: mean over edges of the cosine similarity of the two patches' normalised pixels (16 x 16 x 3);
S_emb: mean over edges of the cosine similarity of node features after the block;
p: softmax of the final head on the average-pooled features after the block, at the true class;
Q: modularity of the undirected simple graph for the partition {patches of the object, the rest}, 0 if one is empty.
"""

from __future__ import annotations

from typing import Any

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import Pick, Template, of_study
from gnn_checkpointing.claims.rules import Above, Below, Exactly, Respectively, Rule, Within

CHAIDOS = (
    "Chaidos, Dimitriou, Spanos, Voulodimos and Stamou 2025, Explaining Vision GNNs: A Semantic and Visual Analysis of "
    "Graph-based Image Classification, arXiv 2504.19682"
)

_GIVEN = "the weights and images that the study names, resized and cut at the centre to 224 pixels"


def _seed(id: str, sentence: str, quantity: str, unit: str, rule: Rule, pick: Pick) -> Template:
    """Return a claim that judges itself once a study names the weights and images that it takes."""
    return Template(
        id=id,
        sentence=sentence,
        source=CHAIDOS,
        quantity=quantity,
        unit=unit,
        rule=rule,
        pick=pick,
        scope="study",
        kind="seed",
        needs="Vision GNNs",
        conditions="" if id.startswith("v1-") else _GIVEN,
    )


def _blocks(**chosen: Any) -> Pick:
    return of_study(evidence.vision_blocks, **chosen)


SEEDS = (
    _seed(
        "v1-the-model-is-vig-small",
        "The model studied is ViG-Small: 22.75 million parameters, 16 blocks of 320 channels.",
        "millions of parameters, blocks, channels, counted",
        "count",
        Respectively((Within(22.745, 22.755), Exactly(16), Exactly(320))),
        of_study(evidence.small_model),
    ),
    _seed(
        "v2-early-visual-similarity",
        "On validation images, neighbours in blocks 1 to 4 have a visual similarity above 0.6.",
        "S_vis of each of the blocks 1 to 4",
        "cosine",
        Above(0.6),
        _blocks(where="validation", measure="visual_similarity", part="first four"),
    ),
    _seed(
        "v3-early-embedding-similarity",
        "On validation images, neighbours in blocks 1 to 4 have an embedding similarity above 0.9.",
        "S_emb of each of the blocks 1 to 4",
        "cosine",
        Above(0.9),
        _blocks(where="validation", measure="embedding_similarity", part="first four"),
    ),
    _seed(
        "v4-early-distance",
        "On validation images, neighbours in blocks 1 to 4 lie less than 4 patches apart.",
        "D of each of the blocks 1 to 4",
        "patches",
        Below(4),
        _blocks(where="validation", measure="spatial_distance", part="first four"),
    ),
    _seed(
        "v5-final-distance",
        "On validation images, neighbours in the final blocks lie about 8.8 patches apart (to 0.5).",
        "D of each of the last two blocks",
        "patches",
        Within(8.3, 9.3),
        _blocks(where="validation", measure="spatial_distance", part="last two"),
    ),
    _seed(
        "v6-final-visual-similarity",
        "On validation images, neighbours in the final blocks have a visual similarity of about 0.3 (to 0.05).",
        "S_vis of each of the last two blocks",
        "cosine",
        Within(0.25, 0.35),
        _blocks(where="validation", measure="visual_similarity", part="last two"),
    ),
    _seed(
        "v7-embedding-similarity-rises-late",
        "On validation images, embedding similarity rises suddenly over the last two blocks, more than anywhere "
        "before.",
        "rise of S_emb over the last two blocks - the largest rise over any two blocks before",
        "cosine",
        Above(0),
        of_study(evidence.late_rise),
    ),
    _seed(
        "v8-final-accuracy",
        "Top-1 accuracy in the final blocks is 68.6 % on validation images (to 1 point).",
        "top-1 accuracy through the final head, last block",
        "per cent",
        Within(67.6, 69.6),
        _blocks(where="validation", measure="top1_accuracy", part="last", factor=100.0),
    ),
    _seed(
        "v9-adversarial-modularity",
        "On adversarial images (ImageNet-A), modularity starts at 0.095 (to 0.02).",
        "Q of block 1",
        "modularity",
        Within(0.075, 0.115),
        _blocks(where="adversarial", measure="modularity", part="first"),
    ),
    _seed(
        "v10-validation-modularity",
        "On validation images, modularity starts at 0.236 (to 0.02).",
        "Q of block 1",
        "modularity",
        Within(0.216, 0.256),
        _blocks(where="validation", measure="modularity", part="first"),
    ),
    _seed(
        "v11-adversarial-accuracy",
        "From validation to adversarial images (ImageNet-A), top-1 accuracy falls from 68.6 to 2.7 % (each to 1 "
        "point).",
        "top-1 accuracy on validation images, on ImageNet-A",
        "per cent",
        Respectively((Within(67.6, 69.6), Within(1.7, 3.7))),
        of_study(evidence.vision_fall, measure="top1_accuracy", factor=100.0),
    ),
    _seed(
        "v12-adversarial-probability",
        "From validation to adversarial images (ImageNet-A), the probability of the correct class in the final blocks "
        "falls from 0.486 to 0.018 (each to 0.02).",
        "p of the last block on validation images, on ImageNet-A",
        "probability",
        Respectively((Within(0.466, 0.506), Within(-0.002, 0.038))),
        of_study(evidence.vision_fall, measure="class_probability"),
    ),
)
