"""What the numbers mean, how and on what they were measured, the data beside them, and how to measure them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gnn_checkpointing.packed import PACK
from gnn_checkpointing.records.measurements_table import columns_of
from gnn_checkpointing.report import inputs as files
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact, Figure
from gnn_checkpointing.report.figures.palette import kind_of
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Facts, Link, Links, Section, Step, Steps
from gnn_checkpointing.report.provenance import study_command
from gnn_checkpointing.report.sections.instrument import tolerated
from gnn_checkpointing.report.sections.parts import blocks
from gnn_checkpointing.report.texts import Texts
from gnn_checkpointing.study.own_model import own_name
from gnn_checkpointing.study.policy_names import POLICIES

_text = Texts("method")

_NOTES = {
    files.MEASUREMENTS: "one row per cell and policy; the columns are explained below",
    files.CLAIMS: "every claim with its rule, estimate, interval and verdict",
    files.EFFECTS: "what each policy needs at each size, density, real graph, batch and depth",
    files.AUDIT: "every question that this report asks itself, and the answer",
    files.TRENDS: "bands along density and break-even densities",
    files.REGRESSIONS: "additive laws, interactions, residuals",
    files.PREDICTIONS: "chosen laws, every candidate, coverage, real graphs, what fits",
    files.PLANNER: "the laws as the planner reads them, by layers, channels and heads",
    files.ROBUSTNESS: "what was tried against the answer",
    files.EXPLANATIONS: "a trained Vision GNN's blocks on images, where there are some",
    files.GRAPHS: "every graph: structure, source, licence, checksums, what was changed",
    files.ACCURACY: "training jobs",
    files.TRAININGS: "their loss curves",
    files.QUALITY: "outcomes, readings, overlap, widths, warnings",
    files.TRACES: "live bytes at every allocation of one step per convolution and policy",
    files.DEMONSTRATION: "what other instruments say of the same run",
    files.RECORDS: "every record whole, one per line: each step's time, orders, stamps, loads",
    files.STUDY: "the study as it was measured",
    files.HARDWARE: "the machine and the versions of libraries",
}
_TABLE = "gnn_checkpointing/records/measurements_table.py"


def method_section(inputs: ReportInputs) -> Section:
    """The meaning of the numbers."""
    kinds = {kind: POLICIES[kind].words for kind in map(kind_of, ("none", *inputs.study.policies))}
    device = "cuda" if "cuda" in inputs.quality.setting.devices else "cpu"
    # Models differ in layers or channels, or one is what it was found to be.
    sizes = {(model.num_layers, model.hidden_channels) for model in inputs.depths.models}
    several = inputs.study.architecture.module is not None or len(sizes) > 1
    models = _text.table(inputs, "table-models", files.EFFECTS, inputs.depths.models)
    text = _text("method", inputs=inputs, device=device, tolerated=tolerated, kinds=kinds, trends=files.TRENDS)
    parts = blocks(text, models if several else None, _facts(inputs, several=several))
    return Section("method", "Method", parts)


def _facts(inputs: ReportInputs, *, several: bool) -> dict[str, str]:
    """The sizes that all models share, what stacks and a user's own model are made of, and how it was measured."""
    measuring, architecture = inputs.study.measurement, inputs.study.architecture
    facts = {}
    if not several:
        facts["Layers"] = units.digits(architecture.num_layers)
        facts["Hidden channels"] = units.digits(architecture.hidden_channels)
        facts["Attention heads"] = units.digits(architecture.heads)
    if not architecture.is_own_alone:
        facts["Activation, norm, dropout, residual"] = (
            f"{architecture.activation}, {architecture.norm}, {units.plain(architecture.dropout)}, "
            f"{'yes' if architecture.residual else 'no'}"
        )
    if architecture.module is not None:
        facts[f"{own_name(architecture.module)} is built by"] = architecture.module
        facts |= {f"SHA-256 of {name}": sha256 for name, sha256 in architecture.files.items()}
    rounds, processes = measuring.rounds, inputs.quality.processes
    return facts | {
        "Compute threads": units.digits(measuring.threads),
        "Allocators": ", ".join(measuring.allocators),
        "Fresh processes that time each cell": " or ".join(map(units.digits, processes)) or units.NOTHING,
        "Rounds of a cell": f"{units.digits(rounds.at_least)} to {units.digits(rounds.at_most)}",
        "Target half-width of a time ratio": f"±{units.percent(measuring.ratio_half_width)}",
        "Time budget of a cell": units.duration(measuring.seconds_per_cell),
        "Seed": units.digits(inputs.study.seed),
    }


def machine_section(inputs: ReportInputs) -> Section:
    """The machine, as written beside its records."""
    machine = inputs.machine
    facts = Facts((Fact("Machine", machine.label), Fact("Slug", machine.slug), *machine.facts))
    return Section("machine", "Hardware and versions", blocks(_text("machine"), facts))


def redo_section(inputs: ReportInputs) -> Section:
    """The commands that make this report again."""
    run = study_command(inputs.study)
    set_up = "make setup\n. .venv/bin/activate\n"
    steps = (
        Step("Show the plan without measuring.", f"{set_up}{run} -n"),
        Step(
            "Measure, analyse and publish; what is already measured is kept.",
            "make report" if inputs.study.name == "default" else f"{set_up}{run}",
        ),
        Step("Run the project's own tests.", "make test"),
    )
    return Section("redo", "How to redo it", blocks(_text("redo"), Steps(steps)))


def data_section(inputs: ReportInputs, checksums: Mapping[str, str], figures: Sequence[Figure]) -> Section:
    """The files beside the report; `checksums` gives the SHA-256 of each."""
    links = [
        Link(name, name, note) if name in files.PLAIN else Link(PACK, f"{name} in {PACK}", note)
        for name, note in _NOTES.items()
    ]
    drawn = [one for one in figures if one.provenance is not None]
    origins = _text.table(inputs, "table-origins-of-figures", "workflow/rules", drawn)
    dictionary = _text.table(inputs, "table-dictionary", _TABLE, columns_of(inputs.rows), file=files.MEASUREMENTS)
    sums = {f"SHA-256 of {name}": checksum for name, checksum in checksums.items()}
    parts = blocks(_text("every-number-above-was-measured"), Links(tuple(links)), origins, sums, dictionary)
    return Section("data", "Data", parts)
