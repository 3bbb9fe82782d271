"""Judged claims, each once with its verdict for each convolution, and the report's own audit."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.ledger import Claim, Verdict
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.grades import Check
from gnn_checkpointing.report.inputs import CLAIMS, ReportInputs
from gnn_checkpointing.report.page import Fact, Kind, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.sourced import counted_where

_text = Texts("claims")


@dataclass(frozen=True)
class Outcome:
    """Formatted result of a claim for one convolution, or for the whole study if `about` is empty."""

    about: str
    verdict: Verdict
    estimate: str


@dataclass(frozen=True)
class ClaimItem:
    """A judged sentence, its verdict for each convolution, and the formatted evidence for them.

    `wants` says what a test would need if nothing was tested.
    """

    id: str
    sentence: str
    outcomes: tuple[Outcome, ...]
    wants: str
    facts: tuple[Fact, ...]


class Claims(Kind):
    """Judged sentences of one kind."""

    id: str
    title: str
    items: tuple[ClaimItem, ...]
    source: str


VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_ENTRY = re.compile(r"(?<=/)\d+\b")
"""Matches the number of a list entry in an address."""


def judged(inputs: ReportInputs) -> list[Claims]:
    """Every claim and its verdicts, grouped by kind: who makes it; the study's own only where it could be tested."""
    alike = grouped(inputs.ledger.claims, _sentence).values()
    tested = [own for own in alike if own[0].kind != "study" or any(claim.verdict != "untested" for claim in own)]
    kinds = grouped(tested, lambda own: str(own[0].kind))
    return [
        Claims(f"claims-{kind}", title, tuple(map(_item, kinds[kind])), CLAIMS)
        for kind, title in _text.names("kinds").items()
        if kind in kinds
    ]


def applicable(inputs: ReportInputs) -> list[Check]:
    """The checks of the audit that apply to the study."""
    return [check for check in inputs.audit.checks if check.passed is not None]


def summary(inputs: ReportInputs) -> Table:
    """Table of the numbers of sentences, judgements and verdicts for each kind of claim."""
    claims, titles = inputs.ledger.claims, _text.names("kinds")

    def sentences(kind: str) -> int:
        # Claims about every convolution share one general sentence; a claim about the study has none ("").
        of_kind = ("kind", "=", kind)
        alone = counted_where(claims, of_kind, ("in_general", "=", ""))
        return alone + counted_where(claims, of_kind, ("in_general", "!=", ""), distinct="in_general")

    def number(*verdict: tuple[str, str, str]) -> Callable[[str], int]:
        return lambda kind: counted_where(claims, ("kind", "=", kind), *verdict)

    return _text.table(
        inputs,
        "table-claims",
        CLAIMS,
        [kind for kind in titles if number()(kind)],
        *(Of(verdict.capitalize(), number(("verdict", "=", verdict)), units.count) for verdict in VERDICTS),
        title=titles.get,
        sentences=sentences,
        judgements=number(),
    )


def _item(alike: Sequence[Claim]) -> ClaimItem:
    first, reason = alike[0], _each(alike, lambda claim: claim.reason)
    untested = all(claim.verdict == "untested" for claim in alike)
    # Files and fields only; claims.json has the numbers of the entries.
    evidence = (_ENTRY.sub("…", place) for claim in alike for place in claim.evidence.split("; "))
    places = dict.fromkeys(filter(None, evidence))
    facts = [
        Fact("Source", first.source if first.kind != "study" else ""),
        Fact("Rule", first.rule),
        Fact("Quantity", _each(alike, _quantity)),
        Fact("Conditions", _each(alike, lambda claim: claim.conditions)),
        Fact("Reason", "" if untested else reason),
        Fact("Evidence", "; ".join(places)),
    ]
    return ClaimItem(
        id=first.id if len(alike) == 1 else ":".join(filter(None, _sentence(first))),
        sentence=first.sentence if len(alike) == 1 else first.in_general or first.sentence,
        outcomes=tuple(Outcome(claim.convolution, claim.verdict, estimate_of(claim)) for claim in alike),
        wants=reason if untested else "",
        facts=tuple(fact for fact in facts if fact.value),
    )


def _sentence(claim: Claim) -> tuple[str, str]:
    """Key that is equal for claims that differ in their convolution only."""
    return claim.id.partition(":")[0], claim.policy


def _each(alike: Sequence[Claim], text: Callable[[Claim], str]) -> str:
    """Texts of the claims: one text if all agree, else each text with its convolutions."""
    found = {words: [claim.convolution for claim in own] for words, own in grouped(alike, text).items()}
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{', '.join(names)}: {words}" for words, names in found.items() if words)


def _quantity(claim: Claim) -> str:
    unit = "" if "ratio" in claim.unit or claim.unit in claim.quantity else claim.unit
    return f"{claim.quantity}, in {unit}" if unit else claim.quantity


def estimate_of(claim: Claim) -> str:
    """A claim's estimate with its interval; "" if it has none."""
    return "" if claim.estimate is None else units.exact_or_general(claim.estimate)
