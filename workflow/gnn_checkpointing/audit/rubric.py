"""The rubric: every question that a report is asked, the same for every study, and the audit that answers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from gnn_checkpointing.audit import checks
from gnn_checkpointing.audit.grades import Audit, Check, graded
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import Answer, Named, no_offender
from gnn_checkpointing.study.yaml_files import read_yaml

RUBRIC = Path(__file__).with_name("rubric.yaml")


@dataclass(frozen=True)
class Question:
    """A question that a sound report answers with yes, as `rubric.yaml` words it, and the check that answers it."""

    id: str
    check: Callable[[AuditInputs], Answer | Named]
    question: str
    rule: str
    evidence: str
    offends: str = ""
    needs: str = "there is nothing of the kind, so the check could not fail"

    def answer(self, inputs: AuditInputs) -> Answer:
        """What the check finds; of things by name, whether none of them breaks the rule."""
        found = self.check(inputs)
        return found if isinstance(found, Answer) else no_offender(found, self.offends)


def rubric() -> list[Question]:
    """The questions of `rubric.yaml`, each with the function of its id in the module of checks that it is listed by."""
    return [
        Question(id, getattr(import_module(f"{checks.__name__}.{theme}"), id.replace("-", "_")), **words)
        for theme, questions in read_yaml(RUBRIC).items()
        for id, words in questions.items()
    ]


def audited(inputs: AuditInputs) -> Audit:
    """The answers to all questions of the rubric, and their score."""
    found, answered = inputs.by_visit(), []
    for one in rubric():
        answer = one.answer(found)
        applies = answer.passed is not None
        answered.append(
            Check(
                id=one.id,
                question=one.question,
                rule=one.rule,
                passed=answer.passed,
                found=answer.found,
                evidence=answer.evidence or one.evidence if applies else "",
                needs="" if applies else answer.needs or one.needs,
            )
        )
    return graded(inputs.study.name, inputs.machine.slug, answered)
