"""The models of a study."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, field_serializer, model_validator

from gnn_checkpointing.refusal import unknown
from gnn_checkpointing.study.convolutions import CONVOLUTION_HELP, CONVOLUTIONS, SHAPES, VISION, BuiltIn, is_own
from gnn_checkpointing.study.own_model import own_name
from gnn_checkpointing.study.vocabulary import Aggregation, Checksum, Count, Norm, Part, Share, VisionTask

Depth = Annotated[int, Field(ge=1, le=10_000)]


def _stacks_alone_need_sizes(schema: dict[str, Any]) -> None:
    """Make the JSON schema require a model; layers and channels are required only if there are stacks."""
    del schema["required"]
    convolutions = {"required": ["convolutions"], "properties": {"convolutions": {"minItems": 1}}}
    schema["anyOf"] = [convolutions, {"required": ["module"]}]


def _well_named(module: str) -> str:
    own_name(module)  # raises ValueError if it is not the name of a function in a module
    return module


class Architecture(Part):
    """The models that are measured: one stack per convolution, all else equal."""

    model_config = ConfigDict(json_schema_extra=_stacks_alone_need_sizes)

    convolutions: tuple[BuiltIn, ...] = Field(description=CONVOLUTION_HELP)
    module: Annotated[str, Field(max_length=200), AfterValidator(_well_named)] | None = Field(
        None,
        description="a model of your own, instead of convolutions or beside them: package.module:function, looked for "
        "in the folder where the command runs first; called with the numbers of features and classes, it returns a "
        "torch.nn.Module that maps (x, edge_index) to class scores",
    )
    files: dict[str, Checksum] = Field(
        default_factory=dict,
        description="checksums of the module's files: written down by each run, nothing to fill in",
    )
    aggregations: tuple[Aggregation, ...] = Field(
        ("gather_scatter",), min_length=1, description="gather_scatter; spmm, for GCN, SAGE and GIN only"
    )
    num_layers: Depth = Field(description="convolution blocks in the stack")
    depths: tuple[Depth, ...] = Field(
        (), description="further numbers of layers, measured beside num_layers; each makes a series of its own"
    )
    hidden_channels: Annotated[int, Field(ge=1, le=10**6)] = Field(
        description="channels of each block; attention heads are concatenated into them"
    )
    heads: Count = Field(1, description="attention heads (GAT and GATv2)")
    activation: Literal["relu", "elu"] = Field("relu", description="relu or elu")
    norm: Norm = Field("none", description="none, batch or layer")
    dropout: Share = Field(0.0, description="dropped share of each block's output")
    residual: bool = Field(False, description="add a block's input to its output where the widths agree")
    self_loops: bool = Field(
        False, description="GAT and GATv2 attend to the node itself, too (GCN always does, the others read it apart)"
    )
    attention_dropout: Share = Field(0.0, description="dropped share of the attention weights (GAT and GATv2)")
    tasks: tuple[VisionTask, ...] = Field(
        ("patches",),
        min_length=1,
        description="what Vision GNNs classify: patches (object or background), images; each makes a series of its own",
    )

    @property
    def has_stacks(self) -> bool:
        """Whether there is a model whose layers and channels the study sets."""
        return any(not is_own(name) and name not in VISION for name in self.convolutions)

    @property
    def is_own_alone(self) -> bool:
        """Whether the user's own model is the only one."""
        return self.module is not None and len(self.convolutions) == 1

    @model_validator(mode="before")
    @classmethod
    def _whole_models(cls, values: Any) -> Any:
        """Put the user's own model first; fill in layers and channels if no convolution is stacked."""
        names = values.get("convolutions", ()) if isinstance(values, dict) else None
        if not isinstance(names, list | tuple):
            return values
        own = None
        if isinstance(values.get("module"), str):
            try:
                own = own_name(values["module"])
            except ValueError:
                own = "own-model"  # a valid stand-in: the misspelling is reported once the other keys are right
            names = (own, *(name for name in names if name != own))
        if not names or any(not isinstance(name, str) or name not in (*SHAPES, own) for name in names):
            return values | {"convolutions": names}
        shape = next((SHAPES[name] for name in names if name in SHAPES), None)
        sizes = (1, 1) if shape is None else (shape.blocks, shape.channels)
        return {"num_layers": sizes[0], "hidden_channels": sizes[1], **values, "convolutions": names}

    @field_serializer("convolutions")
    def _without_own(self, names: tuple[str, ...]) -> list[str]:
        return [name for name in names if not is_own(name)]

    @model_validator(mode="after")
    def _models_are_known(self) -> Self:
        own = None if self.module is None else own_name(self.module)
        if not self.convolutions:
            raise ValueError(
                "names neither convolutions nor module: name a convolution, or a model of your own by module"
            )
        for name in self.convolutions:
            if name not in (*CONVOLUTIONS, own):
                raise ValueError(unknown(f"convolution '{name[:60]}'", name, CONVOLUTIONS))
        if own is not None and "gather_scatter" not in self.aggregations:
            raise ValueError(f"aggregations lacks gather_scatter, and {own} can be measured under no other; add it")
        if self.depths and not self.has_stacks:
            raise ValueError("depths is for stacks of convolutions, of which there are none; leave it out")
        if self.num_layers in self.depths:
            raise ValueError(f"depths has {self.num_layers}, which num_layers is already; name each once")
        if self.hidden_channels % self.heads:
            raise ValueError(f"hidden_channels {self.hidden_channels} is not a multiple of heads {self.heads}")
        return self
