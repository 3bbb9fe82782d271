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

from functools import partial

from gnn_checkpointing.claims.queries.query import Query
from gnn_checkpointing.claims.queries.vision import blocks, fall, late_rise, small_model
from gnn_checkpointing.claims.rules import Respectively, above, below, exactly, within
from gnn_checkpointing.claims.template import Template

CHAIDOS = (
    "Chaidos, Dimitriou, Spanos, Voulodimos and Stamou 2025, Explaining Vision GNNs: A Semantic and Visual Analysis of "
    "Graph-based Image Classification, arXiv 2504.19682"
)
_model = partial(Template, source=CHAIDOS, kind="seed", needs="Vision GNNs")
_seed = partial(
    _model, conditions="the weights and images that the study names, resized and cut at the centre to 224 pixels"
)

PLACE = 6
CLAIMS = (
    _model(
        "v1-the-model-is-vig-small",
        "The model studied is ViG-Small: 22.75 million parameters, 16 blocks of 320 channels.",
        Query("millions of parameters, blocks, channels, counted", small_model, "count"),
        Respectively((within(22.745, 22.755), exactly(16), exactly(320))),
    ),
    _seed(
        "v2-early-visual-similarity",
        "On validation images, neighbours in blocks 1 to 4 have a visual similarity above 0.6.",
        blocks("S_vis of each of the blocks 1 to 4", "cosine", "validation", "visual_similarity", "first four"),
        above(0.6),
    ),
    _seed(
        "v3-early-embedding-similarity",
        "On validation images, neighbours in blocks 1 to 4 have an embedding similarity above 0.9.",
        blocks("S_emb of each of the blocks 1 to 4", "cosine", "validation", "embedding_similarity", "first four"),
        above(0.9),
    ),
    _seed(
        "v4-early-distance",
        "On validation images, neighbours in blocks 1 to 4 lie less than 4 patches apart.",
        blocks("D of each of the blocks 1 to 4", "patches", "validation", "spatial_distance", "first four"),
        below(4),
    ),
    _seed(
        "v5-final-distance",
        "On validation images, neighbours in the final blocks lie about 8.8 patches apart (to 0.5).",
        blocks("D of each of the last two blocks", "patches", "validation", "spatial_distance", "last two"),
        within(8.3, 9.3),
    ),
    _seed(
        "v6-final-visual-similarity",
        "On validation images, neighbours in the final blocks have a visual similarity of about 0.3 (to 0.05).",
        blocks("S_vis of each of the last two blocks", "cosine", "validation", "visual_similarity", "last two"),
        within(0.25, 0.35),
    ),
    _seed(
        "v7-embedding-similarity-rises-late",
        "On validation images, embedding similarity rises suddenly over the last two blocks, more than anywhere "
        "before.",
        Query(
            "rise of S_emb over the last two blocks - the largest rise over any two blocks before", late_rise, "cosine"
        ),
        above(0),
    ),
    _seed(
        "v8-final-accuracy",
        "Top-1 accuracy in the final blocks is 68.6 % on validation images (to 1 point).",
        blocks(
            "top-1 accuracy through the final head, last block", "per cent", "validation", "top1_accuracy", "last", 100
        ),
        within(67.6, 69.6),
    ),
    _seed(
        "v9-adversarial-modularity",
        "On adversarial images (ImageNet-A), modularity starts at 0.095 (to 0.02).",
        blocks("Q of block 1", "modularity", "adversarial", "modularity", "first"),
        within(0.075, 0.115),
    ),
    _seed(
        "v10-validation-modularity",
        "On validation images, modularity starts at 0.236 (to 0.02).",
        blocks("Q of block 1", "modularity", "validation", "modularity", "first"),
        within(0.216, 0.256),
    ),
    _seed(
        "v11-adversarial-accuracy",
        "From validation to adversarial images (ImageNet-A), top-1 accuracy falls from 68.6 to 2.7 % (each to 1 "
        "point).",
        fall("top-1 accuracy on validation images, on ImageNet-A", "per cent", "top1_accuracy", 100),
        Respectively((within(67.6, 69.6), within(1.7, 3.7))),
    ),
    _seed(
        "v12-adversarial-probability",
        "From validation to adversarial images (ImageNet-A), the probability of the correct class in the final blocks "
        "falls from 0.486 to 0.018 (each to 0.02).",
        fall("p of the last block on validation images, on ImageNet-A", "probability", "class_probability"),
        Respectively((within(0.466, 0.506), within(-0.002, 0.038))),
    ),
)
