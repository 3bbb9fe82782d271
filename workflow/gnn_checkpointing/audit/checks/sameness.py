"""Does every policy compute what none computes, and is one that trains another model kept apart?"""

from __future__ import annotations

from gnn_checkpointing.audit.inputs import AuditInputs, Row, place
from gnn_checkpointing.audit.question import Answer, asks, no_offender, not_applicable
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.study.policy_names import OTHER_MODELS, parse_policy

ERRORS = ("loss_error", "gradient_error", "buffer_error")
FLAGS = ("same_loss", "same_gradients", "same_buffers")

PLACE = 3


@asks(
    "everything-compared",
    "Was every policy compared with policy none?",
    "Each policy that completed beside none had its loss, gradients and buffers compared with none's.",
)
def everything_compared(inputs: AuditInputs) -> Answer:
    rows = _comparable(inputs)
    uncompared = [place(row) for row in rows if any(row[name] is None for name in (*ERRORS, *FLAGS))]
    what = "rows were not compared with none"
    return no_offender(
        uncompared, len(rows), what, f"measurements.csv: {', '.join(ERRORS)}", "no other policy completed beside none"
    )


@asks(
    "nothing-changed",
    "Does every policy compute what policy none computes?",
    "In each compared row loss, gradients and buffers are none's within the study's gradient_tolerance.",
)
def nothing_changed(inputs: AuditInputs) -> Answer:
    tolerance = inputs.study.measurement.gradient_tolerance
    rows = [row for row in _comparable(inputs) if any(row[name] is not None for name in ERRORS)]
    changed = [place(row) for row in rows if any((number(row, name) or 0.0) > tolerance for name in ERRORS)]
    changed += [place(row) for row in rows if any(row[name] is False for name in FLAGS)]
    what = f"compared rows differ by more than {tolerance:g}"
    return no_offender(
        list(dict.fromkeys(changed)),
        len(rows),
        what,
        f"measurements.csv: {', '.join(ERRORS)}",
        "no row was compared with none",
    )


@asks(
    "other-models-apart",
    "Are other models kept out of the laws?",
    "A policy that trains another model is marked in each row, and stands in no effect, law or interaction.",
)
def other_models_kept_apart(inputs: AuditInputs) -> Answer:
    others = {policy for policy in inputs.study.policies if parse_policy(policy).kind in OTHER_MODELS}
    if not others:
        return not_applicable("every policy of the study trains the model that none trains")
    rows = [row for row in inputs.completed if row["policy"] in others]
    found, regressions = inputs.findings, inputs.findings.regressions
    unmarked = [place(row) for row in rows if row["other_model"] is not True]
    used = {effect.policy for effect in (*found.effects.generated, *found.effects.real)}
    used |= {law.policy for law in regressions.laws} | {law.policy for law in found.predictions.laws}
    used |= {interaction.policy for interaction in regressions.interactions}
    if not rows and not used & others:
        return not_applicable("policies of another model ran nowhere")
    offenders = [*unmarked, *(f"{policy} in effects or laws" for policy in sorted(used & others))]
    evidence = "measurements.csv: other_model; analysis/effects, regressions, predictions.json: policy"
    return no_offender(offenders, len(rows), "rows of another model pass for the same one", evidence)


def _comparable(inputs: AuditInputs) -> list[Row]:
    """Return the rows of other policies beside a completed none that say they train none's model."""
    pairs = inputs.pairs
    return [row for row, none in pairs if row is not none and row["other_model"] is not True]
