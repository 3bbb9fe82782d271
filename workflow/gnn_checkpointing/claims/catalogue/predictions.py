"""Claims about the predictive laws: errors on what they did not see, intervals, limits, capacity.

The bars are those of the design: 2 % median and 5 % worst for bytes, which are exact; 10 % for times, which scatter;
intervals that hold 93 times in 100 (95 less the error of counting some hundred cells).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from gnn_checkpointing.analysis.results import Response
from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template, of_convolution, of_study
from gnn_checkpointing.claims.rules import AtLeast, AtMost

BYTES: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes")
SECONDS: tuple[Response, ...] = ("step_time_seconds",)
_NOUNS = {"memory": "activation memory", "time": "step time"}


def _unseen(noun: str, response: Response, percent: int) -> Template:
    """Return that the chosen laws' median error on the densest level, and on the largest graphs, is small."""
    return Template(
        id=f"chosen-law-predicts-{noun}",
        sentence=f"The law chosen for {{convolution}}'s {_NOUNS[noun]} predicts the densest and the largest graphs "
        f"that it did not see within {percent} % under every policy (median).",
        source=OWN,
        quantity="the larger of the median errors at the densest level and the largest size, each held out",
        unit="relative error",
        rule=AtMost(percent / 100),
        pick=of_convolution(evidence.unseen_errors, response=response),
        margin=1.0 if response in SECONDS else 0.0,
    )


def _scorecard(
    noun: str, responses: Sequence[Response], field: Literal["median_error", "worst_error"], percent: int
) -> Template:
    """Return that the laws of generated graphs are right about real ones."""
    which = field.partition("_")[0]
    return Template(
        id=f"scorecard-{noun}-{which}",
        sentence=f"The laws fitted on generated graphs predict {_NOUNS[noun]} on the real graphs of the same run "
        f"within {percent} % ({which} over graphs, convolutions and policies).",
        source=OWN,
        quantity=f"{which} error on real graphs within the laws' range",
        unit="relative error",
        rule=AtMost(percent / 100),
        pick=of_study(evidence.scorecard, responses=responses, field=field),
        margin=1.0 if responses == SECONDS else 0.0,
        scope="study",
        needs="real graphs",
    )


def _coverage(noun: str, responses: Sequence[Response]) -> Template:
    """Return that the published intervals hold."""
    return Template(
        id=f"intervals-of-{noun}-hold",
        sentence=f"The published intervals of {_NOUNS[noun]} hold at least 93 % of the generated cells that they were "
        "made without.",
        source=OWN,
        quantity="share of held-out cells inside the interval",
        unit="share",
        rule=AtLeast(0.93),
        pick=of_study(evidence.coverage, responses=responses, field="inside"),
        scope="study",
    )


def _width(noun: str, responses: Sequence[Response], percent: int) -> Template:
    """Return that the published intervals are narrow enough to be of use."""
    return Template(
        id=f"intervals-of-{noun}-are-narrow",
        sentence=f"The published intervals of {_NOUNS[noun]} reach at most {percent} % to both sides (median).",
        source=OWN,
        quantity="median half width of the interval on held-out cells, as a share of the prediction",
        unit="share",
        rule=AtMost(percent / 100),
        pick=of_study(evidence.coverage, responses=responses, field="median_half_width"),
        margin=1.0 if responses == SECONDS else 0.0,
        scope="study",
    )


PREDICTIONS = (
    _unseen("memory", "activation_bytes", 2),
    _unseen("time", "step_time_seconds", 10),
    _scorecard("memory", BYTES, "median_error", 2),
    _scorecard("memory", BYTES, "worst_error", 5),
    _scorecard("time", SECONDS, "median_error", 10),
    _coverage("memory", BYTES),
    _coverage("time", SECONDS),
    _width("memory", BYTES, 5),
    _width("time", SECONDS, 25),
    Template(
        id="laws-foresee-what-does-not-fit",
        sentence="Of every cell that ran out of memory or time, the law says that it reaches the limit.",
        source=OWN,
        quantity="predicted bytes or seconds / the limit, of each cell that hit one",
        unit="ratio",
        rule=AtLeast(1),
        pick=of_study(evidence.foreseen),
        scope="study",
        needs="censored cells",
    ),
    Template(
        id="edge-blocks-raise-capacity-tenfold",
        sentence="In the same memory, policy {policy} takes graphs of at least 10 times the average degree that "
        "{convolution} takes without checkpointing.",
        source=OWN,
        quantity="largest average degree that fits, {policy} / none, by the laws",
        unit="ratio",
        rule=AtLeast(10),
        pick=partial(evidence.capacity_gain, asked=10.0),
        policy="edge_blocks",
    ),
)
