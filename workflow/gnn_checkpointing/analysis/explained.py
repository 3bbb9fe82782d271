"""What was measured of a trained Vision GNN on images, as estimates with intervals."""

from __future__ import annotations

from statsmodels.stats.proportion import proportion_confint

from gnn_checkpointing.analysis.results import Estimate, ExplainedBlock, ExplainedSet, Explanations
from gnn_checkpointing.records.explained import Block, Explained, ExplainedSets, Mean
from gnn_checkpointing.study.vision_shapes import NAMES


def explanations(found: ExplainedSets | None, confidence: float) -> Explanations:
    """Return each set's blocks; means have the interval of their images, accuracies Wilson's."""
    if found is None:
        return Explanations()
    given = {"validation": found.validation, "adversarial": found.adversarial}
    return Explanations(sets={name: _set(one, confidence) for name, one in given.items() if one is not None})


def _set(found: Explained, confidence: float) -> ExplainedSet:
    return ExplainedSet(
        label=found.label,
        convolution=NAMES[found.size],
        images=found.images,
        parameters=found.parameters,
        channels=found.channels,
        blocks=[_block(block, found.images, confidence) for block in found.blocks],
        late_rise=_estimate(found.late_rise),
    )


def _block(block: Block, images: int, confidence: float) -> ExplainedBlock:
    right = round(block.top1_accuracy * images)
    low, high = proportion_confint(right, images, alpha=1 - confidence, method="wilson")
    return ExplainedBlock(
        number=block.number,
        neighbours=block.neighbours,
        spatial_distance=_estimate(block.spatial_distance),
        visual_similarity=_estimate(block.visual_similarity),
        embedding_similarity=_estimate(block.embedding_similarity),
        class_probability=_estimate(block.class_probability),
        modularity=_estimate(block.modularity),
        top1_accuracy=Estimate(estimate=right / images, low=float(low), high=float(high)),
    )


def _estimate(mean: Mean | None) -> Estimate | None:
    """Return a mean that has an interval; of one image there is none."""
    if mean is None or mean.low is None or mean.high is None:
        return None
    return Estimate(estimate=mean.mean, low=mean.low, high=mean.high)
