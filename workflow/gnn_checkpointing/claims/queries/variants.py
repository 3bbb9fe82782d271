"""Ratios from the table of effects where more than the density differs: families, graded real graphs, batches."""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.queries.effects import RATIO_OF_RATIOS, WORDS, Ratio, each, each_pair, of_policy, pairs_of
from gnn_checkpointing.claims.queries.query import Asked, Picked, Query, nothing


def families_against_reference(ratio: Literal["activation_over_reference", "time_over_reference"]) -> Query:
    """Every other family's ratio divided by the reference family's, at every size and level."""

    def pick(asked: Asked) -> Picked:
        reference = asked.findings.variants.reference_family
        found = [e for e in of_policy(asked, asked.findings.variants.families, ratio) if e.family != reference]
        if not found:
            return nothing("no two families were measured at one size and density with this convolution and policy")
        names = ", ".join(dict.fromkeys(effect.family for effect in found))
        degrees = ", ".join(dict.fromkeys(effect.level for effect in found))
        return each(found, ratio, f"{names} against {reference}, at average degrees {degrees}")

    words = "the ratio of each family / the ratio of the reference family"
    return Query(f"{WORDS[ratio]}, {{policy}} / none: {words}", pick, RATIO_OF_RATIOS)


def in_families(ratio: Ratio) -> Query:
    """The ratio on every family, at its densest level."""

    def pick(asked: Asked) -> Picked:
        found = sorted(of_policy(asked, asked.findings.variants.families, ratio), key=lambda effect: effect.degree)
        densest = {effect.family: effect for effect in found}
        if not densest:
            return nothing("no two families were measured with this convolution and policy")
        return each(list(densest.values()), ratio, "densest graphs of " + ", ".join(densest))

    return Query(f"{WORDS[ratio]}, {{policy}} / none, in each family", pick)


def graded_densest_over_sparsest(ratio: Ratio) -> Query:
    """For each graded real graph, the ratio at its densest grade divided by the one at its sparsest."""

    def pick(asked: Asked) -> Picked:
        rows = sorted(of_policy(asked, asked.findings.variants.graded, ratio), key=lambda effect: effect.average_degree)
        ends = [(found[-1], found[0]) for _, found in grouped(rows, lambda effect: (effect.base,))]
        pairs = [(dense, sparse) for dense, sparse in ends if sparse.average_degree < dense.average_degree]
        if not pairs:
            return nothing("no real graph was graded in density with this convolution and policy")
        words = [f"{d.base} from average degree {s.average_degree:.3g} to {d.average_degree:.3g}" for d, s in pairs]
        return each_pair(pairs, ratio, ", ".join(words))

    words = "the ratio at the densest grade / the ratio at the sparsest"
    return Query(f"{WORDS[ratio]}, {{policy}} / none: {words}", pick, RATIO_OF_RATIOS)


def in_batches(ratio: Ratio, other: str = "none") -> Query:
    """The ratio on every size of batch; divided by that of another policy where both ran."""

    def pick(asked: Asked) -> Picked:
        batches = [effect for effect in asked.findings.variants.batches if effect.method]
        pairs = pairs_of(asked, batches, ratio, other)
        alone: list[Effect] = list(of_policy(asked, batches, ratio))
        found = alone if other == "none" else [effect for effect, _ in pairs]
        if not found:
            words = "this convolution and policy" if other == "none" else f"both {asked.policy} and {other}"
            return nothing(f"no mini-batches were measured with {words}")
        note = f"{len(found)} sizes of batch: " + ", ".join(dict.fromkeys(effect.level for effect in found))
        return each(found, ratio, note) if other == "none" else each_pair(pairs, ratio, note)

    return Query(f"{WORDS[ratio]}, {{policy}} / {other}, on each size of batch", pick)
