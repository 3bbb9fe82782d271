"""What a check answers: yes, no, or that it does not apply; with the number that decides and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """The answer to one question of the rubric; `passed` is None where `needs` says why it does not apply."""

    passed: bool | None
    found: str
    evidence: str
    needs: str = ""


def not_applicable(needs: str) -> Answer:
    """Return that the study has nothing that the question is about."""
    return Answer(None, "", "", needs)


def no_offender(offenders: Sequence[str], total: int, what: str, evidence: str) -> Answer:
    """Return yes if nothing offends, such as "0 of 37 cells overlapped another"; else the first offender is named."""
    if not total:
        return not_applicable("there is nothing of the kind, so the check could not fail")
    first = f"; the first: {offenders[0]}" if offenders else ""
    return Answer(not offenders, f"{len(offenders)} of {total} {what}{first}", evidence)


def at_most(share: float, limit: float, what: str, evidence: str) -> Answer:
    """Return whether a share stays within its limit."""
    return Answer(share <= limit, f"{what}: {percent(share)}, at most {percent(limit)} allowed", evidence)


def at_least(share: float, limit: float, what: str, evidence: str) -> Answer:
    """Return whether a share reaches its limit."""
    return Answer(share >= limit, f"{what}: {percent(share)}, at least {percent(limit)} asked for", evidence)


def percent(share: float) -> str:
    """Return a share in digits enough that one just beside its limit is not printed as the limit."""
    return f"{100 * share:.4g} %"
