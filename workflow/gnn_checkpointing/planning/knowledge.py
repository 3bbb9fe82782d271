"""What a planner knows: the laws of one study on one machine, as numbers that grow with the model's sizes.

`planner.json` holds it, and the page and the command line read the same file: both do the arithmetic of
`arithmetic.py`, here in Python and there in JavaScript, on the same numbers in the same order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.records.record import Record
from gnn_checkpointing.refusal import Refusal

FILE = "planner.json"

Size = Literal["num_nodes", "num_edges", "num_layers", "hidden_channels", "heads", "num_features"]


class Growth(Record):
    """A number that grows with the model: so much per layer x channel, layer x head, channel, head, feature; and rest.

    What is kept for backward grows with the layers, what one layer works with does not.
    """

    layer_channels: float = 0.0
    layer_heads: float = 0.0
    channels: float = 0.0
    heads: float = 0.0
    features: float = 0.0
    rest: float = 0.0


class PlannedLaw(Record):
    """The largest of several sums of terms, each a growth x a column of the graph; or the exponential of one such sum.

    `factor` is what an exponential is multiplied by. Nodes and edges within `num_nodes` and `num_edges` were measured,
    and an interval reaches `half_width` to both sides, as a share of the law's value. Bytes or seconds.
    """

    link: Literal["sum", "exponential"]
    pieces: list[dict[str, Growth]]
    factor: Growth
    knee: float | None
    half_width: float
    num_nodes: tuple[int, int]
    num_edges: tuple[int, int]


class Resident(Record):
    """Bytes that live before a step: of parameters, a node without its features, a feature of a node, an edge."""

    parameters: float
    per_node: float
    per_feature: float
    per_edge: float


class Blocks(Record):
    """The rule by which a policy chooses its blocks (`study/block_rule.py`), or the `edges` that its name asks for."""

    edges_per_node: int
    smallest_bytes: int
    largest_bytes: int
    edges: int | None


class PolicyKnowledge(Record):
    """One convolution under one policy; `seconds` is None where its time follows no law.

    `faster_at` are the nodes and edges of graphs on which its step was measured to be clearly shorter than none's.
    With `reads_features` the first layer gathers the input features as they are, so that a message is as wide as they
    are where they are wider than a layer.
    """

    convolution: str
    policy: str
    self_loops: bool
    reads_features: bool
    activation: PlannedLaw
    seconds: PlannedLaw | None
    resident: Resident
    blocks: Blocks | None
    faster_at: list[tuple[int, int]] = Field(default_factory=list)


class Limit(Record):
    """The range of a size that was measured, and the sentence for what lies outside."""

    size: Size
    low: int
    high: int
    warning: str


class KnownGraph(Record):
    """A real graph to pick, `source` where its sizes are from; `num_features` None where they are those measured."""

    label: str
    num_nodes: int
    num_edges: int
    num_features: int | None = None
    source: str = ""


class Sizes(Record):
    """A model's sizes; of those that were measured, what a question leaves out is taken from here."""

    num_layers: int = Field(ge=1)
    hidden_channels: int = Field(ge=1)
    heads: int = Field(ge=1)
    num_features: int = Field(ge=1)


ATTENTION = ("GAT", "GATv2")
"""Convolutions whose shares of attention can be dropped."""


class Knowledge(Record):
    """Everything that a plan rests on."""

    schema_version: Literal[1] = 1
    hardware: str
    machine: str
    study: str
    confidence: float
    measured: Sizes
    limits: list[Limit]
    graphs: list[KnownGraph]
    policies: list[PolicyKnowledge]

    @property
    def convolutions(self) -> list[str]:
        """The convolutions that there are laws for, in the study's order."""
        return list(dict.fromkeys(known.convolution for known in self.policies))


def read_knowledge(path: Path) -> Knowledge:
    """Read `planner.json`, or refuse naming the file and the field."""
    try:
        return Knowledge.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "knowledge"
        raise Refusal(f"{path}: field {field}: {first['msg']}; make it again with `knowledge`") from None
