"""A planner's knowledge: the laws of a machine's studies, as numbers that grow with the model's sizes.

It is stored in `planner.json`, which both the page and the command line read. They do the same arithmetic
(`arithmetic.py`) on the same numbers in the same order, in JavaScript and in Python.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.records.record import Record, checked
from gnn_checkpointing.refusal import Refusal

FILE = "planner.json"

Size = Literal["num_nodes", "num_edges", "num_layers", "hidden_channels", "heads", "num_features"]
GRAPH_SIZES = ("num_nodes", "num_edges")
_NOUNS = {
    "num_nodes": "nodes",
    "num_edges": "edges",
    "num_layers": "layers",
    "hidden_channels": "channels",
    "heads": "heads",
    "num_features": "input features",
}
BEYOND_MODELS = "other numbers are computed from the tensors that a layer keeps and works with"

MeasuredGraph = tuple[int, int, int, int, float | None]
"""Nodes and edges of measured graphs of one size, their lowest and highest peak in bytes, and the median seconds of a
step, None if it was not timed."""


class Growth(Record):
    """A number that grows with the model: a sum of terms per layer x channel, layer x head and so on, and a rest.

    What is kept for the backward pass grows with the layers, the working memory of one layer does not. `segment_...`
    grow with the layers of the longest segment beyond its first. Zeros are not written to files.
    """

    layers: float = 0.0
    layer_channels: float = 0.0
    layer_heads: float = 0.0
    segment_channels: float = 0.0
    segment_heads: float = 0.0
    channels: float = 0.0
    heads: float = 0.0
    features: float = 0.0
    rest: float = 0.0

    @model_serializer(mode="wrap")
    def _written(self, fields: SerializerFunctionWrapHandler) -> dict[str, float]:
        return {name: value for name, value in fields(self).items() if value}


class PlannedLaw(Record):
    """Bytes or seconds: the maximum of several sums of growth x column of the graph, or the exponential of such a sum.

    `factor` multiplies the exponential. `num_nodes` and `num_edges` are the measured ranges; `half_width` is that of
    an interval, as a share of the law's value.
    """

    link: Literal["sum", "exponential"]
    pieces: list[dict[str, Growth]]
    factor: Growth
    knee: float | None
    half_width: float
    num_nodes: tuple[int, int]
    num_edges: tuple[int, int]


class Resident(Record):
    """Bytes resident before a step: of parameters, per node without its features, per feature of a node, per edge.

    `parameters` are bytes per layer and weight between two layers, and `first_layer` those of the first layer, whose
    weights lead from the input features.
    """

    parameters: float
    first_layer: float = 0.0
    per_node: float
    per_feature: float
    per_edge: float


class Blocks(Record):
    """The rule by which a policy chooses its block size (`study/policy_names.py`), or the `edges` given in its name."""

    edges_per_node: int
    smallest_bytes: int
    largest_bytes: int
    edges: int | None


class Sizes(Record):
    """A model's sizes; sizes that a question omits default to the measured ones."""

    num_layers: int = Field(ge=1)
    hidden_channels: int = Field(ge=1)
    heads: int = Field(ge=1)
    num_features: int = Field(ge=1)

    @property
    def model(self) -> tuple[int, int, int]:
        """Layers, channels and heads."""
        return self.num_layers, self.hidden_channels, self.heads


class PolicyKnowledge(Record):
    """One convolution under one policy; `seconds` is None if there is no law of its time.

    `faster_at` are the nodes and edges of graphs on which its step was measured to be clearly shorter than none's.
    `measured_at` are the graphs that were measured with the study's own model. With `counted`, bytes are those of the
    tensors that live at each instant, which hold for every graph and model.
    With `reads_features` the first layer gathers the raw input features, so its messages are as wide as these if they
    are wider than a layer.
    """

    convolution: str
    policy: str
    self_loops: bool
    reads_features: bool
    activation: PlannedLaw
    seconds: PlannedLaw | None
    resident: Resident
    blocks: Blocks | None
    counted: bool = False
    faster_at: list[tuple[int, int]] = Field(default_factory=list)
    measured_at: list[MeasuredGraph] = Field(default_factory=list)
    measured: Sizes | None = Field(default=None, exclude=True)
    plain: "PolicyKnowledge | None" = Field(default=None, exclude=True)
    """None of the policy's own study, where several studies answer."""


class Limit(Record):
    """The measured range of a size, and the warning for values outside it."""

    size: Size
    low: int
    high: int
    warning: str

    @classmethod
    def of(cls, size: str, low: int, high: int) -> Self:
        """A limit with its sentence."""
        if size in GRAPH_SIZES:
            span = f"{low:,} to {high:,}" if low < high else f"{low:,}"
            measured, beyond = f"Step times of graphs of {span}", "beyond that, the laws are extrapolated"
        else:
            measured, beyond = f"Models of {low:,}", BEYOND_MODELS
        warning = f"{measured} {_NOUNS[size]} were measured: {beyond}, and their intervals are untested."
        return cls.model_validate({"size": size, "low": low, "high": high, "warning": warning})


class KnownGraph(Record):
    """A real graph to choose; `source` of its sizes; `num_features` is None if they equal the measured ones."""

    label: str
    num_nodes: int
    num_edges: int
    num_features: int | None = None
    source: str = ""


def well_known() -> list[KnownGraph]:
    """The graphs of `well_known.csv`; a test compares them with the documentation of the installed PyG."""
    with Path(__file__).with_name("well_known.csv").open(encoding="utf-8", newline="") as stream:
        return [KnownGraph.model_validate(row) for row in csv.DictReader(stream)]


def known_graphs(measured: Sequence[GraphFacts]) -> list[KnownGraph]:
    """The measured real graphs, and well-known ones with the sizes that their publishers give."""
    loaded = (graph for graph in measured if graph.family == "real" and graph.derivation is None)
    fields = ("label", "num_nodes", "num_edges", "num_features")
    own = [KnownGraph(**{name: getattr(graph, name) for name in fields}) for graph in loaded]
    names = {graph.label for graph in own}
    return [*own, *(graph for graph in well_known() if graph.label not in names)]


class Knowledge(Record):
    """Everything that plans are based on."""

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
        """The convolutions with laws, in the study's order."""
        return list(dict.fromkeys(known.convolution for known in self.policies))


def read_knowledge(path: Path) -> Knowledge:
    """Read `planner.json`, or refuse naming the file and the field."""
    return checked(path, Knowledge, "make it again with `knowledge`")


def machine_knowledge(folder: Path) -> Knowledge:
    """Knowledge from all studies below `report/<hardware>/`; omitted sizes are those of the default study."""
    found = [read_knowledge(path) for path in sorted(folder.glob(f"*/{FILE}"))]
    known = [one for one in found if one.policies]
    if not known:
        raise Refusal(
            f"{folder}: no study below it has a {FILE} with laws; name the report/<hardware> of a machine that has"
        )
    return together(sorted(known, key=lambda one: (one.study != "default", one.study)))


def together(known: Sequence[Knowledge]) -> Knowledge:
    """Merge several into one with the model and texts of the first, without limits, since each policy has its own.

    For each convolution, the policies of the study that reaches the most edges without checkpointing go first.
    """
    policies = [
        one.model_copy(update={"measured": study.measured, "plain": _plain(study, convolution)})
        for convolution in dict.fromkeys(name for one in known for name in one.convolutions)
        for study in sorted(known, key=lambda one: -_reach(one, convolution))
        for one in study.policies
        if one.convolution == convolution
    ]
    graphs = {graph.label: graph for one in known for graph in one.graphs}
    names = ", ".join(one.study for one in known)
    update = {"study": names, "limits": [], "graphs": list(graphs.values()), "policies": policies}
    return known[0].model_copy(update=update)


def _plain(known: Knowledge, convolution: str) -> PolicyKnowledge | None:
    return next((one for one in known.policies if (one.convolution, one.policy) == (convolution, "none")), None)


def _reach(known: Knowledge, convolution: str) -> int:
    """The most edges without checkpointing; studies with several sizes of graph rank before those with one."""
    if (none := _plain(known, convolution)) is None:
        return 0
    nodes = none.activation.num_nodes
    return none.activation.num_edges[1] + 10**15 * (nodes[0] < nodes[1])
