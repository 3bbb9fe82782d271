"""Ratios from the table of effects: along density, on real graphs, in families, batches and practice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Accuracy, Compared, Effect, Estimate, Interaction, Law
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.queries.query import Asked, Picked, nothing, picked, query

Ratio = Literal["memory_ratio", "activation_ratio", "time_ratio", "throughput_ratio"]
Found = TypeVar("Found", bound=Effect)
Pairs = Sequence[tuple[Effect, Effect]]

NO_LEVELS = "no generated graphs of graded density were measured with this convolution and policy"
RATIO_OF_RATIOS = "ratio of ratios"


@query("{0}, {policy} / none, at the densest level")
def at_densest(asked: Asked, ratio: Ratio) -> Picked:
    """The ratio at the densest level; the note has it at other sizes."""
    found = levels(asked, ratio)
    if not found:
        return nothing(NO_LEVELS)
    note = f"at average degree {found[-1].level}, the densest at which {asked.policy} and none ran to the end"
    return each(found[-1:], ratio, note + _by_size(asked, found[-1], lambda effect: getattr(effect, ratio)))


@query("{0}, {policy} / none: the ratio at the densest level / the ratio at the sparsest", RATIO_OF_RATIOS)
def densest_over_sparsest(asked: Asked, ratio: Ratio) -> Picked:
    """The ratio at the densest level divided by the one at the sparsest."""
    found = levels(asked, ratio)
    if len(found) < 2:
        return nothing(NO_LEVELS if not found else "only one level of density was measured")
    return each_pair([(found[-1], found[0])], ratio, f"average degree {found[-1].level} compared with {found[0].level}")


@query("{0}, {policy} / {1}, at the densest level")
def against(asked: Asked, ratio: Ratio, other: str, policy: str = "") -> Picked:
    """The policy's ratio divided by another's at the densest level that both reached."""
    chosen = policy or asked.policy
    pairs = pairs_of(asked, asked.findings.effects.at_sizes, ratio, other, chosen)
    headline = sorted((pair for pair in pairs if pair[0].headline), key=lambda pair: pair[0].degree)
    if not headline:
        return nothing(f"no generated graphs were measured with both {chosen} and {other}")
    own = headline[-1][0]
    others = {one.num_nodes: two for one, two in pairs if (one.family, one.degree) == (own.family, own.degree)}
    smaller = _by_size(asked, own, lambda e: quotient(ratio, e, others[e.num_nodes]) if e.num_nodes in others else None)
    return each_pair(headline[-1:], ratio, f"at average degree {own.level}, the densest that both reached{smaller}")


@query("{0}, {policy} / the best memory_budget, at the densest level")
def against_best_budget(asked: Asked, ratio: Ratio) -> Picked:
    """The policy's ratio divided by that of the memory budget with the least memory x time, at the densest level."""
    own = {effect.degree: effect for effect in levels(asked, "time_ratio")}
    names = variants(asked.findings, "memory_budget")
    budgets = [e for name in names for e in levels(asked, "time_ratio", name) if e.degree in own]
    if not budgets:
        return nothing(f"no generated graphs were measured with both {asked.policy} and a memory budget")
    densest = max(effect.degree for effect in budgets)
    best = min((effect for effect in budgets if effect.degree == densest), key=_memory_times_time)
    note = f"{best.policy} at average degree {best.level}, the densest at which both were timed"
    return each_pair([(own[densest], best)], ratio, note)


@query("{0}, {policy} / none, on each real graph")
def on_reals(asked: Asked, ratio: Ratio) -> Picked:
    """The ratio on every real graph."""
    found = _reals(asked, ratio)
    none = "no real graphs were measured with this convolution and policy"
    return each(found, ratio, "on " + ", ".join(effect.level for effect in found) if found else none)


@query("{0}, {policy} / layers, on each real graph")
def against_layers_on_reals(asked: Asked, ratio: Ratio) -> Picked:
    """The policy's ratio divided by that of layers on every real graph that both ran on."""
    pairs = pairs_of(asked, asked.findings.effects.real, ratio, "layers")
    none = f"no real graphs were measured with both {asked.policy} and layers"
    return each_pair(pairs, ratio, "on " + ", ".join(effect.level for effect, _ in pairs) if pairs else none)


@query("{0}, {policy} / none, at every level and on every real graph")
def everywhere(asked: Asked, ratio: Ratio) -> Picked:
    """The ratio at every level of density and on every real graph."""
    drawn, loaded = levels(asked, ratio), _reals(asked, ratio)
    if not drawn and not loaded:
        return nothing("this convolution and policy were not measured side by side with none")
    names = ["average degrees " + ", ".join(effect.level for effect in drawn)] if drawn else []
    return each([*drawn, *loaded], ratio, "at " + ", ".join([*names, *(effect.level for effect in loaded)]))


@query("{0}, {policy} / none: the ratio of each family / the ratio of the reference family", RATIO_OF_RATIOS)
def families_against_reference(
    asked: Asked, ratio: Literal["activation_over_reference", "time_over_reference"]
) -> Picked:
    """Every other family's ratio divided by the reference family's, at every size and level."""
    reference = asked.findings.variants.reference_family
    found = [e for e in of_policy(asked, asked.findings.variants.families, ratio) if e.family != reference]
    if not found:
        return nothing("no two families were measured at one size and density with this convolution and policy")
    names = ", ".join(dict.fromkeys(effect.family for effect in found))
    degrees = ", ".join(dict.fromkeys(effect.level for effect in found))
    return each(found, ratio, f"{names} against {reference}, at average degrees {degrees}")


@query("{0}, {policy} / none, in each family")
def in_families(asked: Asked, ratio: Ratio) -> Picked:
    """The ratio on every family, at its densest level."""
    found = sorted(of_policy(asked, asked.findings.variants.families, ratio), key=lambda effect: effect.degree)
    densest = {effect.family: effect for effect in found}
    if not densest:
        return nothing("no two families were measured with this convolution and policy")
    return each(list(densest.values()), ratio, "densest graphs of " + ", ".join(densest))


@query("{0}, {policy} / none: the ratio at the densest grade / the ratio at the sparsest", RATIO_OF_RATIOS)
def graded_densest_over_sparsest(asked: Asked, ratio: Ratio) -> Picked:
    """For each graded real graph, the ratio at its densest grade divided by the one at its sparsest."""
    rows = sorted(of_policy(asked, asked.findings.variants.graded, ratio), key=lambda effect: effect.average_degree)
    ends = [(found[-1], found[0]) for _, found in grouped(rows, lambda effect: (effect.base,))]
    pairs = [(dense, sparse) for dense, sparse in ends if sparse.average_degree < dense.average_degree]
    if not pairs:
        return nothing("no real graph was graded in density with this convolution and policy")
    words = [f"{d.base} from average degree {s.average_degree:.3g} to {d.average_degree:.3g}" for d, s in pairs]
    return each_pair(pairs, ratio, ", ".join(words))


@query("{0}, {policy} / {1}, on each size of batch")
def in_batches(asked: Asked, ratio: Ratio, other: str) -> Picked:
    """The ratio on every size of batch; divided by that of another policy where both ran."""
    batches = [effect for effect in asked.findings.variants.batches if effect.method]
    pairs = pairs_of(asked, batches, ratio, other)
    alone: list[Effect] = list(of_policy(asked, batches, ratio))
    found = alone if other == "none" else [effect for effect, _ in pairs]
    if not found:
        words = "this convolution and policy" if other == "none" else f"both {asked.policy} and {other}"
        return nothing(f"no mini-batches were measured with {words}")
    note = f"{len(found)} sizes of batch: " + ", ".join(dict.fromkeys(effect.level for effect in found))
    return each(found, ratio, note) if other == "none" else each_pair(pairs, ratio, note)


@query("{0}, {policy} / none: in practice / bare, at the densest level", RATIO_OF_RATIOS)
def in_practice(asked: Asked, ratio: Literal["activation_ratio", "time_ratio"]) -> Picked:
    """A policy's ratio in practice divided by that of the bare stack, on the densest graphs that have both."""
    key = (asked.convolution, asked.policy)
    rows = [row for row in asked.findings.effects.practice if (row.convolution, row.policy) == key]
    found = [row for row in rows if getattr(row, ratio) is not None]
    if not found:
        return nothing("no graph has both, the bare stack and the one with what people add")
    row = max(found, key=lambda row: (row.average_degree, row.num_nodes))
    own, bare = getattr(row, ratio), getattr(row, f"bare_{ratio}")
    timed = ratio == "time_ratio"
    note = f"{row.num_nodes:,} nodes, average degree {row.level}"
    return picked([own.relative_to(bare) if timed else own.over(bare)], note, timed=timed)


def convolutions(findings: Findings) -> list[str]:
    """Every convolution that any finding is about."""
    named: list[Effect | Law | Accuracy] = [*_judged(findings), *findings.regressions.laws, *findings.accuracy]
    return sorted({value.convolution for value in named})


def variants(findings: Findings, policy: str) -> list[str]:
    """The policies of this kind that were measured, such as edge_blocks(4096); the bare kind if none was."""
    named: list[Effect | Interaction] = [*_judged(findings), *findings.regressions.interactions]
    measured = {value.policy for value in named if value.policy.partition("(")[0] == policy}
    return sorted(measured) or [policy]


def levels(asked: Asked, ratio: Ratio = "activation_ratio", policy: str = "") -> list[Compared]:
    """The effects on generated graphs of the headline size that have the ratio, sparse before dense."""
    chosen = of_policy(asked, asked.findings.effects.generated, ratio, policy)
    return sorted(chosen, key=lambda effect: effect.degree)


def quotient(ratio: str, one: Effect, other: Effect) -> Estimate:
    """One effect's ratio divided by another's: of bytes the worst cases, of times with errors in quadrature."""
    above: Estimate = getattr(one, ratio)
    below: Estimate = getattr(other, ratio)
    return above.relative_to(below) if is_timed(ratio) else above.over(below)


def is_timed(ratio: str) -> bool:
    """Whether another run gives another value of a field of effects."""
    return ratio in ("time_ratio", "throughput_ratio", "time_over_reference")


def of_policy(asked: Asked, effects: Iterable[Found], ratio: str, policy: str = "") -> list[Found]:
    """The effects of the convolution and policy asked about (or of another policy) that have the ratio."""
    key = (asked.convolution, policy or asked.policy)
    return [e for e in effects if (e.convolution, e.policy) == key and getattr(e, ratio) is not None]


def pairs_of(
    asked: Asked, effects: Sequence[Effect], ratio: str, other: str, policy: str = ""
) -> list[tuple[Effect, Effect]]:
    """Both policies at each place that both ran at."""
    others = {_place(effect): effect for effect in of_policy(asked, effects, ratio, other)}
    return [(own, others[_place(own)]) for own in of_policy(asked, effects, ratio, policy) if _place(own) in others]


def each(found: Sequence[Effect], ratio: str, note: str) -> Picked:
    """The ratio of each effect."""
    return picked([getattr(effect, ratio) for effect in found], note, timed=is_timed(ratio))


def each_pair(pairs: Pairs, ratio: str, note: str) -> Picked:
    """The quotient of each pair of effects."""
    return picked([quotient(ratio, one, other) for one, other in pairs], note, timed=is_timed(ratio))


def _judged(findings: Findings) -> list[Effect]:
    return [*findings.effects.generated, *findings.effects.real]


def _reals(asked: Asked, ratio: Ratio) -> list[Compared]:
    return sorted(of_policy(asked, asked.findings.effects.real, ratio), key=lambda effect: effect.average_degree)


def _by_size(asked: Asked, effect: Effect, value: Callable[[Effect], Estimate | None]) -> str:
    """In words, how a value goes along the number of nodes at one degree; "" for one size."""
    place = (effect.convolution, effect.policy, effect.family, effect.degree)
    found = [
        (other.num_nodes, estimate.estimate)
        for other in asked.findings.effects.at_sizes
        if (other.convolution, other.policy, other.family, other.degree) == place
        and (estimate := value(other)) is not None
    ]
    if len(found) < 2:
        return ""
    return "; by number of nodes: " + ", ".join(f"{number:.3g} at {nodes:,}" for nodes, number in sorted(found))


def _memory_times_time(effect: Effect) -> float:
    ratios = (effect.activation_ratio, effect.time_ratio)
    return ratios[0].estimate * ratios[1].estimate if ratios[0] and ratios[1] else float("inf")


def _place(effect: Effect) -> tuple[object, ...]:
    return effect.kind, effect.base, effect.family, effect.num_nodes, effect.degree, effect.method, effect.size
