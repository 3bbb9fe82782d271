"""Ratios from the table of effects: along density, on real graphs, families, batches and depths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Accuracy, Compared, Effect, Effects, Estimate, Interaction, Law
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.evidence.picked import Picked, nothing, picked

Ratio = Literal["memory_ratio", "activation_ratio", "time_ratio", "throughput_ratio"]
Found = TypeVar("Found", bound=Effect)

EFFECTS = "analysis/effects.json"
NO_LEVELS = "no generated graphs of graded density were measured with this convolution and policy"


def is_timed(ratio: str) -> bool:
    """Whether another run gives another value of a field of effects."""
    return ratio in ("time_ratio", "throughput_ratio", "time_over_reference")


def convolutions(findings: Findings) -> list[str]:
    """Every convolution that any finding is about."""
    named: list[Effect | Law | Accuracy] = [*_judged(findings), *findings.regressions.laws, *findings.accuracy]
    return sorted({value.convolution for value in named})


def variants(findings: Findings, policy: str) -> list[str]:
    """The policies of this kind that were measured, such as edge_blocks(4096); the bare kind if none was."""
    named: list[Effect | Interaction] = [*_judged(findings), *findings.regressions.interactions]
    measured = {value.policy for value in named if value.policy.partition("(")[0] == policy}
    return sorted(measured) or [policy]


def _judged(findings: Findings) -> list[Effect]:
    return [*findings.effects.generated, *findings.effects.real]


def levels(effects: Effects, convolution: str, policy: str, ratio: Ratio = "activation_ratio") -> list[Compared]:
    """The effects on generated graphs of the headline size that have the ratio, sparse before dense."""
    chosen = _of(effects.generated, convolution, policy, ratio)
    return sorted(chosen, key=lambda effect: effect.degree)


def reals(effects: Effects, convolution: str, policy: str, ratio: Ratio = "activation_ratio") -> list[Compared]:
    """The effects on real graphs that have the ratio, sparse before dense."""
    return sorted(_of(effects.real, convolution, policy, ratio), key=lambda effect: effect.average_degree)


def _of(effects: Iterable[Found], convolution: str, policy: str, ratio: str) -> list[Found]:
    return [e for e in effects if (e.convolution, e.policy) == (convolution, policy) and getattr(e, ratio) is not None]


def quotient(ratio: str, one: Effect, other: Effect) -> Estimate:
    """One effect's ratio divided by another's: of bytes the worst cases, of times with errors in quadrature."""
    above: Estimate = getattr(one, ratio)
    below: Estimate = getattr(other, ratio)
    return above.relative_to(below) if is_timed(ratio) else above.over(below)


def at_densest(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The ratio at the densest level; the note has it at other sizes."""
    found = levels(findings.effects, convolution, policy, ratio)
    if not found:
        return nothing(NO_LEVELS)
    note = f"at average degree {found[-1].level}, the densest at which {policy} and none ran to the end"
    smaller = _by_size(findings, found[-1], lambda effect: getattr(effect, ratio))
    return picked([getattr(found[-1], ratio)], note + smaller, timed=is_timed(ratio))


def _by_size(findings: Findings, effect: Effect, value: Callable[[Effect], Estimate | None]) -> str:
    """In words, how a value goes along the number of nodes at one degree; "" for one size."""
    place = (effect.convolution, effect.policy, effect.family, effect.degree)
    found = [
        (other.num_nodes, estimate.estimate)
        for other in findings.effects.at_sizes
        if (other.convolution, other.policy, other.family, other.degree) == place
        and (estimate := value(other)) is not None
    ]
    if len(found) < 2:
        return ""
    return "; by number of nodes: " + ", ".join(f"{number:.3g} at {nodes:,}" for nodes, number in sorted(found))


def densest_over_sparsest(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The ratio at the densest level divided by the one at the sparsest."""
    found = levels(findings.effects, convolution, policy, ratio)
    if len(found) < 2:
        return nothing(NO_LEVELS if not found else "only one level of density was measured")
    note = f"average degree {found[-1].level} compared with {found[0].level}"
    return picked([quotient(ratio, found[-1], found[0])], note, timed=is_timed(ratio))


def against(findings: Findings, convolution: str, policy: str, ratio: Ratio, other_policy: str) -> Picked:
    """The policy's ratio divided by another's at the densest level that both reached."""
    pairs = _pairs(findings.effects.at_sizes, convolution, policy, other_policy, ratio)
    headline = sorted((pair for pair in pairs if pair[0].headline), key=lambda pair: pair[0].degree)
    if not headline:
        return nothing(f"no generated graphs were measured with both {policy} and {other_policy}")
    own, other = headline[-1]
    others = {one.num_nodes: two for one, two in pairs if (one.family, one.degree) == (own.family, own.degree)}
    note = f"at average degree {own.level}, the densest that both reached"
    smaller = _by_size(
        findings, own, lambda e: quotient(ratio, e, others[e.num_nodes]) if e.num_nodes in others else None
    )
    return picked([quotient(ratio, own, other)], note + smaller, timed=is_timed(ratio))


def against_layers(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The policy's ratio divided by that of layers at the densest level that both reached."""
    return against(findings, convolution, policy, ratio, "layers")


def against_best_budget(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The policy's ratio divided by that of the memory budget with the least memory x time, at the densest level."""
    own = {effect.degree: effect for effect in levels(findings.effects, convolution, policy, "time_ratio")}
    budgets = [
        effect
        for name in variants(findings, "memory_budget")
        for effect in levels(findings.effects, convolution, name, "time_ratio")
        if effect.degree in own
    ]
    if not budgets:
        return nothing(f"no generated graphs were measured with both {policy} and a memory budget")
    densest = max(effect.degree for effect in budgets)
    best = min((effect for effect in budgets if effect.degree == densest), key=_memory_times_time)
    note = f"{best.policy} at average degree {best.level}, the densest at which both were timed"
    return picked([quotient(ratio, own[densest], best)], note, timed=is_timed(ratio))


def _memory_times_time(effect: Effect) -> float:
    ratios = (effect.activation_ratio, effect.time_ratio)
    return ratios[0].estimate * ratios[1].estimate if ratios[0] and ratios[1] else float("inf")


def _pairs(
    effects: Iterable[Effect], convolution: str, policy: str, other_policy: str, ratio: str
) -> list[tuple[Effect, Effect]]:
    """Both policies at each place that both ran at."""
    listed = list(effects)
    others = {_place(effect): effect for effect in _of(listed, convolution, other_policy, ratio)}
    return [(own, others[_place(own)]) for own in _of(listed, convolution, policy, ratio) if _place(own) in others]


def _place(effect: Effect) -> tuple[object, ...]:
    return effect.kind, effect.base, effect.family, effect.num_nodes, effect.degree, effect.method, effect.size


def on_reals(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The ratio on every real graph."""
    found = reals(findings.effects, convolution, policy, ratio)
    if not found:
        return nothing("no real graphs were measured with this convolution and policy")
    return _each(found, ratio, "on " + ", ".join(effect.level for effect in found))


def against_layers_on_reals(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The policy's ratio divided by that of layers on every real graph that both ran on."""
    pairs = _pairs(findings.effects.real, convolution, policy, "layers", ratio)
    if not pairs:
        return nothing(f"no real graphs were measured with both {policy} and layers")
    return _each_pair(pairs, ratio, "on " + ", ".join(effect.level for effect, _ in pairs))


def everywhere(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The ratio at every level of density and on every real graph."""
    drawn = levels(findings.effects, convolution, policy, ratio)
    loaded = reals(findings.effects, convolution, policy, ratio)
    if not drawn and not loaded:
        return nothing("this convolution and policy were not measured side by side with none")
    names = ["average degrees " + ", ".join(effect.level for effect in drawn)] if drawn else []
    return _each([*drawn, *loaded], ratio, "at " + ", ".join([*names, *(effect.level for effect in loaded)]))


def families_against_reference(
    findings: Findings,
    convolution: str,
    policy: str,
    quantity: Literal["activation_over_reference", "time_over_reference"],
) -> Picked:
    """Every other family's ratio divided by the reference family's, at every size and level."""
    reference = findings.variants.reference_family
    found = [e for e in _of(findings.variants.families, convolution, policy, quantity) if e.family != reference]
    if not found:
        return nothing("no two families were measured at one size and density with this convolution and policy")
    names, degrees = (
        ", ".join(dict.fromkeys(words)) for words in ([e.family for e in found], [e.level for e in found])
    )
    return _each(found, quantity, f"{names} against {reference}, at average degrees {degrees}")


def in_families(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The ratio on every family, at its densest level."""
    densest: dict[str, Effect] = {}
    for effect in sorted(_of(findings.variants.families, convolution, policy, ratio), key=lambda e: e.degree):
        densest[effect.family] = effect
    if not densest:
        return nothing("no two families were measured with this convolution and policy")
    return _each(list(densest.values()), ratio, "densest graphs of " + ", ".join(densest))


def graded_densest_over_sparsest(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """For each graded real graph, the ratio at its densest grade divided by the one at its sparsest."""
    rows = sorted(_of(findings.variants.graded, convolution, policy, ratio), key=lambda effect: effect.average_degree)
    ends = [(found[-1], found[0]) for _, found in grouped(rows, lambda effect: (effect.base,))]
    pairs = [(dense, sparse) for dense, sparse in ends if sparse.average_degree < dense.average_degree]
    if not pairs:
        return nothing("no real graph was graded in density with this convolution and policy")
    words = [f"{d.base} from average degree {s.average_degree:.3g} to {d.average_degree:.3g}" for d, s in pairs]
    return _each_pair(pairs, ratio, ", ".join(words))


def in_batches(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The ratio on every size of batch."""
    found = [effect for effect in _of(findings.variants.batches, convolution, policy, ratio) if effect.method]
    if not found:
        return nothing("no mini-batches were measured with this convolution and policy")
    return _each(found, ratio, _sizes(found))


def in_batches_against_layers(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """The policy's ratio divided by that of layers on every size of batch that both ran on."""
    batches = [effect for effect in findings.variants.batches if effect.method]
    pairs = _pairs(batches, convolution, policy, "layers", ratio)
    if not pairs:
        return nothing(f"no mini-batches were measured with both {policy} and layers")
    return _each_pair(pairs, ratio, _sizes([effect for effect, _ in pairs]))


def _each(found: Sequence[Effect], ratio: str, note: str) -> Picked:
    return picked([getattr(effect, ratio) for effect in found], note, timed=is_timed(ratio))


def _each_pair(pairs: Sequence[tuple[Effect, Effect]], ratio: str, note: str) -> Picked:
    return picked([quotient(ratio, one, other) for one, other in pairs], note, timed=is_timed(ratio))


def _sizes(found: Sequence[Effect]) -> str:
    return f"{len(found)} sizes of batch: " + ", ".join(dict.fromkeys(effect.level for effect in found))
