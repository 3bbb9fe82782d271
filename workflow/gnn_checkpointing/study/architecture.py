"""The models of a study."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from gnn_checkpointing.study.convolutions import CONVOLUTION_HELP, Convolution
from gnn_checkpointing.study.vision_shapes import SHAPES
from gnn_checkpointing.study.vocabulary import Aggregation, Count, Part, VisionTask


def _vision_says_its_own_sizes(schema: dict[str, Any]) -> None:
    """Ask in the JSON schema for what is always asked for: layers and channels only where not all are Vision GNNs."""
    schema["required"] = [name for name in schema["required"] if name not in ("num_layers", "hidden_channels")]


class Architecture(Part):
    """The models that are measured: one stack per convolution, all else equal."""

    model_config = ConfigDict(json_schema_extra=_vision_says_its_own_sizes)

    convolutions: tuple[Convolution, ...] = Field(min_length=1, description=CONVOLUTION_HELP)
    aggregations: tuple[Aggregation, ...] = Field(
        ("gather_scatter",), min_length=1, description="gather_scatter; spmm, for GCN, SAGE and GIN only"
    )
    num_layers: Annotated[int, Field(ge=1, le=10_000)] = Field(description="convolution blocks in the stack")
    depths: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = Field(
        (), description="further numbers of layers, measured beside num_layers; each makes a series of its own"
    )
    hidden_channels: Annotated[int, Field(ge=1, le=10**6)] = Field(
        description="channels of each block; attention heads are concatenated into them"
    )
    heads: Count = Field(1, description="attention heads (GAT and GATv2)")
    activation: Literal["relu", "elu"] = Field("relu", description="relu or elu")
    norm: Literal["none", "batch", "layer"] = Field("none", description="none, batch or layer")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="dropped share of each block's output")
    residual: bool = Field(False, description="add a block's input to its output where the widths agree")
    self_loops: bool = Field(
        False, description="GAT and GATv2 attend to the node itself, too (GCN always does, the others read it apart)"
    )
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="dropped share of the attention weights (GAT and GATv2)"
    )
    tasks: tuple[VisionTask, ...] = Field(
        ("patches",),
        min_length=1,
        description="what Vision GNNs classify: patches (object or background), images; each makes a series of its own",
    )

    @model_validator(mode="before")
    @classmethod
    def _vision_alone_says_its_own_layers(cls, values: Any) -> Any:
        """Take layers and channels from the first Vision GNN where there is nothing else to be stacked."""
        if not isinstance(values, dict):
            return values
        names = values.get("convolutions")
        if (
            not isinstance(names, list | tuple)
            or not names
            or not all(isinstance(name, str) and name in SHAPES for name in names)
        ):
            return values
        shape = SHAPES[names[0]]
        return {"num_layers": shape.blocks, "hidden_channels": shape.channels, **values}

    @model_validator(mode="after")
    def _depths_are_further(self) -> Architecture:
        if self.num_layers in self.depths:
            raise ValueError(f"depths has {self.num_layers}, which num_layers is already; name each once")
        return self

    @model_validator(mode="after")
    def _heads_divide_channels(self) -> Architecture:
        if self.hidden_channels % self.heads:
            raise ValueError(f"hidden_channels {self.hidden_channels} is not a multiple of heads {self.heads}")
        return self
