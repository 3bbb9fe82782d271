"""Claims on deep models: what reversible blocks save that recomputation cannot."""

from __future__ import annotations

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template, of_study
from gnn_checkpointing.claims.rules import AtMost, Below

_HERE = (
    "{setting}; PyG's GroupAddRev of two groups, which is another model than the stack that the other policies train"
)

DEPTHS = (
    Template(
        id="reversible-peak-hardly-grows-with-depth",
        sentence="Four times as many reversible layers peak at most a fifth higher.",
        source=OWN,
        quantity="activation bytes, reversible: four times the layers / the fewest layers",
        unit="ratio",
        rule=AtMost(1.2),
        pick=of_study(evidence.growth_with_depth, policy="reversible", times=4),
        policy="reversible",
        scope="study",
        needs="depths",
    ),
    *(
        Template(
            id=f"deep-reversible-peaks-below-{name}",
            sentence=f"In the deepest models, reversible blocks peak below {words}.",
            source=OWN,
            quantity=f"activation bytes, reversible / {policy}, at the most layers",
            unit="ratio",
            rule=Below(1),
            pick=of_study(evidence.deepest_against, policy="reversible", other=policy),
            policy="reversible",
            scope="study",
            needs="depths",
            conditions=_HERE,
        )
        for name, policy, words in (
            ("layers", "layers", "whole layers checkpointed"),
            ("edge-blocks", "edge_blocks", "edge blocks"),
            ("nested-edge-blocks", "layers+edge_blocks", "edge blocks inside recomputed layers"),
        )
    ),
)
