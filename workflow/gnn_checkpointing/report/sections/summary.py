"""The head of the page: what was asked, where and when, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import AnswerSentence, Fact, Page, figures_of
from gnn_checkpointing.report.provenance import provenance, with_provenance
from gnn_checkpointing.report.sections.accuracy import accuracy_section
from gnn_checkpointing.report.sections.allocator import allocator_section
from gnn_checkpointing.report.sections.audit import audit_score, audit_section
from gnn_checkpointing.report.sections.batches import batches_section
from gnn_checkpointing.report.sections.claims import claims_section
from gnn_checkpointing.report.sections.data import data_section
from gnn_checkpointing.report.sections.depth import depth_section
from gnn_checkpointing.report.sections.ego import ego_section
from gnn_checkpointing.report.sections.explained import explained_section
from gnn_checkpointing.report.sections.failed import failed_section
from gnn_checkpointing.report.sections.families import families_section
from gnn_checkpointing.report.sections.frontier import frontier_section
from gnn_checkpointing.report.sections.graded import graded_section
from gnn_checkpointing.report.sections.graphs import graphs_section
from gnn_checkpointing.report.sections.instrument import instrument_section
from gnn_checkpointing.report.sections.laws import laws_section
from gnn_checkpointing.report.sections.lead import lead_figure
from gnn_checkpointing.report.sections.machine import machine_section
from gnn_checkpointing.report.sections.memory import memory_section
from gnn_checkpointing.report.sections.method import method_section
from gnn_checkpointing.report.sections.planner import planner_section
from gnn_checkpointing.report.sections.predictions import predictions_section
from gnn_checkpointing.report.sections.quality import quality_section
from gnn_checkpointing.report.sections.real import real_section
from gnn_checkpointing.report.sections.redo import redo_section
from gnn_checkpointing.report.sections.robustness import robustness_section
from gnn_checkpointing.report.sections.run import run_section
from gnn_checkpointing.report.sections.scorecard import scorecard_section
from gnn_checkpointing.report.sections.time import time_section
from gnn_checkpointing.report.sections.timeline import timeline_section
from gnn_checkpointing.report.sections.vision import vision_section


def report_page(inputs: ReportInputs, checksums: Mapping[str, str]) -> Page:
    """Return the whole page; `checksums` gives the SHA-256 of each file beside the report."""
    found = (
        planner_section(inputs),
        memory_section(inputs),
        time_section(inputs),
        frontier_section(inputs),
        allocator_section(inputs),
        timeline_section(inputs),
        vision_section(inputs),
        explained_section(inputs),
        depth_section(inputs),
        ego_section(inputs),
        laws_section(inputs),
        predictions_section(inputs),
        scorecard_section(inputs),
        families_section(inputs),
        robustness_section(inputs),
        real_section(inputs),
        graded_section(inputs),
        batches_section(inputs),
        claims_section(inputs),
        audit_section(inputs),
        accuracy_section(inputs),
        failed_section(inputs),
        quality_section(inputs),
        run_section(inputs),
        instrument_section(inputs),
        graphs_section(inputs),
        machine_section(inputs),
        method_section(inputs),
    )
    lead = lead_figure(inputs)
    origin = partial(with_provenance, study=inputs.study, checksums=checksums)
    sections = [origin(section) for section in found if section is not None]
    if lead is not None:
        lead = replace(lead, provenance=provenance(lead, inputs.study, checksums))
    figures = [*filter(None, [lead]), *figures_of(sections)]
    sections += [data_section(checksums, figures, inputs.rows), redo_section(inputs)]
    return Page(
        title=inputs.study.title,
        subtitle=f"What gradient checkpointing costs and saves, measured on {inputs.machine.label}",
        date=inputs.measured_on,
        facts=_facts(inputs),
        answer=tuple(AnswerSentence(s.text, s.verdict, s.evidence) for s in inputs.answer),
        lead=lead,
        score=audit_score(inputs.audit),
        sections=tuple(sections),
    )


def _facts(inputs: ReportInputs) -> tuple[Fact, ...]:
    quality = inputs.quality
    return (
        Fact("Machine", inputs.machine.label),
        Fact("Measured on", inputs.measured_on),
        Fact("Study", inputs.study.name),
        Fact("Convolutions", ", ".join(inputs.convolutions)),
        Fact("Policies", ", ".join(inputs.policies)),
        Fact("Cells", f"{units.count(quality.cells)} ({units.count(quality.rows)} measurements)"),
    )
