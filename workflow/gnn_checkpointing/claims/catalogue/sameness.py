"""Claims that no policy changes what is computed or how it trains."""

from __future__ import annotations

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template, of_convolution, of_study
from gnn_checkpointing.claims.rules import AtMost

SAMENESS = (
    Template(
        id="every-policy-computes-the-same",
        sentence="Every policy gives the same loss, gradients and buffers as no checkpointing, in every cell.",
        source=OWN,
        quantity="rows whose loss, gradients or buffers were not within tolerance of none's",
        unit="rows",
        rule=AtMost(0),
        pick=of_study(evidence.changed_computations),
        scope="study",
    ),
    Template(
        id="training-follows-the-same-curve",
        sentence="Training {convolution} under any policy strays from the loss curve of training without checkpointing "
        "by at most ten times what listing the same edges in another order does.",
        source=OWN,
        quantity="largest difference of a loss from none's over all epochs, policy / reordered edges",
        unit="ratio",
        rule=AtMost(10),
        pick=of_convolution(evidence.loss_differences),
    ),
)
