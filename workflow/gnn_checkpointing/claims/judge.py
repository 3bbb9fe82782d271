"""Judge the claims of the catalogue: each that concerns what was measured gets its number and its verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gnn_checkpointing.analysis.analyse import Findings, sourced_findings
from gnn_checkpointing.claims.catalogue import Template, catalogue
from gnn_checkpointing.claims.ledger import Claim, Ledger
from gnn_checkpointing.claims.queries import Asked
from gnn_checkpointing.claims.queries.effects import convolutions, levels, variants
from gnn_checkpointing.claims.rules import flipping, steady, with_margin

EACH = "each convolution"
_DEVICES = {"cpu": "CPU", "cuda": "one CUDA device"}


def judge(findings: Findings, study_name: str, hardware: str) -> Ledger:
    """Every claim of the catalogue with its estimate, evidence and verdict; numbers carry their files and fields."""
    found = Findings(**sourced_findings(findings))
    claims = [_claim(template, asked) for template in catalogue() for asked in _instances(template, found)]
    return Ledger(
        study=study_name,
        hardware=hardware,
        confidence=found.effects.confidence,
        # Claims of the literature are kept only if the study tests them.
        claims=[claim for claim in claims if claim.kind != "literature" or claim.verdict != "untested"],
    )


def _instances(template: Template, findings: Findings) -> Iterator[Asked]:
    """Yield each convolution and policy that a claim applies to."""
    if template.needs and not _measured(template.needs, findings):
        return
    if template.of_study:
        yield Asked(findings, "", template.policy)
        return
    for convolution in convolutions(findings):
        if template.only and convolution.partition(" (")[0] not in template.only:
            continue
        for policy in variants(findings, template.policy) if template.policy else [""]:
            asked = Asked(findings, convolution, policy)
            others = variants(findings, template.beside) if template.beside else []
            both = levels(asked) and any(levels(asked, policy=other) for other in others)
            if both or not template.beside:
                yield asked


def _measured(needed: str, findings: Findings) -> bool:
    """Whether the study has what a claim needs besides generated graphs."""
    effects, kinds = findings.effects, {effect.policy.partition("(")[0] for effect in findings.effects.generated}
    found: dict[str, object] = {
        "real graphs": effects.real,
        "families": findings.effects.families,
        "graded graphs": findings.effects.graded,
        "batches": findings.effects.batches,
        "segments": "segments" in kinds,
        "budgets": "memory_budget" in kinds,
        "censored cells": findings.predictions.censored,
        "depths": findings.effects.depths,
        "Vision GNNs": findings.explained.sets or [m for m in effects.models if m.convolution.startswith("ViG-")],
        "practice": findings.effects.practice,
        "ego networks": [point for point in findings.effects.ego if point.method == "ego_networks"],
    }
    return bool(found[needed])


def _claim(template: Template, asked: Asked) -> Claim:
    findings = asked.findings
    found = template.pick(asked)
    picked = replace(found, estimates=with_margin(found.estimates, template.margin, findings))
    turns = picked.timed or template.margin
    flips = flipping(template.rule, picked.estimates, findings.effects.confidence) if turns else 0.0
    count = len(picked.estimates)
    # The rule judges each of several estimates; only their summary is printed.
    gathering = f" ({count} values: their median, and the span of their intervals)" if count > 1 else ""
    names = {"convolution": asked.convolution, "policy": asked.policy}
    return Claim(
        id=":".join(part for part in (template.id, asked.convolution, asked.policy) if part),
        kind=template.kind,
        convolution=asked.convolution,
        policy=asked.policy,
        sentence=template.sentence.format(**names),
        in_general=template.sentence.format(**names | {"convolution": EACH}) if asked.convolution else "",
        source=template.source,
        conditions=template.conditions.format(**names, setting=_setting(findings)),
        rule=template.rule.words,
        quantity=template.quantity.format(**names) + gathering,
        unit=template.unit,
        estimate=picked.summary,
        evidence=picked.evidence,
        verdict=steady(template.rule.verdict(picked.estimates), flips),
        flips=flips,
        reason=picked.note,
    )


def _setting(findings: Findings) -> str:
    """Device, threads, allocator and model, such as "CPU, 1 thread, allocator retaining; 4 layers of 32 ..."."""
    found, reference = findings.quality.setting, findings.effects.reference_allocator
    machine = [_listed([_DEVICES.get(device, device) for device in found.devices]) or "the study's device"]
    if found.threads:
        machine.append(f"{_listed(found.threads)} thread{'s' if found.threads != [1] else ''}")
    if reference:
        machine.append(f"allocator {reference}")
    model = "the study's models"
    if found.num_layers:
        model = f"{_listed(found.num_layers)} layers of {_listed(found.hidden_channels)} channels"
        model += "" if found.heads in ([], [1]) else f", {_listed(found.heads)} heads"
    return f"{', '.join(machine)}; {model}, float32"


def _listed(values: Sequence[object]) -> str:
    return " or ".join(str(value) for value in values)
