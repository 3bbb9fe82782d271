"""Result of the audit: the answer to each question of the rubric, the evidence for it, and the score."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import model_validator

from gnn_checkpointing.analysis.results import Result
from gnn_checkpointing.records.record import checked


class Check(Result):
    """One question and its answer: `found` has the deciding numbers, `evidence` their location (file: field).

    `passed` is None if the question does not apply to the study; `needs` then says what the study lacks.
    """

    id: str
    question: str
    rule: str
    passed: bool | None
    found: str
    evidence: str
    needs: str

    @model_validator(mode="after")
    def _answered_or_excused(self) -> Self:
        if (self.passed is None) != bool(self.needs):
            raise ValueError(f"check {self.id}: either it is answered, or needs says why it does not apply")
        return self


class Audit(Result):
    """All checks of a study; the score is `passed` of `applicable`, and checks that do not apply count in neither."""

    study: str
    hardware: str
    checks: list[Check]
    passed: int
    applicable: int

    @model_validator(mode="after")
    def _score_is_that_of_the_checks(self) -> Self:
        passed, applicable = _score(self.checks)
        if (self.passed, self.applicable) != (passed, applicable):
            raise ValueError(f"{self.passed} of {self.applicable} passed, but its checks say {passed} of {applicable}")
        return self

    @property
    def failed(self) -> list[Check]:
        """The checks that failed, in the rubric's order."""
        return [check for check in self.checks if check.passed is False]


def graded(study: str, hardware: str, checks: list[Check]) -> Audit:
    """The audit that these checks make."""
    passed, applicable = _score(checks)
    return Audit(study=study, hardware=hardware, checks=checks, passed=passed, applicable=applicable)


def read_audit(path: Path) -> Audit:
    """The content of an `audit.json`, or a refusal that names the file and the field."""
    return checked(path, Audit, "make it again with `audit`")


def _score(checks: Sequence[Check]) -> tuple[int, int]:
    return sum(check.passed is True for check in checks), sum(check.passed is not None for check in checks)
