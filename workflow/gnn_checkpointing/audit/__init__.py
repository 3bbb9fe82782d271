"""The audit: can a report be believed? Here are the questions that every report is asked, and their answers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, NamedTuple

from gnn_checkpointing.audit import checks
from gnn_checkpointing.report.grades import Audit, Check, graded
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.study.reading import read_yaml

RUBRIC = Path(__file__).with_name("rubric.yaml")


class Answer(NamedTuple):
    """Yes or no with the deciding numbers; `evidence` only if it differs from the question's."""

    passed: bool
    found: str
    evidence: str = ""


Named = Iterable[tuple[str, bool]]
"""Names of things, each with whether it breaks the rule."""

Found = Answer | Named | str | None
"""Result of a check; a text says why the question does not apply, None leaves that reason to the rubric."""


def no_offender(named: Named, offends: str) -> Answer | None:
    """Yes if nothing offends, such as "0 of 37 cells overlapped another"; else the first offender is named."""
    things = list(named)
    return offended([name for name, is_offender in things if is_offender], len(things), offends)


def offended(offenders: Sequence[str], total: int, offends: str) -> Answer | None:
    """As `no_offender`, from the offenders' names and the number of all things."""
    first = f"; the first: {offenders[0]}" if offenders else ""
    return Answer(not offenders, f"{len(offenders)} of {total} {offends}{first}") if total else None


def at_most(share: float, limit: float, what: str) -> Answer:
    """Whether a share stays within its limit."""
    return Answer(share <= limit, f"{what}: {percent(share)}, at most {percent(limit)} allowed")


def at_least(share: float, limit: float, what: str) -> Answer:
    """Whether a share reaches its limit."""
    return Answer(share >= limit, f"{what}: {percent(share)}, at least {percent(limit)} asked for")


def percent(share: float) -> str:
    """A share in per cent, with enough digits to distinguish it from a limit just beside it."""
    return f"{100 * share:.4g} %"


@dataclass(frozen=True)
class Question:
    """A question of `rubric.yaml`, to which a sound report answers yes, and the check that answers it."""

    id: str
    check: Callable[[RunFolder], Found]
    question: str
    rule: str
    evidence: str
    offends: str = ""
    needs: str = "there is nothing of the kind, so the check could not fail"

    def answer(self, run: RunFolder) -> Check:
        """Run the check; if it gives things by name, the answer is whether none of them breaks the rule."""
        found = self.check(run)
        if not isinstance(found, Answer | str | None):
            found = no_offender(found, self.offends)
        own: dict[str, Any] = {"passed": None, "found": "", "evidence": "", "needs": found or self.needs}
        if isinstance(found, Answer):
            own = found._asdict() | {"evidence": found.evidence or self.evidence, "needs": ""}
        return Check(id=self.id, question=self.question, rule=self.rule, **own)


@cache
def rubric(path: Path = RUBRIC) -> list[Question]:
    """The questions of a rubric, each with the function of its id in a module of `checks`."""
    functions: dict[str, Any] = {}
    for module in iter_modules(checks.__path__):
        functions |= vars(import_module(f"{checks.__name__}.{module.name}"))
    return [
        Question(id, functions[id.replace("-", "_")], **words)
        for questions in read_yaml(path).values()
        for id, words in questions.items()
    ]


def audited(run: RunFolder) -> Audit:
    """The answers to all questions of the rubric, and their score."""
    found = run.by_visit()
    return graded(run.study.name, run.machine.slug, [question.answer(found) for question in rubric()])
