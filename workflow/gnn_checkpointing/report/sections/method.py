"""What the numbers mean, how and on what they were measured, the data beside them, and how to measure them again."""

from __future__ import annotations

from collections.abc import Mapping

from gnn_checkpointing.packed import PACK
from gnn_checkpointing.records import measurements_table
from gnn_checkpointing.report import inputs as files
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.figures.palette import kind_of
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Facts, Link, Links, Step, Steps
from gnn_checkpointing.report.provenance import study_command
from gnn_checkpointing.report.sections import instrument
from gnn_checkpointing.study.own_model import own_name
from gnn_checkpointing.study.policy_names import POLICIES

_text = Texts("method")

tolerated, columns_of = instrument.tolerated, measurements_table.columns_of


def policy_kinds(inputs: ReportInputs) -> dict[str, str]:
    """What each kind of policy of the study does."""
    return {kind: POLICIES[kind].words for kind in map(kind_of, ("none", *inputs.study.policies))}


def differing_models(inputs: ReportInputs) -> bool:
    """Whether models differ in layers or channels, or one is what it was found to be."""
    sizes = {(model.num_layers, model.hidden_channels) for model in inputs.depths.models}
    return inputs.study.architecture.module is not None or len(sizes) > 1


def model_facts(inputs: ReportInputs, several: bool) -> Facts:  # noqa: FBT001 - a template calls it
    """The sizes that all models share, what stacks and a user's own model are made of, and how it was measured."""
    architecture, own = inputs.study.architecture, {}
    if architecture.module is not None:
        own = {f"{own_name(architecture.module)} is built by": architecture.module}
        own |= {f"SHA-256 of {name}": sha256 for name, sha256 in architecture.files.items()}
    models = _text.names("models", several=several, architecture=architecture)
    measuring = _text.names("measuring", inputs=inputs, measuring=inputs.study.measurement)
    return Facts(tuple(Fact(name, value) for name, value in (models | own | measuring).items()))


def machine_facts(inputs: ReportInputs) -> Facts:
    """The machine, as written beside its records."""
    machine = inputs.machine
    return Facts((Fact("Machine", machine.label), Fact("Slug", machine.slug), *machine.facts))


def redo_steps(inputs: ReportInputs) -> Steps:
    """The commands that make this report again."""
    run, set_up = study_command(inputs.study), "make setup\n. .venv/bin/activate\n"
    measure = "make report" if inputs.study.name == "default" else f"{set_up}{run}"
    commands = (f"{set_up}{run} -n", measure, "make test")
    return Steps(tuple(map(Step, _text.lines("steps"), commands)))


def links_to(notes: Mapping[str, str]) -> Links:
    """The files beside the report, each with its note."""
    return Links(
        tuple(
            Link(name, name, note) if name in files.PLAIN else Link(PACK, f"{name} in {PACK}", note)
            for name, note in notes.items()
        )
    )


def checksum_facts(checksums: Mapping[str, str]) -> Facts:
    """The SHA-256 of each file beside the report."""
    return Facts(tuple(Fact(f"SHA-256 of {name}", checksum) for name, checksum in checksums.items()))
