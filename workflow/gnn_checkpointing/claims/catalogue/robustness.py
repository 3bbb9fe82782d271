"""Claims that the answer does not hang on one graph, one draw, the hour, or the rule that stops the clock."""

from __future__ import annotations

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.predictions import BYTES
from gnn_checkpointing.claims.catalogue.template import OWN, Template, of_convolution, of_study
from gnn_checkpointing.claims.rules import AtLeast, Below, Exactly, Within

ROBUSTNESS = (
    Template(
        id="no-graph-turns-a-verdict",
        sentence="Leaving out any one graph turns no statement on {convolution} to the other side of its boundary.",
        source=OWN,
        quantity="graphs that turn a statement, for each statement",
        unit="graphs",
        rule=Exactly(0),
        pick=of_convolution(evidence.changed_sides),
    ),
    Template(
        id="no-graph-decides-a-slope",
        sentence="No single graph moves the activation bytes that an edge of {convolution} costs by more than 10 %, "
        "under any policy.",
        source=OWN,
        quantity="bytes per edge: change when the most influential graph is left out, as a share",
        unit="share",
        rule=Within(-0.1, 0.1),
        pick=of_convolution(evidence.influence, response="activation_bytes"),
    ),
    Template(
        id="times-do-not-drift",
        sentence="Over the whole run, {convolution}'s step times drift by no more than 5 % under any policy.",
        source=OWN,
        quantity="change of step time against its law from the first measurement to the last, as a share",
        unit="share",
        rule=Within(-0.05, 0.05),
        pick=of_convolution(evidence.run_drift, response="step_time_seconds"),
    ),
    Template(
        id="replicates-agree-in-bytes",
        sentence="Graphs of equal size and density, drawn independently, need the same activation bytes to 1 %.",
        source=OWN,
        quantity="relative standard deviation of bytes between draws, at the worst place",
        unit="relative deviation",
        rule=Below(0.01),
        pick=of_study(evidence.replicate_spread, responses=BYTES),
        scope="study",
    ),
    Template(
        id="stopping-early-keeps-the-intervals-honest",
        sentence="Time ratios whose rounds stop when the interval is narrow enough still hold the true ratio at least "
        "93 times in 100.",
        source=OWN,
        quantity="share of simulated intervals that hold the true ratio, for each noise",
        unit="share",
        rule=AtLeast(0.93),
        pick=of_study(evidence.stopping_coverage),
        scope="study",
    ),
)
