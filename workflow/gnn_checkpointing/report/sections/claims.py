"""What is judged: every claim once with its verdict for each convolution, and the report's own grades."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import get_args

from gnn_checkpointing.claims.ledger import Claim, Verdict
from gnn_checkpointing.packed import PACK
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.inputs import AUDIT, CLAIMS, ReportInputs
from gnn_checkpointing.report.page import ClaimItem, Claims, Link, Links, Outcome, Section, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections.parts import blocks, grouped
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.sourced import counted, counted_where

_text = Texts("claims")

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_ANSWERS = {True: "passed", False: "FAILED", None: "does not apply"}
_ENTRY = re.compile(r"(?<=/)\d+\b")
"""The number of an entry in a list, in an address."""


def claims_section(inputs: ReportInputs) -> Section:
    """Every claim and its verdicts."""
    ledger = inputs.ledger
    if not ledger.claims:
        return Section("claims", "Claims", blocks(_text("no-claims")))
    judged = [
        Claims(f"claims-{kind}", title, tuple(map(_item, grouped(claims, _sentence).values())), CLAIMS)
        for kind, title in _text.names("kinds").items()
        if (claims := [claim for claim in ledger.claims if claim.kind == kind])
    ]
    opening = _text("each-claim-was-written-down", confidence=ledger.confidence, claims=CLAIMS)
    return Section("claims", "Claims and verdicts", blocks(opening, _summary(inputs), judged))


def verdict_table(text: Texts, inputs: ReportInputs, id: str, *more: str) -> Table:
    """The claims of the templates listed below the caption in `text`, and of `more`, with their verdicts."""
    templates = {*text.lines(id), *more}
    found = [claim for claim in inputs.ledger.claims if claim.id.partition(":")[0] in templates]
    return _text.table(inputs, id, CLAIMS, found, name="table-verdicts", caption=text(id), estimate_of=_estimate)


def _summary(inputs: ReportInputs) -> Table:
    claims, titles = inputs.ledger.claims, _text.names("kinds")

    def sentences(kind: str) -> int:
        # A claim about every convolution is one sentence in general; one about the study has nothing in general.
        of_kind = ("kind", "=", kind)
        alone = counted_where(claims, of_kind, ("in_general", "=", ""))
        return alone + counted_where(claims, of_kind, ("in_general", "!=", ""), distinct="in_general")

    def judged(*verdict: tuple[str, str, str]) -> Callable[[str], int]:
        return lambda kind: counted_where(claims, ("kind", "=", kind), *verdict)

    return _text.table(
        inputs,
        "table-claims",
        CLAIMS,
        [kind for kind in titles if judged()(kind)],
        *(Of(verdict.capitalize(), judged(("verdict", "=", verdict)), units.count) for verdict in VERDICTS),
        title=titles.get,
        sentences=sentences,
        judged=judged(),
    )


def _item(alike: Sequence[Claim]) -> ClaimItem:
    first, reason = alike[0], _each(alike, lambda claim: claim.reason)
    untested = all(claim.verdict == "untested" for claim in alike)
    # Files and fields, without the numbers of the entries, which claims.json has.
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
        outcomes=tuple(Outcome(claim.convolution, claim.verdict, _estimate(claim)) for claim in alike),
        wants=reason if untested else "",
        facts=tuple(fact for fact in facts if fact.value),
    )


def _sentence(claim: Claim) -> tuple[str, str]:
    """What is the same of claims that differ in their convolution alone."""
    return claim.id.partition(":")[0], claim.policy


def _each(alike: Sequence[Claim], text: Callable[[Claim], str]) -> str:
    """What the claims say, once where they say the same; else with the convolutions that say it."""
    found = {words: [claim.convolution for claim in own] for words, own in grouped(alike, text).items()}
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{', '.join(names)}: {words}" for words, names in found.items() if words)


def _quantity(claim: Claim) -> str:
    unit = "" if "ratio" in claim.unit or claim.unit in claim.quantity else claim.unit
    return f"{claim.quantity}, in {unit}" if unit else claim.quantity


def _estimate(claim: Claim) -> str:
    return "" if claim.estimate is None else units.exact_or_general(claim.estimate)


def audit_section(inputs: ReportInputs) -> Section:
    """Every question of the rubric, its rule, the answer and what decided it."""
    audit = inputs.audit
    shown = _text.table(
        inputs,
        "table-audit",
        AUDIT,
        audit.checks,
        answer=lambda check: _ANSWERS[check.passed],
        found_or_needed=lambda check: check.found or check.needs,
    )
    score = _text("score", audit=audit, left_out=counted(audit.checks) - audit.applicable)
    opening = _text("the-report-grades-itself-on", checks=counted(audit.checks), text=score)
    link = Link(PACK, f"{AUDIT} in {PACK}", "every question with its rule, answer, numbers and evidence")
    return Section("audit", "Audit", blocks(opening, shown, Links((link,))))
