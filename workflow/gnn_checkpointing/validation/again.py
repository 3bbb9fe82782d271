"""What was concluded, computed again from what was measured, and held against what is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from gnn_checkpointing.analysis.analyse import Findings, analyse
from gnn_checkpointing.analysis.protocol import protocol_of
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.audit.inputs import read_audit_inputs
from gnn_checkpointing.audit.rubric import audited
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.planning.gather import knowledge
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.inputs import ANALYSIS, AUDIT, CLAIMS, HARDWARE, MEASUREMENTS, PLANNER
from gnn_checkpointing.report.render import SUMMARY, published_sources, read_inputs, summary
from gnn_checkpointing.validation.alike import differences
from gnn_checkpointing.validation.published import Published

MISFITS = (Refusal, ArithmeticError, AssertionError, LookupError, TypeError, ValueError)
"""What arithmetic raises on numbers that no run gives."""


def analysis(found: Published) -> Iterator[str]:
    """Yield files of the analysis that the table does not give; this takes as long as the analysis."""
    measured, study = found.measured, found.measured.study

    def again() -> dict[str, Any]:
        made = analyse(measured.rows, measured.trainings, protocol_of(study), measured.explained, measured.encodings)
        return {f"{ANALYSIS}/{one.name}.json": getattr(made, one.name) for one in fields(Findings)}

    yield from _held(found, ANALYSIS, MEASUREMENTS, again)


def conclusions(found: Published) -> Iterator[str]:
    """Yield claims, audit, planner and summary that the analysis does not give; this takes a second."""
    measured, findings = found.measured, found.findings
    folder, study, machine = measured.folder, measured.study, measured.machine

    def known() -> Any:
        label = str(read_json(folder / HARDWARE).get("label", machine.slug))
        return knowledge(study, findings.predictions, measured.graphs, machine.slug, label, machine.facts)

    def summarised() -> Any:
        return summary(read_inputs(published_sources(folder), folder / ANALYSIS))

    both = f"{ANALYSIS} and {CLAIMS}"
    recipes: tuple[tuple[str, str, Callable[[], Any]], ...] = (
        (CLAIMS, ANALYSIS, lambda: judge(findings, study.name, machine.slug)),
        (AUDIT, both, lambda: audited(read_audit_inputs(folder))),
        (PLANNER, ANALYSIS, known),
        (SUMMARY, both, summarised),
    )
    for name, source, make in recipes:
        yield from _held(found, name, source, lambda name=name, make=make: {name: make()})  # type: ignore[misc]


def _held(found: Published, what: str, source: str, make: Callable[[], dict[str, Any]]) -> Iterator[str]:
    """Yield files that are published otherwise than they are made again, the first place and how many there are."""
    try:
        made = make()
    except MISFITS as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        yield f"{what}: cannot be made from {source} again ({reason})"
        return
    for name, again in made.items():
        given = read_json(found.measured.folder / name)
        different = list(differences(given, TypeAdapter(Any).dump_python(again, mode="json")))
        if different:
            more = f" ({len(different)} places in all)" if len(different) > 1 else ""
            parts = different[0].place.split("/")
            # Of a claim or a check its id says more than its place.
            id = f"{given[parts[1]][int(parts[2])].get('id', '')}: " if name in (CLAIMS, AUDIT) and parts[2:] else ""
            yield f"{name}: not what {source} gives: {id}{different[0]}{more}"
