"""Claims about the predictive laws, and that the answer does not depend on one graph, one draw or the hour.

The bars are those of the design: 2 % median and 5 % worst for bytes, which are exact; 10 % for times, which scatter;
intervals that hold 93 times in 100 (95 less the error of counting some hundred cells).
"""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.claims.queries import laws, runs
from gnn_checkpointing.claims.queries.laws import BYTES, SECONDS
from gnn_checkpointing.claims.queries.query import Query
from gnn_checkpointing.claims.rules import at_least, at_most, below, exactly, within
from gnn_checkpointing.claims.template import Template

Noun = Literal["memory", "time"]

_NOUNS = {"memory": "activation memory", "time": "step time"}
_RESPONSES = {"memory": BYTES, "time": SECONDS}
_BOUNDS = {"memory": "bounds", "time": "intervals"}


def _unseen(noun: Noun, percent: int) -> Template:
    """That the chosen laws' median error on the densest level, and on the largest graphs, is small."""
    return Template(
        f"chosen-law-predicts-{noun}",
        f"The law chosen for {{convolution}}'s {_NOUNS[noun]} predicts the densest and the largest graphs that it did "
        f"not see within {percent} % under every policy (median).",
        laws.unseen_errors(_RESPONSES[noun][0]),
        at_most(percent / 100),
        margin=float(noun == "time"),
    )


def _scorecard(noun: Noun, which: Literal["median", "worst"], percent: int) -> Template:
    """That the laws of generated graphs are right about real ones."""
    return Template(
        f"scorecard-{noun}-{which}",
        f"The laws fitted on generated graphs predict {_NOUNS[noun]} on the real graphs of the same run within "
        f"{percent} % ({which} over graphs, convolutions and policies).",
        laws.scorecard(_RESPONSES[noun], "median_error" if which == "median" else "worst_error"),
        at_most(percent / 100),
        margin=float(noun == "time"),
        needs="real graphs",
    )


def _coverage(noun: Noun) -> Template:
    """That the published intervals hold."""
    return Template(
        f"intervals-of-{noun}-hold",
        f"The published {_BOUNDS[noun]} of {_NOUNS[noun]} hold at least 93 % of the generated cells that they were "
        "made without.",
        laws.coverage(_RESPONSES[noun], "inside"),
        at_least(0.93),
    )


def _width(noun: Noun, percent: int) -> Template:
    """That the published intervals are narrow enough to be of use."""
    return Template(
        f"intervals-of-{noun}-are-narrow",
        f"The published {_BOUNDS[noun]} of {_NOUNS[noun]} reach at most {percent} % to both sides (median).",
        laws.coverage(_RESPONSES[noun], "median_half_width"),
        at_most(percent / 100),
        margin=float(noun == "time"),
    )


PLACE = 3
CLAIMS = (
    _unseen("memory", 2),
    _unseen("time", 10),
    _scorecard("memory", "median", 2),
    _scorecard("memory", "worst", 5),
    _scorecard("time", "median", 10),
    _coverage("memory"),
    _coverage("time"),
    _width("memory", 5),
    _width("time", 25),
    Template(
        "laws-foresee-what-does-not-fit",
        "Of every cell that ran out of memory or time, the law says that it reaches the limit.",
        Query("predicted bytes or seconds / the limit, of each cell that hit one", laws.foreseen),
        at_least(1),
        needs="censored cells",
    ),
    Template(
        "edge-blocks-raise-capacity-tenfold",
        "In the same memory, policy {policy} takes graphs of at least 10 times the average degree that {convolution} "
        "takes without checkpointing.",
        laws.capacity_gain(10.0),
        at_least(10),
        "edge_blocks",
    ),
    Template(
        "no-graph-turns-a-verdict",
        "Leaving out any one graph turns no statement on {convolution} to the other side of its boundary.",
        Query("graphs that turn a statement, for each statement", runs.changed_sides, "graphs"),
        exactly(0),
    ),
    Template(
        "no-graph-decides-a-slope",
        "No single graph moves the activation bytes that an edge of {convolution} costs by more than 10 %, under any "
        "policy.",
        runs.influence("activation_bytes"),
        within(-0.1, 0.1),
    ),
    Template(
        "times-do-not-drift",
        "Over the whole run, {convolution}'s step times drift by no more than 5 % under any policy.",
        runs.run_drift("step_time_seconds"),
        within(-0.05, 0.05),
    ),
    Template(
        "replicates-agree-in-bytes",
        "Graphs of equal size and density, drawn independently, need the same activation bytes to 1 %.",
        runs.replicate_spread(BYTES),
        below(0.01),
    ),
    Template(
        "stopping-early-keeps-the-intervals-honest",
        "Time ratios whose rounds stop when the interval is narrow enough still hold the true ratio at least 93 times "
        "in 100.",
        Query("share of simulated intervals that hold the true ratio, for each noise", runs.stopping_coverage, "share"),
        at_least(0.93),
    ),
)
