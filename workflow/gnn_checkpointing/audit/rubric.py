"""The rubric: every question that a report is asked, the same for every study, and the audit that answers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gnn_checkpointing.audit.answers import Answer
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


@dataclass(frozen=True)
class Question:
    """A question that a sound report answers with yes, and the check that answers it."""

    id: str
    question: str
    answer: Callable[[AuditInputs], Answer]

    @property
    def rule(self) -> str:
        """When the answer is yes: the check says it itself."""
        return (self.answer.__doc__ or "").splitlines()[0]


RUBRIC = (
    Question("cells-alone", "Was each cell alone on the machine?", exclusiveness.cells_alone),
    Question("nothing-else-ran", "Was the machine free of other load?", exclusiveness.nothing_else_ran),
    Question("everything-measured", "Was everything measured that was planned?", design.everything_measured),
    Question("design-balanced", "Is the design balanced?", design.design_balanced),
    Question("order-random", "Is the order of measurement unrelated to density?", design.order_unrelated_to_density),
    Question("failures-listed", "Is every failure listed?", outcomes.failures_listed),
    Question("outcomes-explained", "Does everything that did not run say why?", outcomes.outcomes_explained),
    Question("second-reading", "Was each memory peak read a second time?", instrument.high_water_read),
    Question("third-reading", "Were the peaks of policy none read a third time?", instrument.fake_tensors_read),
    Question("readings-agree", "Do the memory readings agree?", instrument.readings_agree),
    Question("peaks-add-up", "Do the parts of each peak add up to it?", instrument.peaks_add_up),
    Question("known-step", "Do the instruments agree on a known step?", instrument.known_step_read_alike),
    Question("memory-ratios", "Do the memory ratios follow from the bytes?", ratios.memory_ratios_rederive),
    Question("time-ratios", "Do the time ratios follow from the times?", ratios.time_ratios_rederive),
    Question("everything-compared", "Was every policy compared with policy none?", sameness.everything_compared),
    Question("nothing-changed", "Does every policy compute what policy none computes?", sameness.nothing_changed),
    Question("other-models-apart", "Are other models kept out of the laws?", sameness.other_models_kept_apart),
    Question("rounds-enough", "Was every policy timed often enough?", time.rounds_enough),
    Question("processes-enough", "Was every policy timed in more than one process?", time.processes_enough),
    Question("usual-width", "Are most time ratios known as well as was asked?", time.usual_width_reached),
    Question("worst-width", "Is the worst-known time ratio known well enough?", time.worst_width_bearable),
    Question("machine-steady", "Was the machine steady?", time.machine_steady),
    Question("no-page-faults", "Were steps free of page faults?", time.no_page_faults),
    Question("candidates-fixed", "Were all forms of law listed before the data?", laws.candidates_fixed),
    Question("densest-predicted", "Is memory on the densest level predicted unseen?", laws.densest_level_predicted),
    Question("slopes-met", "Do the laws meet the measured bytes per edge?", laws.laws_meet_slopes),
    Question("failures-foreseen", "Did the laws foresee what ran out?", laws.failures_foreseen),
    Question("held-out-often", "Were the intervals tried on enough cells?", predictions.held_out_often),
    Question("bytes-covered", "Do intervals of bytes hold what they promise?", predictions.bytes_covered),
    Question("time-covered", "Do intervals of time hold what they promise?", predictions.time_covered),
    Question("bytes-narrow", "Are intervals of bytes narrow?", predictions.bytes_narrow),
    Question("time-narrow", "Are intervals of time narrow?", predictions.time_narrow),
    Question("real-bytes", "Is memory on real graphs predicted?", predictions.real_bytes_predicted),
    Question("real-time", "Is time on real graphs predicted?", predictions.real_time_predicted),
    Question("no-graph-decides", "Does every statement stand without any one graph?", robustness.no_graph_decides),
    Question("no-drift", "Are the laws free of drift over the run?", robustness.no_drift),
    Question("stopping-covers", "Does the stopping rule leave intervals honest?", robustness.stopping_covers),
    Question("claims-enough", "Are there claims enough?", claims.claims_enough),
    Question("verdicts-estimated", "Does every verdict rest on an estimate?", claims.verdicts_estimated),
    Question("untested-explained", "Does every untested claim say why?", claims.untested_explained),
    Question("one-confidence", "Is there one confidence level throughout?", claims.one_confidence),
    Question("one-run", "Are all files of one study on one machine?", provenance.one_run),
    Question("graphs-checksummed", "Does every graph have a checksum?", provenance.graphs_checksummed),
    Question("draws-differ", "Do the drawn graphs differ?", provenance.draws_differ),
    Question("edges-exact", "Do drawn graphs have the edges asked for?", provenance.edges_exact),
    Question("real-documented", "Are real graphs' sources and licences stated?", provenance.real_graphs_documented),
    Question("machine-described", "Is the machine described?", provenance.machine_described),
    Question("versions-recorded", "Are the versions of libraries recorded?", provenance.versions_recorded),
    Question("control-trained", "Did the training jobs have their control?", training.control_trained),
)


def audited(inputs: AuditInputs) -> Audit:
    """Return the answers to all questions of the rubric, and their score."""
    return graded(inputs.study.name, inputs.machine.slug, [_checked(question, inputs) for question in RUBRIC])


def _checked(question: Question, inputs: AuditInputs) -> Check:
    answer = question.answer(inputs)
    return Check(
        id=question.id,
        question=question.question,
        rule=question.rule,
        passed=answer.passed,
        found=answer.found,
        evidence=answer.evidence,
        needs=answer.needs,
    )
