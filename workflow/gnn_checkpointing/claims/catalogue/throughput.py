"""Claims about throughput, nodes and edges per second: what a policy leaves of it, beside what it saves of memory."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Need, Pick, Template
from gnn_checkpointing.claims.rules import Above, AtLeast

# Where, what was measured there, and the numbers.
_PLACES: tuple[tuple[str, str, Need, Pick], ...] = (
    ("", "On the densest graphs", "", partial(evidence.at_densest, ratio="throughput_ratio")),
    ("-on-real-graphs", "On every real graph", "real graphs", partial(evidence.on_reals, ratio="throughput_ratio")),
    (
        "-in-families",
        "On the densest graphs of every family",
        "families",
        partial(evidence.in_families, ratio="throughput_ratio"),
    ),
    (
        "-in-batches",
        "On mini-batches of every size measured",
        "batches",
        partial(evidence.in_batches, ratio="throughput_ratio"),
    ),
)
_GAINS = ("compiled", "compiled_edge_blocks", "fused_edge_blocks")

THROUGHPUT = (
    *(
        Template(
            id=f"{policy.replace('_', '-')}-keep-half-the-throughput{suffix}",
            sentence=f"{where}, {{convolution}} trains at least half as many nodes and edges per second with policy "
            "{policy} as without checkpointing.",
            source=OWN,
            quantity="nodes (and edges) per second, {policy} / none",
            unit="ratio",
            rule=AtLeast(0.5),
            pick=pick,
            policy=policy,
            needs=needs,
        )
        for policy in ("layers", "edge_blocks")
        for suffix, where, needs, pick in _PLACES
    ),
    *(
        Template(
            id=f"{policy.replace('_', '-')}-raises-throughput",
            sentence="On the densest graphs, {convolution} trains more nodes and edges per second with policy {policy} "
            "than with none.",
            source=OWN,
            quantity="nodes (and edges) per second, {policy} / none, at the densest level",
            unit="ratio",
            rule=Above(1),
            pick=partial(evidence.at_densest, ratio="throughput_ratio"),
            policy=policy,
            beside=policy,
        )
        for policy in _GAINS
    ),
)
