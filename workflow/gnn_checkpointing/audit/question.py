"""What a check of the rubric may answer, and the words of its answer: yes, no, or not applicable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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
