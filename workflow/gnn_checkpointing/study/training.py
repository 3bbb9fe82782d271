"""The training jobs of a study."""

from __future__ import annotations

from pydantic import Field

from gnn_checkpointing.study.vocabulary import Amount, Count, Degree, Part


class ChosenGraphs(Part):
    """Some of the study's graphs; of generated ones replicate 0."""

    num_nodes: tuple[Count, ...] = Field((), description="node counts")
    average_degrees: tuple[Degree, ...] = Field((), description="average degrees")
    real: tuple[str, ...] = Field((), description="names of real graphs")


class Training(Part):
    """The training jobs: every convolution x policy from one seed."""

    epochs: Count = Field(50, description="epochs of each training job")
    learning_rate: Amount = Field(0.01, description="Adam's learning rate")
    save_every: Count = Field(10, description="epochs between saved states")
    graphs: ChosenGraphs = Field(ChosenGraphs(), description="the graphs that are trained on")
