"""A training job's end, the models of a study, and a trained Vision GNN explained on images."""

from __future__ import annotations

from pydantic import Field

from gnn_checkpointing.analysis.results.base import Estimate, Result


class StudyModel(Result):
    """One model of a study, by the name of its series; `parameters` is None where nobody counted them."""

    convolution: str
    num_layers: int
    hidden_channels: int
    heads: int
    parameters: int | None


class ExplainedBlock(Result):
    """One block's measures over a set of images; None where it takes masks, or two images, that were not given."""

    number: int
    neighbours: int
    spatial_distance: Estimate | None
    visual_similarity: Estimate | None
    embedding_similarity: Estimate | None
    class_probability: Estimate | None
    modularity: Estimate | None
    top1_accuracy: Estimate


class ExplainedSet(Result):
    """A trained model on one set of images; `late_rise` is explained in `records/explained.py`."""

    label: str
    convolution: str
    images: int
    parameters: int
    channels: int
    blocks: list[ExplainedBlock]
    late_rise: Estimate | None


class Explanations(Result):
    """The sets by name: validation first, adversarial where it was given; none where the study explains nothing."""

    sets: dict[str, ExplainedSet] = Field({})


class Accuracy(Result):
    """One training job's end."""

    graph: str
    convolution: str
    policy: str
    epochs: int
    final_loss: float
    train_accuracy: float
    test_accuracy: float
    largest_loss_difference: float
