"""A question of the rubric, the check that answers it, and its answer: yes, no, or that it does not apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnn_checkpointing.audit.inputs import AuditInputs


@dataclass(frozen=True)
class Answer:
    """The answer to one question; `evidence` is where the number that decides comes from.

    `passed` is None where `needs` says why the question does not apply.
    """

    passed: bool | None
    found: str
    evidence: str
    needs: str = ""


Check = Callable[[AuditInputs], Answer]


@dataclass(frozen=True)
class Question:
    """A question that a sound report answers with yes; `rule` says when the answer is yes."""

    id: str
    question: str
    rule: str
    answer: Check


def asks(id: str, question: str, rule: str) -> Callable[[Check], Question]:
    """Make a question of the check below."""
    return lambda answer: Question(id, question, rule, answer)


def not_applicable(needs: str) -> Answer:
    """The study has nothing that the question is about."""
    return Answer(None, "", "", needs)


def no_offender(
    offenders: Sequence[str],
    total: int,
    what: str,
    evidence: str,
    needs: str = "there is nothing of the kind, so the check could not fail",
) -> Answer:
    """Yes if nothing offends, such as "0 of 37 cells overlapped another"; else the first offender is named."""
    if not total:
        return not_applicable(needs)
    first = f"; the first: {offenders[0]}" if offenders else ""
    return Answer(not offenders, f"{len(offenders)} of {total} {what}{first}", evidence)


def at_most(share: float, limit: float, what: str, evidence: str) -> Answer:
    """Whether a share stays within its limit."""
    return Answer(share <= limit, f"{what}: {percent(share)}, at most {percent(limit)} allowed", evidence)


def at_least(share: float, limit: float, what: str, evidence: str) -> Answer:
    """Whether a share reaches its limit."""
    return Answer(share >= limit, f"{what}: {percent(share)}, at least {percent(limit)} asked for", evidence)


def percent(share: float) -> str:
    """A share in digits enough that one just beside its limit is not printed as the limit."""
    return f"{100 * share:.4g} %"
