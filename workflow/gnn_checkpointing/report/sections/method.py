"""What the numbers mean and how they were measured."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.measurement.readings import DRIVER_BYTES, SORT_BYTES_PER_EDGE
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.figures.palette import kind_of
from gnn_checkpointing.report.inputs import EFFECTS, TRENDS, ReportInputs
from gnn_checkpointing.report.page import Facts, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import sourced
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.own_model import own_name
from gnn_checkpointing.study.policy_names import POLICIES

_text = texts("method")

_SORTING = sourced(SORT_BYTES_PER_EDGE, "gnn_checkpointing/measurement/readings.py#/SORT_BYTES_PER_EDGE")
_DRIVER = sourced(DRIVER_BYTES, "gnn_checkpointing/measurement/readings.py#/DRIVER_BYTES")

_ALLOCATORS = {
    "retaining": "The allocator keeps freed memory, as CUDA's caching allocator does: with the platform's default, "
    "page faults of freed and newly mapped memory can dominate the time of the plain step and turn a verdict round.",
    "jemalloc": "The allocator is jemalloc, which keeps some freed memory and gives the rest back over time.",
    "default": "The allocator is the platform's default: freed memory goes back to the operating system, and the page "
    "faults of mapping it again are part of the step time.",
}

_CACHING = (
    "The caching allocator keeps freed memory in its segments, so that a step does not wait for the driver: each "
    "policy runs once untimed to fill its cache. The device is synchronised before and after a timed step; events on "
    "it tell forward from backward, and the time of the step once more (device_time_seconds). Products are computed in "
    "full single precision. Sums over edges are atomic additions on CUDA, whose order differs from run to run: results "
    "are compared within a tolerance, never bit by bit."
)

_ACTIVATION = (
    "Activation memory is that peak minus what was live before the step (parameters, features, graph, the policy's own "
    "tables)."
)


def _on_cpu() -> str:
    return _text("peak-memory-is-the-highest", sorting=_SORTING, activation=_ACTIVATION)


def _on_cuda() -> str:
    return _text("peak-memory-is-the-highest-2", driver=_DRIVER, activation=_ACTIVATION)


def _policies(inputs: ReportInputs) -> str:
    """Return what each kind of policy in the study does."""
    kinds = dict.fromkeys(kind_of(policy) for policy in ("none", *inputs.study.policies))
    return "; ".join(f"{kind} {POLICIES[kind].words}" for kind in kinds)


def _aggregations(inputs: ReportInputs) -> tuple[Paragraph, ...]:
    if "spmm" not in inputs.study.architecture.aggregations:
        return ()
    return (Paragraph(_text("a-convolution-marked-spmm-aggregates")),)


def _bands(inputs: ReportInputs) -> tuple[Paragraph, ...]:
    if not inputs.trends.bands:
        return ()
    level = units.confidence(inputs.trends.confidence)
    return (Paragraph(_text("simultaneous-intervals-hold-at-all", level=level, trends=TRENDS)),)


def _ratios(inputs: ReportInputs) -> str:
    """Return how a time ratio and its interval come about, for as many processes as timed each cell."""
    level, quality = units.confidence(inputs.study.analysis.confidence), inputs.quality
    paired = (
        "Ratios are paired: the time ratio of a cell is the median over rounds of the policy's time divided by none's "
        "in the same round"
    )
    ends = (
        "Rounds go on until the interval is narrow enough or the cell's time budget is spent. Outliers stay in; "
        "nothing is measured again because its result surprised."
    )
    if quality.process_spread is None:
        return _text("with-a-bootstrap-interval-the", paired=paired, level=level, ends=ends)
    return _text(
        "in-each-of-several-fresh", paired=paired, level=level, process_spread=quality.process_spread, ends=ends
    )


def _several_sizes(inputs: ReportInputs) -> bool:
    """Tell whether the study's models differ in layers or channels, or one is what it was found to be."""
    return (
        inputs.study.architecture.module is not None
        or len({(model.num_layers, model.hidden_channels) for model in inputs.depths.models}) > 1
    )


def _sizes(inputs: ReportInputs) -> tuple[Fact, ...]:
    """Return the sizes that all models share; nothing where they differ."""
    architecture = inputs.study.architecture
    if _several_sizes(inputs):
        return ()
    return (
        Fact("Layers", units.digits(architecture.num_layers)),
        Fact("Hidden channels", units.digits(architecture.hidden_channels)),
        Fact("Attention heads", units.digits(architecture.heads)),
    )


def _blocks(architecture: Architecture) -> tuple[Fact, ...]:
    """Return what the blocks of stacks have besides their convolution."""
    if architecture.is_own_alone:
        return ()
    words = (
        f"{architecture.activation}, {architecture.norm}, "
        f"{units.plain(architecture.dropout)}, {'yes' if architecture.residual else 'no'}"
    )
    return (Fact("Activation, norm, dropout, residual", words),)


def _own_model(architecture: Architecture) -> tuple[Fact, ...]:
    """Return where a model of the user's own comes from: its module and the checksums of its files."""
    if architecture.module is None:
        return ()
    files = [Fact(f"SHA-256 of {name}", sha256) for name, sha256 in architecture.files.items()]
    return (Fact(f"{own_name(architecture.module)} is built by", architecture.module), *files)


def _models(inputs: ReportInputs) -> tuple[Table, ...]:
    """Return the models of a study that has several sizes of them."""
    if not _several_sizes(inputs):
        return ()
    return (
        table(
            "table-models",
            _text("table-models"),
            EFFECTS,
            inputs.depths.models,
            Of("Model", "convolution"),
            Of("Layers", "num_layers", units.digits),
            Of("Channels", "hidden_channels", units.digits),
            Of("Heads", "heads", units.digits),
            Of("Parameters", "parameters", units.count),
        ),
    )


def _numbers(processes: Sequence[int]) -> str:
    return " or ".join(units.digits(number) for number in processes) or units.NOTHING


def method_section(inputs: ReportInputs) -> Section:
    """Return the section on the meaning of the numbers."""
    study = inputs.study
    measuring, architecture = study.measurement, study.architecture
    device = "cuda" if "cuda" in inputs.quality.setting.devices else "cpu"
    return Section(
        "method",
        "Method",
        (
            Paragraph(_text("a-step-is-forward-loss")),
            Paragraph(_on_cuda() if device == "cuda" else _on_cpu()),
            Paragraph(_text("self-loops-and-normalisation-are")),
            Paragraph(_CACHING if device == "cuda" else _ALLOCATORS[measuring.allocators[0]]),
            Paragraph(_ratios(inputs)),
            *_bands(inputs),
            Paragraph(_text("average-degree-is-edges-nodes", inputs=_policies(inputs))),
            *_aggregations(inputs),
            *_models(inputs),
            Facts(
                (
                    *_sizes(inputs),
                    *_blocks(architecture),
                    *_own_model(architecture),
                    Fact("Compute threads", units.digits(measuring.threads)),
                    Fact("Allocators", ", ".join(measuring.allocators)),
                    Fact("Fresh processes that time each cell", _numbers(inputs.quality.processes)),
                    Fact(
                        "Rounds of a cell",
                        f"{units.digits(measuring.rounds.at_least)} to {units.digits(measuring.rounds.at_most)}",
                    ),
                    Fact("Target half-width of a time ratio", f"±{units.percent(measuring.ratio_half_width)}"),
                    Fact("Time budget of a cell", units.duration(measuring.seconds_per_cell)),
                    Fact("Seed", units.digits(study.seed)),
                )
            ),
        ),
    )
