"""Judging: each claim of the catalogue, for what was measured, gets its number and its verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.catalogue import CATALOGUE, Template
from gnn_checkpointing.claims.conditions import setting
from gnn_checkpointing.claims.evidence import Picked, convolutions, levels, variants, with_addresses
from gnn_checkpointing.claims.flips import flipping, steady
from gnn_checkpointing.claims.ledger import Claim, Ledger
from gnn_checkpointing.sourced import plain

EACH = "each convolution"


def judge(findings: Findings, study_name: str, hardware: str) -> Ledger:
    """Return every claim of the catalogue with its estimate, evidence and verdict."""
    findings = with_addresses(findings)
    claims = [
        _claim(template, findings, convolution, policy)
        for template in CATALOGUE
        for convolution, policy in _instances(template, findings)
    ]
    return Ledger(
        study=study_name,
        hardware=hardware,
        confidence=findings.effects.confidence,
        # What others say concerns a study only where it tests it.
        claims=[claim for claim in claims if claim.kind != "literature" or claim.verdict != "untested"],
    )


def claim_id(template_id: str, convolution: str = "", policy: str = "") -> str:
    """Return the id of one claim, such as edge-blocks-are-flat-in-density:GATv2:edge_blocks."""
    return ":".join(part for part in (template_id, convolution, policy) if part)


def _instances(template: Template, findings: Findings) -> Iterator[tuple[str, str]]:
    """Yield the convolutions and policies that a claim is made for."""
    if template.needs and not _measured(template.needs, findings):
        return
    if template.scope == "study":
        yield "", template.policy
        return
    policies = variants(findings, template.policy) if template.policy else [""]
    for convolution in convolutions(findings):
        if template.only and convolution.partition(" (")[0] not in template.only:
            continue
        for policy in policies:
            if not template.beside or _both_measured(findings, convolution, policy, template.beside):
                yield convolution, policy


def _measured(needed: str, findings: Findings) -> bool:
    """Return whether the study has what a claim needs besides generated graphs."""
    policies = {effect.policy for effect in findings.effects.generated}
    found: dict[str, object] = {
        "real graphs": findings.effects.real,
        "families": findings.variants.families,
        "graded graphs": findings.variants.graded,
        "batches": findings.variants.batches,
        "segments": [policy for policy in policies if policy.startswith("segments(")],
        "budgets": [policy for policy in policies if policy.startswith("memory_budget(")],
        "censored cells": findings.predictions.censored,
        "depths": findings.depths.points,
        "Vision GNNs": findings.explained.sets
        or [model for model in findings.effects.models if model.convolution.startswith("ViG-")],
        "ego networks": [point for point in findings.ego.points if point.method == "ego_networks"],
    }
    return bool(found[needed])


def _both_measured(findings: Findings, convolution: str, policy: str, beside: str) -> bool:
    """Return whether a convolution was measured on generated graphs with a policy and with one of another kind."""
    others = variants(findings, beside)
    return bool(levels(findings.effects, convolution, policy)) and any(
        levels(findings.effects, convolution, other) for other in others
    )


def _claim(template: Template, findings: Findings, convolution: str, policy: str) -> Claim:
    picked = template.pick(findings, convolution, policy)
    estimates = _with_margin(picked.estimates, template.margin, findings)
    flips = flipping(template.rule, estimates, findings.effects.confidence) if picked.timed or template.margin else 0.0
    return Claim(
        id=claim_id(template.id, convolution, policy),
        kind=template.kind,
        convolution=convolution,
        policy=policy,
        sentence=template.sentence.format(convolution=convolution, policy=policy),
        in_general=template.sentence.format(convolution=EACH, policy=policy) if convolution else "",
        source=template.source,
        conditions=template.conditions.format(convolution=convolution, policy=policy, setting=setting(findings)),
        rule=template.rule.words,
        quantity=template.quantity.format(policy=policy) + _gathering(picked),
        unit=template.unit,
        estimate=replace(picked, estimates=estimates).summary,
        evidence=picked.evidence,
        verdict=steady(template.rule.verdict(estimates), flips),
        flips=flips,
        reason=picked.note,
    )


def _with_margin(estimates: tuple[Estimate, ...], margin: float, findings: Findings) -> tuple[Estimate, ...]:
    """The estimates, each widened by so many standard deviations of a step time from run to run."""
    run = findings.effects.run_to_run
    reach = plain(margin * run.seconds_deviation) if run else 0.0
    ends = [{"low": max(0.0, plain(one.low) - reach), "high": plain(one.high) + reach} for one in estimates]
    return tuple(one.model_copy(update=end) for one, end in zip(estimates, ends, strict=True)) if reach else estimates


def _gathering(picked: Picked) -> str:
    """Return how several estimates became the one that is printed; the rule looks at each of them."""
    count = len(picked.estimates)
    return f" ({count} values: their median, and the span of their intervals)" if count > 1 else ""
