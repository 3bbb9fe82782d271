"""The sources' own systems: models of several depths, and a trained Vision GNN explained on images."""

from __future__ import annotations

from pydantic import Field

from gnn_checkpointing.analysis.results.base import Estimate, Result
from gnn_checkpointing.records.encodings import EncodingCost


class StudyModel(Result):
    """One model of a study, by the name of its series; `parameters` is None where nobody counted them."""

    convolution: str
    num_layers: int
    hidden_channels: int
    heads: int
    parameters: int | None


class DepthPoint(Result):
    """One policy at one number of layers, over the cells of one level of density and number of nodes.

    Bytes are medians over the cells. Ratios are to none at the same depth, and None where none did not run (times:
    where no cell was timed).
    """

    stack: str
    policy: str
    other_model: bool
    level: str
    num_nodes: int
    num_layers: int
    cells: int
    activation_bytes: float
    saved_activation_bytes: float
    memory_ratio: Estimate | None
    activation_ratio: Estimate | None
    time_ratio: Estimate | None


class Depths(Result):
    """The models of a study, and what each policy needs as they get deeper; no points where there is one depth."""

    confidence: float
    models: list[StudyModel]
    points: list[DepthPoint]


class EgoPoint(Result):
    """One policy on one input: a graph as it is (`form` and `radius` empty), or with its ego networks.

    `degree` is the average degree of the graph itself; bytes and seconds are medians over replicates, seconds None
    where nothing was timed.
    """

    convolution: str
    policy: str
    base: str
    degree: float
    form: str
    radius: float | None
    num_nodes: float
    num_edges: float
    num_features: int
    peak_memory_bytes: float
    activation_bytes: float
    step_time_seconds: float | None


class Ego(Result):
    """Ego networks as inputs: what training needs with them, and what the encodings cost; empty without them."""

    points: list[EgoPoint] = Field([])
    costs: list[EncodingCost] = Field([])


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
