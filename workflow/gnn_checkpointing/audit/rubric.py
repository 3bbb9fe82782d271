"""The rubric: every question that a report is asked, the same for every study, and the audit that answers them."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from gnn_checkpointing.audit import checks
from gnn_checkpointing.audit.grades import Audit, Check, graded
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import Question


def rubric() -> list[Question]:
    """Every question of every module of checks: modules by their `PLACE`, questions as they are written there."""
    modules = [import_module(f"{checks.__name__}.{found.name}") for found in pkgutil.iter_modules(checks.__path__)]
    ordered = sorted(modules, key=lambda module: (module.PLACE, module.__name__))
    return [value for module in ordered for value in vars(module).values() if isinstance(value, Question)]


def audited(inputs: AuditInputs) -> Audit:
    """The answers to all questions of the rubric, and their score."""
    found = inputs.by_visit()
    return graded(inputs.study.name, inputs.machine.slug, [_checked(question, found) for question in rubric()])


def _checked(question: Question, inputs: AuditInputs) -> Check:
    return Check(id=question.id, question=question.question, rule=question.rule, **vars(question.answer(inputs)))
