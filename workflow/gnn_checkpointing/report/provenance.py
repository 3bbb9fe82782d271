"""Where each file beside the report comes from: the rule, the command that makes it again, and what that reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gnn_checkpointing.report.figure import Fact, Figure, Provenance
from gnn_checkpointing.report.inputs import (
    ANALYSIS,
    GIVEN,
    GRAPHS,
    HARDWARE,
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


@dataclass(frozen=True)
class _Origin:
    """A rule of the workflow, its command in the folder of the report, and the files beside the report it reads."""

    rule: str
    command: str
    inputs: tuple[str, ...]


_ANALYSE = "python -m gnn_checkpointing analyse --run ."
_KNOWLEDGE = _Origin(
    "knowledge",
    "python -m gnn_checkpointing knowledge --run .",
    (STUDY, HARDWARE, MEASUREMENTS, GRAPHS),
)


def study_command(study: Study) -> str:
    """Return the command that measures a study and makes its report."""
    command = "snakemake --cores 8"
    if study.name != "default":
        command += f" --configfile workflow/studies/{study.name}.yaml"
    if any(graph.dataset or not (graph.npz or graph.csv or Path()).is_absolute() for graph in study.graphs.real):
        command += " --config data_root=FOLDER_OF_REAL_GRAPHS"
    return command


def with_provenance(section: Section, study: Study, checksums: Mapping[str, str]) -> Section:
    """Return the section with each figure's provenance: of the file that it is drawn from, and of its own data."""
    return replace(
        section,
        blocks=tuple(
            replace(block, provenance=provenance(block, study, checksums)) if isinstance(block, Figure) else block
            for block in section.blocks
        ),
    )


def provenance(figure: Figure, study: Study, checksums: Mapping[str, str]) -> Provenance:
    """Return how a figure's file is made again, the SHA-256 of what that reads, and where the drawn numbers are."""
    origin = _origin(figure.source, study, checksums)
    return Provenance(
        file=figure.source,
        rule=origin.rule,
        command=origin.command,
        inputs=tuple(Fact(name, checksums.get(name, "")) for name in origin.inputs),
        data=f"{FIGURES}/{figure.id}.csv",
    )


def _origin(file: str, study: Study, checksums: Mapping[str, str]) -> _Origin:
    if file.startswith(f"{ANALYSIS}/"):
        given = {option: name for option, name in GIVEN.items() if name in checksums}
        options = "".join(f" --{option} {name}" for option, name in given.items())
        return _Origin("analyse", _ANALYSE + options, (STUDY, MEASUREMENTS, TRAININGS, *given.values()))
    if file == PLANNER:
        return _KNOWLEDGE
    if file in (MEASUREMENTS, TRACES, GRAPHS, "history.json"):
        return _Origin("collect", study_command(study), (STUDY, RECORDS))
    raise ValueError(f"figures are drawn from {MEASUREMENTS}, {TRACES}, {GRAPHS}, {PLANNER} or {ANALYSIS}/, not {file}")
