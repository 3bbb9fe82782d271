"""The study's stacks once more, as people build them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gnn_checkpointing.study.training import ChosenGraphs
from gnn_checkpointing.study.vocabulary import Part

PRACTICE = "in practice"
"""What a record calls the model."""


class Practice(Part):
    """What the stacks have in practice, and the graphs on which they are measured beside the bare ones."""

    graphs: ChosenGraphs = Field(description="the graphs on which they are measured, too")
    norm: Literal["none", "batch", "layer"] = Field("batch", description="none, batch or layer")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.5, description="dropped share of each block's output")
    residual: bool = Field(True, description="add a block's input to its output where the widths agree")
    self_loops: bool = Field(True, description="GAT and GATv2 attend to the node itself, too")
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.5, description="dropped share of the attention weights (GAT and GATv2)"
    )
