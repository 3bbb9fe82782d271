"""What the numbers mean, how and on what they were measured, the data beside them, and how to measure them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gnn_checkpointing.packed import PACK
from gnn_checkpointing.records.measurements_table import columns_of
from gnn_checkpointing.report import inputs as files
from gnn_checkpointing.report.figure import Fact, Figure
from gnn_checkpointing.report.figures.palette import kind_of
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Facts, Link, Links, Section, Step, Steps
from gnn_checkpointing.report.provenance import study_command
from gnn_checkpointing.report.sections.instrument import tolerated
from gnn_checkpointing.report.sections.parts import blocks
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.study.own_model import own_name
from gnn_checkpointing.study.policy_names import POLICIES

_text = Texts("method")

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
    architecture, own = inputs.study.architecture, {}
    if architecture.module is not None:
        own = {f"{own_name(architecture.module)} is built by": architecture.module}
        own |= {f"SHA-256 of {name}": sha256 for name, sha256 in architecture.files.items()}
    models = _text.names("models", several=several, architecture=architecture)
    return models | own | _text.names("measuring", inputs=inputs, measuring=inputs.study.measurement)


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
        for name, note in _text.names("files").items()
    ]
    drawn = [one for one in figures if one.provenance is not None]
    origins = _text.table(inputs, "table-origins-of-figures", "workflow/rules", drawn)
    dictionary = _text.table(inputs, "table-dictionary", _TABLE, columns_of(inputs.rows), file=files.MEASUREMENTS)
    sums = {f"SHA-256 of {name}": checksum for name, checksum in checksums.items()}
    parts = blocks(_text("every-number-above-was-measured"), Links(tuple(links)), origins, sums, dictionary)
    return Section("data", "Data", parts)
