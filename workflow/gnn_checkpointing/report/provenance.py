"""Where each file beside the report comes from: the rule, the command that makes it again, and what that reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gnn_checkpointing.report.figure import Fact, Figure, Provenance
from gnn_checkpointing.report.inputs import (
    ANALYSIS,
    GIVEN,
    GRAPHS,
    HARDWARE,
    HISTORY,
    MEASUREMENTS,
    PLANNER,
    RECORDS,
    STUDY,
    TRACES,
    TRAININGS,
)
from gnn_checkpointing.report.page import Section
from gnn_checkpointing.study.study import Study

FIGURES = "figures"


def study_command(study: Study) -> str:
    """The command that measures a study and makes its report."""
    command = "snakemake --cores 8"
    if study.name != "default":
        command += f" --configfile workflow/studies/{study.name}.yaml"
    if any(graph.dataset or not (graph.npz or graph.csv or Path()).is_absolute() for graph in study.graphs.real):
        command += " --config data_root=FOLDER_OF_REAL_GRAPHS"
    return command


def with_provenance(section: Section, study: Study, checksums: Mapping[str, str]) -> Section:
    """The section with each figure's provenance: of the file that it is drawn from, and of its own data."""
    blocks = (
        replace(block, provenance=provenance(block, study, checksums)) if isinstance(block, Figure) else block
        for block in section.blocks
    )
    return replace(section, blocks=tuple(blocks))


def provenance(figure: Figure, study: Study, checksums: Mapping[str, str]) -> Provenance:
    """How a figure's file is made again, the SHA-256 of what that reads, and where the drawn numbers are."""
    rule, command, names = _origin(figure.source, study, checksums)
    inputs = tuple(Fact(name, checksums.get(name, "")) for name in names)
    return Provenance(figure.source, rule, command, inputs, data=f"{FIGURES}/{figure.id}.csv")


def _origin(file: str, study: Study, checksums: Mapping[str, str]) -> tuple[str, str, tuple[str, ...]]:
    """The rule of the workflow, its command in the folder of the report, and the files beside the report it reads."""
    if file.startswith(f"{ANALYSIS}/"):
        given = {option: name for option, name in GIVEN.items() if name in checksums}
        options = "".join(f" --{option} {name}" for option, name in given.items())
        command = f"python -m gnn_checkpointing analyse --run .{options}"
        return "analyse", command, (STUDY, MEASUREMENTS, TRAININGS, *given.values())
    if file == PLANNER:
        command = "python -m gnn_checkpointing knowledge --run ."
        return "knowledge", command, (STUDY, HARDWARE, MEASUREMENTS, GRAPHS)
    if file in (MEASUREMENTS, TRACES, GRAPHS, HISTORY):
        return "collect", study_command(study), (STUDY, RECORDS)
    raise ValueError(f"figures are drawn from {MEASUREMENTS}, {TRACES}, {GRAPHS}, {PLANNER} or {ANALYSIS}/, not {file}")
