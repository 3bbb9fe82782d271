"""Paired effects: along the densities, on real graphs, and where more than the density differs."""

from __future__ import annotations

from gnn_checkpointing.analysis.results.base import Estimate, Result


class Effect(Result):
    """Policy / none, paired within cells, over the cells of one level of density (or of one real graph).

    `time_ratio` is None where no cell of the level was timed.
    """

    convolution: str
    policy: str
    level: str
    average_degree: float
    cells: int
    timed_cells: int
    memory_ratio: Estimate
    activation_ratio: Estimate
    time_ratio: Estimate | None


class Effects(Result):
    """Effects along the requested degrees of generated graphs, and on each real graph."""

    confidence: float
    generated: list[Effect]
    real: list[Effect]


class FamilyEffect(Effect):
    """The effect at one number of nodes and one level of density on graphs of one family.

    `activation_over_reference` and `time_over_reference` are its ratios divided by those of the reference family at
    the same place: 1 where the family does not matter.
    """

    family: str
    num_nodes: int
    activation_over_reference: Estimate
    time_over_reference: Estimate | None


class GradedEffect(Effect):
    """The effect on a real graph whose edges were thinned, capped or closed; `method` is "" for the graph itself."""

    base: str
    method: str


class BatchEffect(Effect):
    """The effect on mini-batches of one size; `sampler` is "" for the full batch, the graph itself.

    `num_nodes`, `num_edges` and `training_nodes` are medians over the batches. Nodes (whose loss is computed) and
    edges per second are those of the policy's median step: drawing the batch is not part of it.
    """

    base: str
    sampler: str
    size: float | None
    num_nodes: float
    num_edges: float
    training_nodes: float
    nodes_per_second: float | None
    edges_per_second: float | None


class Variants(Result):
    """Effects where more than the density differs: the family of graphs, a real graph's edges, the batch."""

    reference_family: str | None
    families: list[FamilyEffect]
    graded: list[GradedEffect]
    batches: list[BatchEffect]
