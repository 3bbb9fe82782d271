"""Settings of a study for measuring, training and analysis, and for explaining a trained Vision GNN."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from gnn_checkpointing.study.convolutions import Convolution
from gnn_checkpointing.study.vocabulary import (
    Allocator,
    Amount,
    Checksum,
    Count,
    Degree,
    FromTwo,
    MemoryForm,
    Norm,
    Part,
    Share,
    Text,
    TimeForm,
    UserPath,
)

Turns = Annotated[int, Field(ge=3, le=10**6)]
MEMORY_FORMS, TIME_FORMS = get_args(MemoryForm), get_args(TimeForm)


class Rounds(Part):
    """How often each policy's step is timed."""

    at_least: Turns = Field(10, description="rounds of a cell that are run whatever they cost")
    at_most: Turns = Field(200, description="rounds of a cell after which timing stops")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_most < self.at_least:
            raise ValueError(f"at_most {self.at_most} is below at_least {self.at_least}")
        return self


class Measuring(Part):
    """How each cell is measured."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes CUDA where there is one")
    threads: Annotated[int, Field(ge=1, le=4096)] = Field(1, description="compute threads of the measured process")
    allocators: tuple[Allocator, ...] = Field(
        ("retaining",),
        min_length=1,
        description="retaining keeps freed memory, default is the platform's, jemalloc where it is installed; "
        "the first is the reference",
    )
    allocator_convolutions: tuple[Convolution, ...] | None = Field(
        None, description="convolutions that are measured under the other allocators, too; null: all of them"
    )
    processes: Annotated[int, Field(ge=1, le=1000)] = Field(
        2,
        description="fresh processes in which each cell is timed; they share rounds and time budget, and what they "
        "differ by is in every interval",
    )
    repeats: Annotated[int, Field(ge=0, le=1000)] = Field(
        0,
        description="graphs, the first in the order of measurement, that are measured again at the study's middle and "
        "end: what differs between hours is in every interval of time",
    )
    rounds: Rounds = Rounds()
    ratio_half_width: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.03, description="timing stops when every time ratio's interval is within +- this share of it"
    )
    seconds_per_cell: Amount = Field(2.5, description="time budget of a cell's rounds, once at_least rounds are done")
    memory_limit_gib: Amount | None = Field(
        None, description="a step whose peak is above this counts as out of memory; null: 90 % of the machine's"
    )
    timeout_seconds: Amount = Field(300, description="a policy that is silent for longer is recorded as timed_out")
    gradient_tolerance: Annotated[float, Field(gt=0, le=1)] = Field(
        1e-5, description="largest relative difference of loss, gradients and buffers that still counts as the same"
    )
    fake_tensor_reading: bool = Field(
        True, description="also read eager policies' memory by fake tensors, which takes about 0.1 s a policy"
    )


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


PRACTICE = "in practice"
"""Name in records of the study's stacks with the additions that are usual in practice."""


class Practice(Part):
    """What the stacks have in practice, and the graphs on which they are measured beside the bare ones."""

    graphs: ChosenGraphs = Field(description="the graphs on which they are measured, too")
    norm: Norm = Field("batch", description="none, batch or layer")
    dropout: Share = Field(0.5, description="dropped share of each block's output")
    residual: bool = Field(True, description="add a block's input to its output where the widths agree")
    self_loops: bool = Field(True, description="GAT and GATv2 attend to the node itself, too")
    attention_dropout: Share = Field(0.5, description="dropped share of the attention weights (GAT and GATv2)")


class LawForms(Part):
    """The forms of law that are tried, of equals the first is taken; what was listed after the data is named."""

    memory: tuple[MemoryForm, ...] = Field(
        MEMORY_FORMS, min_length=1, description=f"for bytes: {', '.join(MEMORY_FORMS)}"
    )
    time: tuple[TimeForm, ...] = Field(TIME_FORMS, min_length=1, description=f"for seconds: {', '.join(TIME_FORMS)}")
    added: tuple[MemoryForm | TimeForm, ...] = Field(
        (), description="of these, the forms that were added when the data had been seen: report and audit say so"
    )

    @model_validator(mode="after")
    def _added_are_tried(self) -> Self:
        for form in set(self.added) - {*self.memory, *self.time}:
            raise ValueError(f"added: {form} is not among the forms that are tried; list it under memory or time, too")
        return self


class Analysis(Part):
    """Constants of the analysis, fixed before the data are seen."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(0.95, description="level of every interval")
    resamples: Annotated[int, Field(ge=200, le=100_000)] = Field(
        2000, description="bootstrap resamples: at least ten for each share of 1 - confidence"
    )
    laws: LawForms = LawForms()
    capacity_gib: tuple[Amount, ...] = Field(
        (1, 8), min_length=1, description="memory limits for which the largest degree that fits is given"
    )

    @model_validator(mode="after")
    def _enough_resamples(self) -> Self:
        # An interval's end is an order statistic. It needs five resamples beyond it, so as not to be the most extreme.
        needed = round(10 / (1 - self.confidence))
        if self.resamples < needed:
            raise ValueError(
                f"confidence {self.confidence} needs at least {needed} resamples, not {self.resamples}; allowed are up "
                "to 100000, so raise resamples or lower confidence"
            )
        return self


class ImageSet(Part):
    """Images in ImageNet's layout, a folder a class, with masks of their objects where there are any."""

    images: UserPath = Field(description="folder with a folder of images for each class")
    masks: UserPath | None = Field(None, description="folder of masks: as the images, each a .png of the same name")
    label: Text | None = Field(None, description="how the report calls them (default: the name of the folder)")
    most: Count | None = Field(None, description="so many images, the first by path; null: all")


class Explaining(Part):
    """Trained weights of a Vision GNN and the images that it is explained on: what the twelve seed claims take."""

    weights: UserPath = Field(description="ViG weights in the published layout")
    convolution: Literal["ViG-Ti", "ViG-S", "ViG-B"] = Field("ViG-S", description="the size that they belong to")
    neighbours: FromTwo = Field(9, description="neighbours in its first block, twice as many in the last")
    classes: UserPath | None = Field(
        None, description="the model's classes, a folder's name a line; null: the folders'"
    )
    validation: ImageSet = Field(description="images of the kind that it was trained on, such as ImageNet's validation")
    adversarial: ImageSet | None = Field(None, description="images that deceive it, such as ImageNet-A")
    batch: Count = Field(16, description="images at once")
    files: dict[str, Checksum] = Field(
        default_factory=dict,
        description="checksums of weights and images: written down by each run, nothing to fill in",
    )
