"""Does every policy compute what none computes, and is one that trains another model kept apart?"""

from __future__ import annotations

from gnn_checkpointing.audit.inputs import AuditInputs, Row, place
from gnn_checkpointing.audit.rubric import Answer, Named, no_offender, not_applicable, offended
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.study.policy_names import OTHER_MODELS, parse_policy

ERRORS = ("loss_error", "gradient_error", "buffer_error")
FLAGS = ("same_loss", "same_gradients", "same_buffers")


def everything_compared(inputs: AuditInputs) -> Named:
    return ((place(row), any(row[name] is None for name in (*ERRORS, *FLAGS))) for row in _comparable(inputs))


def nothing_changed(inputs: AuditInputs) -> Answer:
    tolerance = inputs.study.measurement.gradient_tolerance
    rows = [row for row in _comparable(inputs) if any(row[name] is not None for name in ERRORS)]
    off = [any((number(row, name) or 0.0) > tolerance for name in ERRORS) for row in rows]
    flagged = [any(row[name] is False for name in FLAGS) for row in rows]
    named = [(place(row), one or other) for row, one, other in zip(rows, off, flagged, strict=True)]
    # Rows that are off come first: their error says more than a flag alone.
    order = sorted(range(len(rows)), key=lambda number: not off[number])
    return no_offender([named[number] for number in order], f"compared rows differ by more than {tolerance:g}")


def other_models_apart(inputs: AuditInputs) -> Answer:
    others = {policy for policy in inputs.study.policies if parse_policy(policy).kind in OTHER_MODELS}
    if not others:
        return not_applicable("every policy of the study trains the model that none trains")
    rows = [row for row in inputs.completed if row["policy"] in others]
    found, regressions = inputs.findings, inputs.findings.regressions
    used = {effect.policy for effect in (*found.effects.generated, *found.effects.real)}
    used |= {law.policy for law in regressions.laws} | {law.policy for law in found.predictions.laws}
    used |= {interaction.policy for interaction in regressions.interactions}
    if not rows and not used & others:
        return not_applicable()
    offenders = [place(row) for row in rows if row["other_model"] is not True]
    offenders += [f"{policy} in effects or laws" for policy in sorted(used & others)]
    return offended(offenders, len(rows), "rows of another model pass for the same one")


def _comparable(inputs: AuditInputs) -> list[Row]:
    """The rows of other policies beside a completed none that say they train none's model."""
    return [row for row, none in inputs.pairs if row is not none and row["other_model"] is not True]
