"""Numbers from variants.json: families of graphs, graded real graphs, mini-batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import BatchEffect, GradedEffect
from gnn_checkpointing.claims.evidence.effects import Ratio
from gnn_checkpointing.claims.evidence.picked import Picked, nothing

VARIANTS = "analysis/variants.json"


def families_against_reference(
    findings: Findings,
    convolution: str,
    policy: str,
    quantity: Literal["activation_over_reference", "time_over_reference"],
) -> Picked:
    """Return every other family's ratio divided by the reference family's, at every size and level."""
    reference = findings.variants.reference_family
    found = [
        effect
        for effect in findings.variants.families
        if (effect.convolution, effect.policy) == (convolution, policy)
        and effect.family != reference
        and getattr(effect, quantity) is not None
    ]
    if not found:
        return nothing("no two families were measured at one size and density with this convolution and policy")
    names = dict.fromkeys(effect.family for effect in found)
    levels = dict.fromkeys(effect.level for effect in found)
    key = f"convolution={convolution},policy={policy}"
    return Picked(
        tuple(getattr(effect, quantity) for effect in found),
        "; ".join(f"{VARIANTS}: families[{key},family={name}].{quantity}" for name in names),
        f"{', '.join(names)} against {reference}, at average degrees {', '.join(levels)}",
    )


def graded_densest_over_sparsest(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return, for each graded real graph, the ratio at its densest grade divided by the one at its sparsest."""
    estimates, places, notes = [], [], []
    for base, effects in _by_base(findings.variants.graded, convolution, policy, ratio):
        ordered = sorted(effects, key=lambda effect: effect.average_degree)
        sparsest, densest = ordered[0], ordered[-1]
        if sparsest.average_degree == densest.average_degree:
            continue
        estimates.append(getattr(densest, ratio).over(getattr(sparsest, ratio)))
        places.append(f"{_address(densest, ratio)} / {_address(sparsest, ratio)}")
        notes.append(f"{base} from average degree {sparsest.average_degree:.3g} to {densest.average_degree:.3g}")
    if not estimates:
        return nothing("no real graph was graded in density with this convolution and policy")
    return Picked(tuple(estimates), "; ".join(places), ", ".join(notes))


def in_batches(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio on every size of batch."""
    found = [
        effect
        for effect in findings.variants.batches
        if (effect.convolution, effect.policy) == (convolution, policy)
        and effect.sampler
        and getattr(effect, ratio) is not None
    ]
    if not found:
        return nothing("no mini-batches were measured with this convolution and policy")
    return Picked(
        tuple(getattr(effect, ratio) for effect in found),
        "; ".join(_batch_address(effect, ratio) for effect in found),
        f"{len(found)} sizes of batch: " + ", ".join(dict.fromkeys(effect.level for effect in found)),
    )


def in_batches_against_layers(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the policy's ratio divided by that of layers on every size of batch that both ran on."""
    chosen = [e for e in findings.variants.batches if e.convolution == convolution and e.sampler]
    layers = {(e.base, e.level): e for e in chosen if e.policy == "layers" and getattr(e, ratio) is not None}
    both = [
        (effect, layers[effect.base, effect.level])
        for effect in chosen
        if effect.policy == policy and getattr(effect, ratio) is not None and (effect.base, effect.level) in layers
    ]
    if not both:
        return nothing(f"no mini-batches were measured with both {policy} and layers")
    return Picked(
        tuple(getattr(effect, ratio).over(getattr(other, ratio)) for effect, other in both),
        "; ".join(f"{_batch_address(effect, ratio)} / {_batch_address(other, ratio)}" for effect, other in both),
        f"{len(both)} sizes of batch: " + ", ".join(dict.fromkeys(effect.level for effect, _ in both)),
    )


def _by_base(
    effects: Iterable[GradedEffect], convolution: str, policy: str, ratio: Ratio
) -> Iterable[tuple[str, list[GradedEffect]]]:
    found: dict[str, list[GradedEffect]] = {}
    for effect in effects:
        if (effect.convolution, effect.policy) == (convolution, policy) and getattr(effect, ratio) is not None:
            found.setdefault(effect.base, []).append(effect)
    return found.items()


def _address(effect: GradedEffect, ratio: Ratio) -> str:
    key = f"convolution={effect.convolution},policy={effect.policy},base={effect.base},level={effect.level}"
    return f"{VARIANTS}: graded[{key}].{ratio}"


def _batch_address(effect: BatchEffect, ratio: Ratio) -> str:
    key = f"convolution={effect.convolution},policy={effect.policy},base={effect.base},level={effect.level}"
    return f"{VARIANTS}: batches[{key}].{ratio}"
