"""A question of the rubric: what it asks, when the answer is yes, and the check that answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gnn_checkpointing.audit.answers import Answer
from gnn_checkpointing.audit.inputs import AuditInputs

Check = Callable[[AuditInputs], Answer]


@dataclass(frozen=True)
class Question:
    """A question that a sound report answers with yes; `rule` says when the answer is yes."""

    id: str
    question: str
    rule: str
    answer: Check

    def __call__(self, inputs: AuditInputs) -> Answer:
        """The answer."""
        return self.answer(inputs)


def asks(id: str, question: str, rule: str) -> Callable[[Check], Question]:
    """Make a question of the check below."""
    return lambda answer: Question(id, question, rule, answer)
