"""What was concluded, computed again from what was measured, and held against what is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from gnn_checkpointing.analysis.analyse import Findings, analyse
from gnn_checkpointing.analysis.protocol import protocol_of
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.rubric import audited
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.planning.gather import knowledge
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.inputs import ANALYSIS, AUDIT, CLAIMS, HARDWARE, MEASUREMENTS, PLANNER
from gnn_checkpointing.report.render import SUMMARY, published_sources, read_inputs, summary
from gnn_checkpointing.validation.alike import Difference, differences
from gnn_checkpointing.validation.published import Published

MISFITS = (Refusal, ArithmeticError, AssertionError, LookupError, TypeError, ValueError)
"""What arithmetic raises on numbers that no run gives."""


def analysis(found: Published) -> Iterator[str]:
    """Yield files of the analysis that the table does not give; this takes as long as the analysis."""
    measured = found.measured

    def again() -> Findings:
        study = measured.study
        return analyse(measured.rows, measured.trainings, protocol_of(study), measured.explained, measured.encodings)

    made = _computed(again)
    if isinstance(made, str):
        yield f"{ANALYSIS}: cannot be made from {MEASUREMENTS} again ({made})"
        return
    for one in fields(Findings):
        name = f"{ANALYSIS}/{one.name}.json"
        yield from _held(name, read_json(measured.folder / name), _plain(getattr(made, one.name)), MEASUREMENTS)


def conclusions(found: Published) -> Iterator[str]:
    """Yield claims, audit, planner and summary that the analysis does not give; this takes a second."""
    measured, concluded = found.measured, found.concluded
    study, machine, findings = measured.study, measured.machine, concluded.findings
    recipes: dict[str, tuple[str, Callable[[], Any]]] = {
        CLAIMS: (ANALYSIS, lambda: judge(findings, study.name, machine.slug)),
        AUDIT: (
            f"{ANALYSIS} and {CLAIMS}",
            lambda: audited(
                AuditInputs(
                    study,
                    measured.rows,
                    findings,
                    concluded.ledger,
                    measured.graphs,
                    machine,
                    measured.demonstration,
                )
            ),
        ),
        PLANNER: (
            ANALYSIS,
            lambda: knowledge(
                study, findings.predictions, measured.graphs, machine.slug, _label(measured.folder), machine.facts
            ),
        ),
        SUMMARY: (
            f"{ANALYSIS} and {CLAIMS}",
            lambda: summary(read_inputs(published_sources(measured.folder), measured.folder / ANALYSIS)),
        ),
    }
    for name, (source, make) in recipes.items():
        made = _computed(make)
        if isinstance(made, str):
            yield f"{name}: cannot be made from {source} again ({made})"
        else:
            yield from _held(name, read_json(measured.folder / name), _plain(made), source)


def _held(name: str, given: Any, again: Any, source: str) -> Iterator[str]:
    """Yield what is published otherwise than it is computed, the first place and how many there are."""
    found = list(differences(given, again))
    if found:
        more = f" ({len(found)} places in all)" if len(found) > 1 else ""
        yield f"{name}: not what {source} gives: {_words(name, given, found[0])}{more}"


def _words(name: str, given: Any, first: Difference) -> str:
    """Return a difference as a clause; of a claim or a check also its id."""
    parts = first.place.split("/")
    if name in (CLAIMS, AUDIT) and len(parts) > 2:
        return f"{given[parts[1]][int(parts[2])].get('id', '')}: {first}"
    return str(first)


def _computed(make: Callable[[], Any]) -> Any:
    """Return what is made, or as a text why it cannot be made."""
    try:
        return make()
    except MISFITS as error:
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _plain(value: Any) -> Any:
    """Return a model as its JSON has it."""
    return TypeAdapter(Any).dump_python(value, mode="json")


def _label(folder: Path) -> str:
    hardware = read_json(folder / HARDWARE)
    return str(hardware.get("label", hardware["slug"]))
