"""A study file as typed values: unknown keys and impossible values are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from gnn_checkpointing.graph_entries import Graphs
from gnn_checkpointing.policy_names import POLICY_HELP, parse_policy
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.vision_shapes import PATCHES, SHAPES
from gnn_checkpointing.vocabulary import (
    VISION,
    Aggregation,
    Allocator,
    Checksum,
    Convolution,
    Count,
    MemoryForm,
    Part,
    Slug,
    Text,
    TimeForm,
    VisionTask,
)
from gnn_checkpointing.yaml_files import read_yaml, refuse_bomb


def _vision_says_its_own_sizes(schema: dict[str, Any]) -> None:
    """Ask in the JSON schema for what is always asked for: layers and channels only where not all are Vision GNNs."""
    schema["required"] = [name for name in schema["required"] if name not in ("num_layers", "hidden_channels")]


class Architecture(Part):
    """The models that are measured: one stack per convolution, all else equal."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_vision_says_its_own_sizes)

    convolutions: tuple[Convolution, ...] = Field(
        min_length=1,
        description="GCN, SAGE, SAGE-max, GIN, GAT, GATv2, EdgeConv: stacks, for all graphs but images; ViG-Ti, ViG-S, "
        "ViG-B: Vision GNNs of fixed layers and channels, for images",
    )
    aggregations: tuple[Aggregation, ...] = Field(
        ("gather_scatter",), min_length=1, description="gather_scatter; spmm, for GCN, SAGE and GIN only"
    )
    num_layers: Count = Field(description="convolution blocks in the stack")
    depths: tuple[Count, ...] = Field(
        (), description="further numbers of layers, measured beside num_layers; each makes a series of its own"
    )
    hidden_channels: Count = Field(description="channels of each block; attention heads are concatenated into them")
    heads: Count = Field(1, description="attention heads (GAT and GATv2)")
    activation: Literal["relu", "elu"] = Field("relu", description="relu or elu")
    norm: Literal["none", "batch", "layer"] = Field("none", description="none, batch or layer")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="dropped share of each block's output")
    residual: bool = Field(False, description="add a block's input to its output where the widths agree")
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
    def _depths_and_tasks_once(self) -> Architecture:
        for key, values in (("depths", (self.num_layers, *self.depths)), ("tasks", self.tasks)):
            if len(set(values)) < len(values):
                beside = " (num_layers is one of them)" if key == "depths" else ""
                raise ValueError(f"{key} has a value twice in {list(values)}{beside}; name each once")
        return self

    @model_validator(mode="after")
    def _heads_divide_channels(self) -> Architecture:
        if self.hidden_channels % self.heads:
            raise ValueError(f"hidden_channels {self.hidden_channels} is not a multiple of heads {self.heads}")
        return self


class Rounds(Part):
    """How often each policy's step is timed."""

    at_least: Annotated[int, Field(ge=3)] = Field(10, description="rounds of a cell that are run whatever they cost")
    at_most: Annotated[int, Field(ge=3)] = Field(200, description="rounds of a cell after which timing stops")

    @model_validator(mode="after")
    def _ordered(self) -> Rounds:
        if self.at_most < self.at_least:
            raise ValueError(f"at_most {self.at_most} is below at_least {self.at_least}")
        return self


class Measuring(Part):
    """How each cell is measured."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes CUDA where there is one")
    threads: Count = Field(1, description="compute threads of the measured process")
    allocators: tuple[Allocator, ...] = Field(
        ("retaining",),
        min_length=1,
        description="retaining keeps freed memory, default is the platform's, jemalloc where it is installed; "
        "the first is the reference",
    )
    allocator_convolutions: tuple[Convolution, ...] | None = Field(
        None, description="convolutions that are measured under the other allocators, too; null: all of them"
    )
    processes: Annotated[int, Field(ge=1)] = Field(
        2,
        description="fresh processes in which each cell is timed, one after the other; rounds and time budget are "
        "shared out among them, and what the processes differ by is in every interval",
    )
    rounds: Rounds = Rounds()
    ratio_half_width: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.03, description="timing stops when every time ratio's interval is within +- this share of it"
    )
    seconds_per_cell: Annotated[float, Field(gt=0)] = Field(
        2.5, description="time budget of a cell's rounds, once at_least rounds are done"
    )
    memory_limit_gib: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="peak memory of a step, in exact bytes, above which it counts as out of memory; null: 90 % of the "
        "machine's",
    )
    timeout_seconds: Annotated[float, Field(gt=0)] = Field(
        300, description="a policy that is silent for longer is recorded as timed_out"
    )
    gradient_tolerance: Annotated[float, Field(gt=0)] = Field(
        1e-5, description="largest relative difference of loss, gradients and buffers that still counts as the same"
    )
    fake_tensor_reading: bool = Field(
        True,
        description="also read eager policies' memory by fake tensors: Python time only, about 0.1 s a policy, "
        "for edge_blocks more the denser the graph",
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


class LawForms(Part):
    """The forms of law that are tried; what was not listed before the data is not chosen after."""

    memory: tuple[MemoryForm, ...] = Field(
        ("additive", "blocks", "largest_of_two", "largest_of_two_blocks", "quadratic", "power"),
        min_length=1,
        description="for bytes: additive, blocks, largest_of_two, largest_of_two_blocks, quadratic, power; of equals "
        "the first is taken",
    )
    time: tuple[TimeForm, ...] = Field(
        ("additive", "blocks", "knee", "quadratic", "power"),
        min_length=1,
        description="for seconds: additive, blocks, knee, quadratic, power; of equals the first is taken",
    )


class Analysis(Part):
    """Constants of the analysis, fixed before the data are seen."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(0.95, description="level of every interval")
    resamples: Annotated[int, Field(ge=200)] = Field(2000, description="bootstrap resamples")
    laws: LawForms = LawForms()
    capacity_gib: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (1, 8), min_length=1, description="memory limits for which the largest degree that fits is given"
    )


class ImageSet(Part):
    """Images in ImageNet's layout, a folder a class, with masks of their objects where there are any."""

    images: Path = Field(description="folder with a folder of images for each class")
    masks: Path | None = Field(None, description="folder of masks: as the images, each a .png of the same name")
    label: Text | None = Field(None, description="how the report calls them (default: the name of the folder)")
    most: Count | None = Field(None, description="so many images, the first by path; null: all")


class Explaining(Part):
    """Trained weights of a Vision GNN and the images that it is explained on: what the twelve seed claims take."""

    weights: Path = Field(description="ViG weights in the published layout")
    convolution: Literal["ViG-Ti", "ViG-S", "ViG-B"] = Field("ViG-S", description="the size that they belong to")
    neighbours: Count = Field(9, description="neighbours in its first block, twice as many in the last")
    classes: Path | None = Field(None, description="the model's classes, a folder's name a line; null: the folders'")
    validation: ImageSet = Field(description="images of the kind that it was trained on, such as ImageNet's validation")
    adversarial: ImageSet | None = Field(None, description="images that deceive it, such as ImageNet-A")
    batch: Count = Field(16, description="images at once")
    files: dict[str, Checksum] = Field(
        default_factory=dict,
        description="checksums of weights and images: written down by each run, nothing to fill in",
    )


class HardwareName(Part):
    """How this machine is called; found automatically when left out."""

    slug: Slug | None = Field(None, description="folder name below results/ and report/")
    label: Text | None = Field(None, description="how the report prints the machine")


class Study(Part):
    """One study: which graphs, which models, which policies, measured how."""

    name: Slug = Field(description="folder name of the study below results/<hardware>/ and report/<hardware>/")
    title: Text = Field(description="title of the report")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(description="from which every random choice is derived")
    hardware: HardwareName = HardwareName()
    data_root: Path | None = Field(None, description="folder of real graphs; nothing is ever written below it")
    graphs: Graphs
    architecture: Architecture
    policies: tuple[str, ...] = Field(min_length=1, description=POLICY_HELP)
    measurement: Measuring = Measuring()
    training: Training = Training()
    analysis: Analysis = Analysis()
    explained: Explaining | None = Field(None, description="a trained Vision GNN and images to explain it on")

    @field_validator("policies")
    @classmethod
    def _policies_known(cls, policies: tuple[str, ...]) -> tuple[str, ...]:
        for policy in policies:
            try:
                parse_policy(policy)
            except Refusal as refusal:
                raise ValueError(str(refusal)) from None
        if "none" not in policies:
            raise ValueError("policy none is missing: every other policy is compared with it")
        if len(policies) == 1:
            raise ValueError("policy none alone leaves nothing to compare: name another one beside it, such as layers")
        if len(set(policies)) < len(policies):
            raise ValueError(f"a policy is listed twice in {list(policies)}")
        return policies

    @model_validator(mode="after")
    def _chosen_convolutions_are_measured(self) -> Study:
        chosen = [("measurement.allocator_convolutions", self.measurement.allocator_convolutions)]
        chosen += [("graphs.generated.convolutions", grid.convolutions) for grid in self.graphs.generated]
        for key, names in chosen:
            for name in names or ():
                if name not in self.architecture.convolutions:
                    measured = ", ".join(self.architecture.convolutions)
                    raise ValueError(f"{key} names {name}, which architecture.convolutions ({measured}) does not")
            if names == ():
                raise ValueError(f"{key} is empty: name a convolution, or leave the key out for all of them")
        return self

    @model_validator(mode="after")
    def _images_and_vision_go_together(self) -> Study:
        images = any(grid.family == "images" for grid in self.graphs.generated)
        others = any(grid.family != "images" for grid in self.graphs.generated) or bool(self.graphs.real)
        vision = [name for name in self.architecture.convolutions if name in VISION]
        stacks = [name for name in self.architecture.convolutions if name not in VISION]
        if images and not vision:
            raise ValueError(f"graphs of family images are read by {', '.join(sorted(VISION))} alone: name one of them")
        if vision and not images:
            raise ValueError(f"{vision[0]} reads graphs of family images alone: add some to graphs.generated")
        if others and not stacks:
            raise ValueError(
                f"{', '.join(vision)} read no graphs but images: name another convolution for the other graphs, or "
                "leave these out"
            )
        if stacks and not others:
            raise ValueError(f"{stacks[0]} reads no images: name Vision GNNs alone, or add other graphs")
        for grid in self.graphs.generated:
            for name in grid.convolutions or ():
                if (name in VISION) != (grid.family == "images"):
                    raise ValueError(
                        f"graphs.generated.convolutions: {name} does not read graphs of family {grid.family}"
                    )
        if images and self.graphs.batches:
            raise ValueError("graphs.batches samples nodes of graphs, which images have none of: leave one of them out")
        if images and self.graphs.ego:
            raise ValueError("graphs.ego takes the ego networks of graphs, which images have none of: leave it out")
        if "images" in self.architecture.tasks and any(
            PATCHES in grid.num_nodes for grid in self.graphs.generated if grid.family == "images"
        ):
            raise ValueError(
                f"architecture.tasks names images, and a graph of {PATCHES} nodes is one alone: BatchNorm in the head "
                f"needs two; raise graphs.generated.num_nodes to {2 * PATCHES}, or leave the task out"
            )
        if vision and self.training.graphs != TrainedGraphs():
            raise ValueError(f"training.graphs: training jobs train stacks, not {vision[0]}; leave it out")
        return self


def parse_study(values: Any, source: str) -> Study:
    """Return the study that `values` describe, or refuse naming the key, its value and what is allowed."""
    refuse_bomb(values, source)
    if not isinstance(values, dict):
        raise Refusal(f"{source}: a study file is a mapping of keys to values; see workflow/studies/README.md")
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise Refusal(f"{source}: {_sentence(error)}; see workflow/studies/README.md") from None


def read_study(path: Path) -> Study:
    """Read a study from a YAML (or JSON) file."""
    return parse_study(read_yaml(path), str(path))


def study_schema() -> dict[str, Any]:
    """Return the JSON schema of a study file."""
    schema = Study.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _sentence(error: ValidationError) -> str:
    """Return the first complaint of a validation error as one sentence, and how many more there are."""
    complaints = error.errors(include_url=False)
    # A misspelt key also leaves the right one missing; the misspelling is what helps.
    first = next((complaint for complaint in complaints if complaint["type"] == "extra_forbidden"), complaints[0])
    key = ".".join(str(part) for part in first["loc"]) or "study"
    if first["type"] == "extra_forbidden":
        what = f"unknown key {key}; {_allowed_keys(first['loc'])}"
    elif first["type"] == "missing":
        what = f"key {key} is missing"
    else:
        message = first["msg"].removeprefix("Value error, ")
        what = f"key {key}: {message}" + (
            "" if first["type"] == "value_error" else f" (given: {_short(first['input'])})"
        )
    more = len(complaints) - 1
    return what + (f" (and {more} more)" if more else "")


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python prints no number of more than 4,300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 80 else text[:77] + "..."


def _allowed_keys(location: tuple[int | str, ...]) -> str:
    """Return the keys that are allowed beside the unknown one at `location`."""
    schema = study_schema()
    node: dict[str, Any] = schema
    for part in location[:-1]:
        node = node["items"] if isinstance(part, int) else node.get("properties", {}).get(part, {})
        reference = node.get("$ref", "")
        if reference:
            node = schema["$defs"][reference.rsplit("/", 1)[-1]]
    allowed = sorted(node.get("properties", {}))
    return "allowed: " + ", ".join(allowed) if allowed else "see the allowed keys"
