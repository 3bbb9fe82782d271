"""The rubric: every question that a report is asked, the same for every study, and the audit that answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from gnn_checkpointing.audit.grades import Audit, Check, graded
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.study.reading import read_yaml

RUBRIC = Path(__file__).with_name("rubric.yaml")
CHECKS = "gnn_checkpointing.audit.checks"


@dataclass(frozen=True)
class Answer:
    """The answer to one question; `passed` is None where the question does not apply, `needs` then says why.

    `needs` and `evidence` are only given where they are not the question's own.
    """

    passed: bool | None
    found: str = ""
    needs: str = ""
    evidence: str = ""


Named = Iterable[tuple[str, bool]]
"""Things by name, each with whether it breaks the rule."""


def not_applicable(needs: str = "") -> Answer:
    """The study has nothing that the question is about."""
    return Answer(None, needs=needs)


def no_offender(named: Named, offends: str) -> Answer:
    """Yes if nothing offends, such as "0 of 37 cells overlapped another"; else the first offender is named."""
    things = list(named)
    return offended([name for name, is_offender in things if is_offender], len(things), offends)


def offended(offenders: Sequence[str], total: int, offends: str) -> Answer:
    """The same of the offenders' names and how many things there are."""
    if not total:
        return not_applicable()
    first = f"; the first: {offenders[0]}" if offenders else ""
    return Answer(not offenders, f"{len(offenders)} of {total} {offends}{first}")


def at_most(share: float, limit: float, what: str) -> Answer:
    """Whether a share stays within its limit."""
    return Answer(share <= limit, f"{what}: {percent(share)}, at most {percent(limit)} allowed")


def at_least(share: float, limit: float, what: str) -> Answer:
    """Whether a share reaches its limit."""
    return Answer(share >= limit, f"{what}: {percent(share)}, at least {percent(limit)} asked for")


def percent(share: float) -> str:
    """A share in digits enough that one just beside its limit is not printed as the limit."""
    return f"{100 * share:.4g} %"


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


@cache
def rubric(path: Path = RUBRIC) -> list[Question]:
    """The questions of a rubric, each with the function of its id in the module of checks that it is listed by."""
    return [
        Question(id, getattr(import_module(f"{CHECKS}.{theme}"), id.replace("-", "_")), **words)
        for theme, questions in read_yaml(path).items()
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
