"""Numbers from effects.json: a policy's paired ratios along density and on real graphs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Accuracy, Effect, Effects, Interaction, Law
from gnn_checkpointing.claims.evidence.picked import Picked, nothing

Ratio = Literal["memory_ratio", "activation_ratio", "time_ratio"]

EFFECTS = "analysis/effects.json"
NO_LEVELS = "no generated graphs of graded density were measured with this convolution and policy"


def convolutions(findings: Findings) -> list[str]:
    """Return every convolution that any finding is about."""
    effects = [*findings.effects.generated, *findings.effects.real]
    named: list[Effect | Law | Accuracy] = [*effects, *findings.regressions.laws, *findings.accuracy]
    return sorted({value.convolution for value in named})


def variants(findings: Findings, policy: str) -> list[str]:
    """Return the policies of this kind that were measured, such as edge_blocks(4096); the bare kind if none was."""
    effects = [*findings.effects.generated, *findings.effects.real]
    named: list[Effect | Interaction] = [*effects, *findings.regressions.interactions]
    measured = {value.policy for value in named if value.policy.partition("(")[0] == policy}
    return sorted(measured) or [policy]


def levels(effects: Effects, convolution: str, policy: str, ratio: Ratio = "activation_ratio") -> list[Effect]:
    """Return the effects of one convolution and policy on generated graphs that have the ratio, sparse before dense."""
    chosen = [effect for effect in effects.generated if (effect.convolution, effect.policy) == (convolution, policy)]
    return sorted(_having(chosen, ratio), key=lambda effect: float(effect.level))


def reals(effects: Effects, convolution: str, policy: str, ratio: Ratio = "activation_ratio") -> list[Effect]:
    """Return the effects of one convolution and policy on real graphs that have the ratio, sparse before dense."""
    chosen = [effect for effect in effects.real if (effect.convolution, effect.policy) == (convolution, policy)]
    return sorted(_having(chosen, ratio), key=lambda effect: effect.average_degree)


def _having(effects: Iterable[Effect], ratio: Ratio) -> list[Effect]:
    """Return the effects that have the ratio: where no cell was timed there is none of time."""
    return [effect for effect in effects if getattr(effect, ratio) is not None]


def address(kind: Literal["generated", "real"], effect: Effect, ratio: Ratio) -> str:
    """Return where a ratio stands."""
    key = f"convolution={effect.convolution},policy={effect.policy},level={effect.level}"
    return f"{EFFECTS}: {kind}[{key}].{ratio}"


def at_densest(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio at the densest level."""
    found = levels(findings.effects, convolution, policy, ratio)
    if not found:
        return nothing(NO_LEVELS)
    densest = found[-1]
    note = f"at average degree {densest.level}, the densest at which {policy} and none ran to the end"
    return Picked((getattr(densest, ratio),), address("generated", densest, ratio), note)


def densest_over_sparsest(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio at the densest level divided by the one at the sparsest."""
    found = levels(findings.effects, convolution, policy, ratio)
    if len(found) < 2:
        return nothing(NO_LEVELS if not found else "only one level of density was measured")
    sparsest, densest = found[0], found[-1]
    return Picked(
        (getattr(densest, ratio).over(getattr(sparsest, ratio)),),
        f"{address('generated', densest, ratio)} / {address('generated', sparsest, ratio)}",
        f"average degree {densest.level} compared with {sparsest.level}",
    )


def against(findings: Findings, convolution: str, policy: str, ratio: Ratio, other_policy: str) -> Picked:
    """Return the policy's ratio divided by another's at the densest level that both reached."""
    own = {effect.level: effect for effect in levels(findings.effects, convolution, policy, ratio)}
    both = [effect for effect in levels(findings.effects, convolution, other_policy, ratio) if effect.level in own]
    if not both:
        return nothing(f"no generated graphs were measured with both {policy} and {other_policy}")
    other = both[-1]
    effect = own[other.level]
    return Picked(
        (getattr(effect, ratio).over(getattr(other, ratio)),),
        f"{address('generated', effect, ratio)} / {address('generated', other, ratio)}",
        f"at average degree {other.level}, the densest that both reached",
    )


def against_layers(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the policy's ratio divided by that of layers at the densest level that both reached."""
    return against(findings, convolution, policy, ratio, "layers")


def against_best_budget(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the policy's ratio divided by the best memory budget's at the densest level that both were timed at.

    The best is the one with the least memory x time there.
    """
    own = {effect.level for effect in levels(findings.effects, convolution, policy, "time_ratio")}
    budgets = [
        effect
        for name in variants(findings, "memory_budget")
        for effect in levels(findings.effects, convolution, name, "time_ratio")
        if effect.level in own
    ]
    if not budgets:
        return nothing(f"no generated graphs were measured with both {policy} and a memory budget")
    densest = max(float(effect.level) for effect in budgets)
    best = min((effect for effect in budgets if float(effect.level) == densest), key=_memory_times_time)
    effect = next(e for e in levels(findings.effects, convolution, policy, "time_ratio") if e.level == best.level)
    return Picked(
        (getattr(effect, ratio).over(getattr(best, ratio)),),
        f"{address('generated', effect, ratio)} / {address('generated', best, ratio)}",
        f"{best.policy} at average degree {best.level}, the densest at which both were timed",
    )


def _memory_times_time(effect: Effect) -> float:
    return effect.activation_ratio.estimate * (effect.time_ratio.estimate if effect.time_ratio else 1.0)


def on_reals(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio on every real graph."""
    found = reals(findings.effects, convolution, policy, ratio)
    if not found:
        return nothing("no real graphs were measured with this convolution and policy")
    return Picked(
        tuple(getattr(effect, ratio) for effect in found),
        "; ".join(address("real", effect, ratio) for effect in found),
        "on " + ", ".join(effect.level for effect in found),
    )


def against_layers_on_reals(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the policy's ratio divided by that of layers on every real graph that both ran on."""
    own = {effect.level: effect for effect in reals(findings.effects, convolution, policy, ratio)}
    both = [
        (own[other.level], other)
        for other in reals(findings.effects, convolution, "layers", ratio)
        if other.level in own
    ]
    if not both:
        return nothing(f"no real graphs were measured with both {policy} and layers")
    return Picked(
        tuple(getattr(effect, ratio).over(getattr(other, ratio)) for effect, other in both),
        "; ".join(f"{address('real', effect, ratio)} / {address('real', other, ratio)}" for effect, other in both),
        "on " + ", ".join(effect.level for effect, _ in both),
    )


def everywhere(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio at every level of density and on every real graph."""
    drawn = levels(findings.effects, convolution, policy, ratio)
    loaded = reals(findings.effects, convolution, policy, ratio)
    if not drawn and not loaded:
        return nothing("this convolution and policy were not measured side by side with none")
    places = [address("generated", effect, ratio) for effect in drawn]
    places += [address("real", effect, ratio) for effect in loaded]
    names = ["average degrees " + ", ".join(effect.level for effect in drawn)] if drawn else []
    names += [effect.level for effect in loaded]
    return Picked(
        tuple(getattr(effect, ratio) for effect in (*drawn, *loaded)), "; ".join(places), "at " + ", ".join(names)
    )
