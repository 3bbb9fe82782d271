"""Claims on deep models, Vision GNNs and ego networks, and on what a policy leaves of the throughput."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims.queries import effects, systems, variants
from gnn_checkpointing.claims.queries.query import Query
from gnn_checkpointing.claims.rules import above, at_least, at_most, below, within
from gnn_checkpointing.claims.template import Need, Template

_THROUGHPUT = "nodes (and edges) per second, {policy} / none"
_PLACES: tuple[tuple[str, str, Need, Query], ...] = (
    ("", "On the densest graphs", "", effects.at_densest("throughput_ratio")),
    ("-on-real-graphs", "On every real graph", "real graphs", effects.on_reals("throughput_ratio")),
    ("-in-families", "On the densest graphs of every family", "families", variants.in_families("throughput_ratio")),
    ("-in-batches", "On mini-batches of every size measured", "batches", variants.in_batches("throughput_ratio")),
)
_REVERSIBLE = (
    "{setting}; PyG's GroupAddRev of two groups, which is another model than the stack that the other policies train"
)

_deep = partial(Template, policy="reversible", needs="depths")
_vision = partial(Template, policy="layers", only=("ViG-Ti", "ViG-S", "ViG-B"))
_ego = partial(
    Template,
    needs="ego networks",
    conditions="a bag is every node's ego network as a small graph of its own; {setting}",
)

PLACE = 5
CLAIMS = (
    _deep(
        "reversible-peak-hardly-grows-with-depth",
        "Four times as many reversible layers peak at most a fifth higher.",
        systems.growth_with_depth(4, "four"),
        at_most(1.2),
    ),
    *(
        _deep(
            f"deep-reversible-peaks-below-{name}",
            f"In the deepest models, reversible blocks peak below {words}.",
            systems.deepest_against(policy),
            below(1),
            conditions=_REVERSIBLE,
        )
        for name, policy, words in (
            ("layers", "layers", "whole layers checkpointed"),
            ("edge-blocks", "edge_blocks", "edge blocks"),
            ("nested-edge-blocks", "layers+edge_blocks", "edge blocks inside recomputed layers"),
        )
    ),
    _vision(
        "vision-layers-keep-a-fifth",
        "Checkpointing each block of {convolution} keeps at most a fifth of its activation peak.",
        effects.everywhere("activation_ratio"),
        at_most(0.2),
        quantity="activation bytes, layers / none, at every number of neighbours",
    ),
    _vision(
        "vision-edge-blocks-keep-less-the-denser",
        "The more neighbours, the smaller the share of {convolution}'s activation peak that policy {policy} keeps.",
        effects.densest_over_sparsest("activation_ratio"),
        below(1),
        policy="edge_blocks",
        quantity="activation bytes, {policy} / none: the ratio at most neighbours / the ratio at fewest",
    ),
    _vision(
        "vision-neighbours-leave-the-ratio",
        "The number of neighbours moves the share of {convolution}'s activation peak that checkpointed blocks keep by "
        "at most 10 % of it.",
        effects.densest_over_sparsest("activation_ratio"),
        within(0.9, 1.1),
        quantity="activation bytes, layers / none: the ratio at most neighbours / the ratio at fewest",
    ),
    _ego(
        "bags-peak-above-encodings",
        "Training {convolution} on bagged ego networks takes more memory than on the graph with their encodings, at "
        "every density and radius.",
        systems.bag_over_encodings("none"),
        above(1),
    ),
    _ego(
        "checkpointed-bags-peak-above-encodings",
        "Even with policy {policy}, training {convolution} on bagged ego networks takes more memory than on the graph "
        "with their encodings without checkpointing.",
        systems.bag_over_encodings(),
        above(1),
        policy="layers",
    ),
    _ego(
        "bags-lose-more-when-dense",
        "The denser the graph, the more memory bagged ego networks take relative to their encodings, with "
        "{convolution}.",
        systems.densest_bag_over_sparsest(),
        above(1),
    ),
    *(
        Template(
            f"{policy.replace('_', '-')}-keep-half-the-throughput{suffix}",
            f"{where}, {{convolution}} trains at least half as many nodes and edges per second with policy {{policy}} "
            "as without checkpointing.",
            query,
            at_least(0.5),
            policy,
            quantity=_THROUGHPUT,
            needs=needs,
        )
        for policy in ("layers", "edge_blocks")
        for suffix, where, needs, query in _PLACES
    ),
    *(
        Template(
            f"{policy.replace('_', '-')}-raises-throughput",
            "On the densest graphs, {convolution} trains more nodes and edges per second with policy {policy} than "
            "with none.",
            effects.at_densest("throughput_ratio"),
            above(1),
            policy,
            beside=policy,
        )
        for policy in ("compiled", "compiled_edge_blocks", "fused_edge_blocks")
    ),
)
