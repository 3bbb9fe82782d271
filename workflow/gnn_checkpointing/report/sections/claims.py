"""Every judged sentence once, with its verdict for each convolution and what it rests on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import get_args

from gnn_checkpointing.claims.ledger import Claim, Kind, Ledger, Verdict
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.inputs import CLAIMS, ReportInputs
from gnn_checkpointing.report.page import Block, ClaimItem, Claims, Column, Outcome, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted_where

_text = texts("claims")

TITLES: dict[Kind, str] = {
    "study": "What this study claims",
    "literature": "What the literature claims, tried here",
    "seed": "What this project began from: claims about Vision GNNs",
}
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_ENTRY = re.compile(r"(?<=/)\d+\b")
"""The number of an entry in a list, in an address."""


def claims_section(inputs: ReportInputs) -> Section:
    """Return the section on claims and their verdicts."""
    ledger = inputs.ledger
    if not ledger.claims:
        return Section("claims", "Claims", (Paragraph("This study judges no claims."),))
    by_kind = {kind: [claim for claim in ledger.claims if claim.kind == kind] for kind in TITLES}
    blocks: list[Block] = [
        Paragraph(_text("each-claim-was-written-down", confidence=ledger.confidence, claims=CLAIMS)),
        _summary(ledger),
    ]
    blocks += [
        Claims(f"claims-{kind}", TITLES[kind], tuple(_item(alike) for alike in _alike(claims)), CLAIMS)
        for kind, claims in by_kind.items()
        if claims
    ]
    return Section("claims", "Claims and verdicts", tuple(blocks))


def verdict_table(inputs: ReportInputs, id: str, caption: str, templates: Sequence[str]) -> tuple[Table, ...]:
    """Return the claims of some templates with their verdicts; nothing where the study judges none of them."""
    found = [claim for claim in inputs.ledger.claims if claim.id.partition(":")[0] in templates]
    if not found:
        return ()
    return (
        table(
            id,
            caption,
            CLAIMS,
            found,
            Of("Claim", lambda claim: claim.sentence, content="prose"),
            Of("Verdict", lambda claim: claim.verdict),
            Of("Estimate", lambda claim: _estimate(claim) or units.NOTHING),
            Of("Where", lambda claim: claim.reason, content="prose"),
        ),
    )


def _summary(ledger: Ledger) -> Table:
    rows: list[tuple[str, ...]] = []
    for kind in TITLES:
        of_kind = ("kind", "=", kind)
        judged = counted_where(ledger.claims, of_kind)
        # A claim about every convolution is told in general once; one about the study has nothing in general.
        sentences = counted_where(ledger.claims, of_kind, ("in_general", "=", "")) + counted_where(
            ledger.claims, of_kind, ("in_general", "!=", ""), distinct="in_general"
        )
        verdicts = [counted_where(ledger.claims, of_kind, ("verdict", "=", verdict)) for verdict in VERDICTS]
        if judged:
            numbers = (sentences, judged, *verdicts)
            rows.append((TITLES[kind], *(units.count(number) for number in numbers)))
    return Table(
        id="table-claims",
        caption=_text("table-claims"),
        columns=(
            Column("Claims", "", "prose"),
            Column("Sentences", "", "number"),
            Column("Judgements", "", "number"),
            *(Column(verdict.capitalize(), "", "number") for verdict in VERDICTS),
        ),
        rows=tuple(rows),
        source=CLAIMS,
    )


def _alike(claims: Sequence[Claim]) -> list[list[Claim]]:
    """Return the claims that differ in their convolution alone, together, in the order of the first of them."""
    found: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        found.setdefault((claim.id.partition(":")[0], claim.policy), []).append(claim)
    return list(found.values())


def _item(alike: Sequence[Claim]) -> ClaimItem:
    first, reason = alike[0], _each(alike, lambda claim: claim.reason)
    untested = all(claim.verdict == "untested" for claim in alike)
    facts = [
        Fact("Source", first.source if first.kind != "study" else ""),
        Fact("Rule", first.rule),
        Fact("Quantity", _each(alike, _quantity)),
        Fact("Conditions", _each(alike, lambda claim: claim.conditions)),
        Fact("Reason", "" if untested else reason),
        Fact("Evidence", "; ".join(dict.fromkeys(place for claim in alike for place in _places(claim)))),
    ]
    return ClaimItem(
        id=first.id if len(alike) == 1 else ":".join(filter(None, (first.id.partition(":")[0], first.policy))),
        sentence=first.sentence if len(alike) == 1 else first.in_general or first.sentence,
        outcomes=tuple(Outcome(claim.convolution, claim.verdict, _estimate(claim)) for claim in alike),
        wants=reason if untested else "",
        facts=tuple(fact for fact in facts if fact.value),
    )


def _each(alike: Sequence[Claim], text: Callable[[Claim], str]) -> str:
    """Return what the claims say, once where they say the same; else with the convolutions that say it."""
    found: dict[str, list[str]] = {}
    for claim in alike:
        found.setdefault(text(claim), []).append(claim.convolution)
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{', '.join(names)}: {words}" for words, names in found.items() if words)


def _quantity(claim: Claim) -> str:
    unit = "" if "ratio" in claim.unit or claim.unit in claim.quantity else claim.unit
    return f"{claim.quantity}, in {unit}" if unit else claim.quantity


def _estimate(claim: Claim) -> str:
    if claim.estimate is None:
        return ""
    return units.exact_or_general(claim.estimate)


def _places(claim: Claim) -> list[str]:
    """The files and fields of the claim's evidence, without the numbers of the entries, which claims.json has."""
    return [_ENTRY.sub("…", place) for place in claim.evidence.split("; ") if place]
