"""Ratios from the table of effects: along density, on real graphs, in families, batches and practice."""

import math
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.queries import RATIO_OF_RATIOS, TIMES, Asked, Found, query, where

Pairs = Sequence[tuple[Any, Any]]

NO_LEVELS = "no generated graphs of graded density were measured with this convolution and policy"


def convolutions(findings: Findings) -> list[str]:
    """All convolutions that occur in any finding."""
    return sorted({one.convolution for one in (*_judged(findings), *findings.regressions.laws, *findings.accuracy)})


def variants(findings: Findings, policy: str) -> list[str]:
    """The policies of this kind that were measured, such as edge_blocks(4096); the bare kind if none was."""
    named = [one.policy for one in (*_judged(findings), *findings.regressions.interactions)]
    return sorted({name for name in named if name.partition("(")[0] == policy}) or [policy]


def levels(asked: Asked, ratio: str = "activation_ratio", policy: str = "") -> list[Any]:
    """The effects on generated graphs of the headline size that have the ratio, sparse before dense."""
    return sorted(of_policy(asked, asked.findings.effects.generated, ratio, policy), key=attrgetter("degree"))


def of_policy(asked: Asked, effects: Iterable[Any], ratio: str, policy: str = "") -> list[Any]:
    """The effects of the query's convolution and policy (or of another policy) that have the ratio."""
    return [effect for effect in asked.of(effects, policy) if getattr(effect, ratio) is not None]


def pairs_of(asked: Asked, effects: Sequence[Any], ratio: str, other: str, policy: str = "") -> list[tuple[Any, Any]]:
    """Pairs of effects of the two policies, one for each place at which both ran."""
    place = attrgetter("kind", "base", "family", "num_nodes", "degree", "method", "size")
    others = {place(effect): effect for effect in of_policy(asked, effects, ratio, other)}
    return [(one, others[place(one)]) for one in of_policy(asked, effects, ratio, policy) if place(one) in others]


def of(found: Iterable[Any], ratio: str) -> list[Estimate]:
    """The ratio of each effect."""
    return [getattr(effect, ratio) for effect in found]


def over(pairs: Pairs, ratio: str, bare: str = "") -> list[Estimate]:
    """Quotient of each pair of effects, with worst cases for bytes and errors in quadrature for times."""
    both = [(getattr(one, ratio), getattr(other, bare or ratio)) for one, other in pairs]
    return [above.relative_to(below) if ratio in TIMES else above.over(below) for above, below in both]


@query("{0}, {policy} / none, at the densest level")
def at_densest(asked: Asked, ratio: str) -> Found:
    found = levels(asked, ratio)
    if not found:
        return NO_LEVELS
    note = f"at average degree {found[-1].level}, the densest at which {asked.policy} and none ran to the end"
    return of(found[-1:], ratio), note + _by_size(asked, found[-1], attrgetter(ratio))


@query("{0}, {policy} / none: the ratio at the densest level / the ratio at the sparsest", RATIO_OF_RATIOS)
def densest_over_sparsest(asked: Asked, ratio: str) -> Found:
    found = levels(asked, ratio)
    if len(found) < 2:
        return "only one level of density was measured" if found else NO_LEVELS
    note = f"average degree {found[-1].level} compared with {found[0].level}"
    return over([(found[-1], found[0])], ratio), note


@query("{0}, {policy} / {1}, at the densest level")
def against(asked: Asked, ratio: str, other: str, policy: str = "") -> Found:
    chosen = policy or asked.policy
    pairs = pairs_of(asked, asked.findings.effects.at_sizes, ratio, other, chosen)
    headline = sorted((pair for pair in pairs if pair[0].headline), key=lambda pair: pair[0].degree)
    if not headline:
        return f"no generated graphs were measured with both {chosen} and {other}"
    own = headline[-1][0]
    others = {one.num_nodes: two for one, two in pairs if (one.family, one.degree) == (own.family, own.degree)}

    def quotient(effect: Any) -> Estimate | None:
        nodes = effect.num_nodes
        return over([(effect, others[nodes])], ratio)[0] if nodes in others else None

    note = f"at average degree {own.level}, the densest that both reached"
    return over(headline[-1:], ratio), note + _by_size(asked, own, quotient)


@query("{0}, {policy} / the best memory_budget, at the densest level")
def against_best_budget(asked: Asked, ratio: str) -> Found:
    # The best budget is the one with the least memory x time.
    own = {effect.degree: effect for effect in levels(asked, "time_ratio")}
    names = variants(asked.findings, "memory_budget")
    budgets = [e for name in names for e in levels(asked, "time_ratio", name) if e.degree in own]
    if not budgets:
        return f"no generated graphs were measured with both {asked.policy} and a memory budget"
    densest = max(effect.degree for effect in budgets)
    best = min(where(budgets, degree=densest), key=_memory_times_time)
    note = f"{best.policy} at average degree {best.level}, the densest at which both were timed"
    return over([(own[densest], best)], ratio), note


@query("{0}, {policy} / {1}, on each real graph")
def on_reals(asked: Asked, ratio: str, other: str) -> Found:
    found, ratios = _beside(asked, asked.findings.effects.real, ratio, other)
    if not found:
        return f"no real graphs were measured with {_both(asked, other)}"
    return ratios, "on " + ", ".join(effect.level for effect in found)


@query("{0}, {policy} / none, at every level and on every real graph")
def everywhere(asked: Asked, ratio: str) -> Found:
    drawn, loaded = levels(asked, ratio), of_policy(asked, asked.findings.effects.real, ratio)
    if not drawn and not loaded:
        return "this convolution and policy were not measured side by side with none"
    names = ["average degrees " + ", ".join(effect.level for effect in drawn)] if drawn else []
    return of([*drawn, *loaded], ratio), "at " + ", ".join([*names, *(effect.level for effect in loaded)])


@query("{0}, {policy} / none: the ratio of each family / the ratio of the reference family", RATIO_OF_RATIOS)
def families_against_reference(asked: Asked, ratio: str) -> Found:
    reference = asked.findings.effects.reference_family
    found = [e for e in of_policy(asked, asked.findings.effects.families, ratio) if e.family != reference]
    if not found:
        return "no two families were measured at one size and density with this convolution and policy"
    names, degrees = (", ".join(dict.fromkeys(getattr(e, name) for e in found)) for name in ("family", "level"))
    return of(found, ratio), f"{names} against {reference}, at average degrees {degrees}"


@query("{0}, {policy} / none, in each family")
def in_families(asked: Asked, ratio: str) -> Found:
    found = sorted(of_policy(asked, asked.findings.effects.families, ratio), key=attrgetter("degree"))
    densest = {effect.family: effect for effect in found}
    if not densest:
        return "no two families were measured with this convolution and policy"
    return of(densest.values(), ratio), "densest graphs of " + ", ".join(densest)


@query("{0}, {policy} / none: the ratio at the densest grade / the ratio at the sparsest", RATIO_OF_RATIOS)
def graded_densest_over_sparsest(asked: Asked, ratio: str) -> Found:
    rows = sorted(of_policy(asked, asked.findings.effects.graded, ratio), key=attrgetter("average_degree"))
    ends = [(found[-1], found[0]) for found in grouped(rows, attrgetter("base")).values()]
    pairs = [(dense, sparse) for dense, sparse in ends if sparse.average_degree < dense.average_degree]
    if not pairs:
        return "no real graph was graded in density with this convolution and policy"
    words = [f"{d.base} from average degree {s.average_degree:.3g} to {d.average_degree:.3g}" for d, s in pairs]
    return over(pairs, ratio), ", ".join(words)


@query("{0}, {policy} / {1}, on each size of batch")
def in_batches(asked: Asked, ratio: str, other: str) -> Found:
    batches = [effect for effect in asked.findings.effects.batches if effect.method]
    found, ratios = _beside(asked, batches, ratio, other)
    if not found:
        return f"no mini-batches were measured with {_both(asked, other)}"
    return ratios, f"{len(found)} sizes of batch: " + ", ".join(dict.fromkeys(effect.level for effect in found))


@query("{0}, {policy} / none: in practice / bare, at the densest level", RATIO_OF_RATIOS)
def in_practice(asked: Asked, ratio: str) -> Found:
    found = of_policy(asked, asked.findings.effects.practice, ratio)
    if not found:
        return "no graph has both, the bare stack and the one with what people add"
    row = max(found, key=attrgetter("average_degree", "num_nodes"))
    return over([(row, row)], ratio, f"bare_{ratio}"), f"{row.num_nodes:,} nodes, average degree {row.level}"


def _judged(findings: Findings) -> list[Any]:
    return [*findings.effects.generated, *findings.effects.real]


def _beside(asked: Asked, effects: Sequence[Any], ratio: str, other: str) -> tuple[list[Any], list[Estimate]]:
    """The effects that have the ratio, and the ratio: to none as it is, to another policy divided by that policy's."""
    if other == "none":
        own = of_policy(asked, effects, ratio)
        return own, of(own, ratio)
    pairs = pairs_of(asked, effects, ratio, other)
    return [effect for effect, _ in pairs], over(pairs, ratio)


def _both(asked: Asked, other: str) -> str:
    return "this convolution and policy" if other == "none" else f"both {asked.policy} and {other}"


def _by_size(asked: Asked, effect: Any, value: Callable[[Any], Estimate | None]) -> str:
    """A value as a function of the number of nodes at one degree, in words; "" for a single size."""
    same = {name: getattr(effect, name) for name in ("convolution", "policy", "family", "degree")}
    found = [(other.num_nodes, value(other)) for other in where(asked.findings.effects.at_sizes, **same)]
    sizes = sorted((nodes, estimate.estimate) for nodes, estimate in found if estimate is not None)
    if len(sizes) < 2:
        return ""
    return "; by number of nodes: " + ", ".join(f"{number:.3g} at {nodes:,}" for nodes, number in sizes)


def _memory_times_time(effect: Any) -> float:
    ratios = (effect.activation_ratio, effect.time_ratio)
    return ratios[0].estimate * ratios[1].estimate if all(ratios) else math.inf
