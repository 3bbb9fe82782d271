"""The rubric: every question that a report is asked, the same for every study, and the audit that answers them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from gnn_checkpointing.audit import checks
from gnn_checkpointing.audit.grades import Audit, Check, graded
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import Question
from gnn_checkpointing.study.reading import read_yaml

RUBRIC = Path(__file__).with_name("rubric.yaml")


def rubric() -> list[Question]:
    """The questions of `rubric.yaml`, each with the function of its id in the module of checks that it is listed by."""
    return [
        Question(id, getattr(import_module(f"{checks.__name__}.{theme}"), id.replace("-", "_")), **words)
        for theme, questions in read_yaml(RUBRIC).items()
        for id, words in questions.items()
    ]


def audited(inputs: AuditInputs) -> Audit:
    """The answers to all questions of the rubric, and their score."""
    found = inputs.by_visit()
    return graded(inputs.study.name, inputs.machine.slug, [_checked(question, found) for question in rubric()])


def _checked(question: Question, inputs: AuditInputs) -> Check:
    answer = question.answer(inputs)
    applies = answer.passed is not None
    return Check(
        id=question.id,
        question=question.question,
        rule=question.rule,
        passed=answer.passed,
        found=answer.found,
        evidence=answer.evidence or question.evidence if applies else "",
        needs="" if applies else answer.needs or question.needs,
    )
