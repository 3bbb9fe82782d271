"""The training jobs of a study."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gnn_checkpointing.study.vocabulary import (
    Count,
    Part,
)


class TrainedGraphs(Part):
    """Which of the study's graphs the training jobs use (replicate 0 of generated ones)."""

    num_nodes: tuple[int, ...] = Field((), description="node counts")
    average_degrees: tuple[float, ...] = Field((), description="average degrees")
    real: tuple[str, ...] = Field((), description="names of real graphs")


class Training(Part):
    """The training jobs: every convolution x policy from one seed."""

    epochs: Count = Field(50, description="epochs of each training job")
    learning_rate: Annotated[float, Field(gt=0)] = Field(0.01, description="Adam's learning rate")
    save_every: Count = Field(10, description="epochs between saved states")
    graphs: TrainedGraphs = TrainedGraphs()
