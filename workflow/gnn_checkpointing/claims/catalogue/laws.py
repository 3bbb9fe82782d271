"""Claims that a law linear in nodes and edges predicts what it did not see."""

from __future__ import annotations

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template, of_convolution
from gnn_checkpointing.claims.rules import AtMost

LAWS = (
    Template(
        id="law-predicts-memory-of-the-densest",
        sentence="A law linear in nodes and edges, fitted without the densest graphs, predicts {convolution}'s "
        "activation memory on them within 10 % under every policy.",
        source=OWN,
        quantity="worst relative error of activation bytes at the level held out",
        unit="relative error",
        rule=AtMost(0.1),
        pick=of_convolution(evidence.held_out_errors, response="activation_bytes"),
    ),
    Template(
        id="law-predicts-time-of-the-densest",
        sentence="A law linear in nodes and edges, fitted without the densest graphs, predicts {convolution}'s step "
        "time on them within 20 % under every policy.",
        source=OWN,
        quantity="worst relative error of step time at the level held out",
        unit="relative error",
        rule=AtMost(0.2),
        margin=2.0,
        pick=of_convolution(evidence.held_out_errors, response="step_time_seconds"),
    ),
)
