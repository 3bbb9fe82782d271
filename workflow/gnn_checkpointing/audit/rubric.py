"""The rubric: every question that a report is asked, the same for every study, and the audit that answers them."""

from __future__ import annotations

from gnn_checkpointing.audit.checks import (
    claims,
    design,
    exclusiveness,
    instrument,
    laws,
    outcomes,
    predictions,
    provenance,
    ratios,
    robustness,
    sameness,
    time,
    training,
)
from gnn_checkpointing.audit.grades import Audit, Check, graded
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import Question

RUBRIC = (
    exclusiveness.cells_alone,
    exclusiveness.nothing_else_ran,
    design.everything_measured,
    design.design_balanced,
    design.order_unrelated_to_density,
    outcomes.failures_listed,
    outcomes.outcomes_explained,
    instrument.high_water_read,
    instrument.fake_tensors_read,
    instrument.readings_agree,
    instrument.small_peaks_read,
    instrument.peaks_add_up,
    instrument.known_step_read_alike,
    ratios.memory_ratios_rederive,
    ratios.time_ratios_rederive,
    sameness.everything_compared,
    sameness.nothing_changed,
    sameness.other_models_kept_apart,
    time.rounds_enough,
    time.processes_enough,
    time.repeats_agree,
    time.usual_width_reached,
    time.worst_width_bearable,
    time.machine_steady,
    time.no_page_faults,
    laws.candidates_fixed,
    laws.densest_level_predicted,
    laws.laws_meet_slopes,
    laws.growth_linear,
    laws.laws_ordered,
    laws.failures_foreseen,
    predictions.held_out_often,
    predictions.bytes_covered,
    predictions.time_covered,
    predictions.bytes_narrow,
    predictions.time_narrow,
    predictions.real_bytes_predicted,
    predictions.real_bounds_hold,
    predictions.real_time_predicted,
    predictions.real_intervals_hold,
    robustness.no_graph_decides,
    robustness.no_drift,
    robustness.stopping_covers,
    claims.claims_enough,
    claims.verdicts_estimated,
    claims.untested_explained,
    claims.one_confidence,
    provenance.one_run,
    provenance.graphs_checksummed,
    provenance.draws_differ,
    provenance.edges_exact,
    provenance.real_graphs_documented,
    provenance.machine_described,
    provenance.versions_recorded,
    training.control_trained,
)


def audited(inputs: AuditInputs) -> Audit:
    """Return the answers to all questions of the rubric, and their score."""
    found = inputs.by_visit()
    return graded(inputs.study.name, inputs.machine.slug, [_checked(question, found) for question in RUBRIC])


def _checked(question: Question, inputs: AuditInputs) -> Check:
    answer = question(inputs)
    return Check(
        id=question.id,
        question=question.question,
        rule=question.rule,
        passed=answer.passed,
        found=answer.found,
        evidence=answer.evidence,
        needs=answer.needs,
    )
