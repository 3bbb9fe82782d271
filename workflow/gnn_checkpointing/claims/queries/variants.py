"""Ratios from the table of effects where more than the density differs: families, grades, batches, practice."""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.queries.effects import RATIO_OF_RATIOS, Ratio, each, each_pair, of_policy, pairs_of
from gnn_checkpointing.claims.queries.query import Asked, Picked, nothing, picked, query


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
