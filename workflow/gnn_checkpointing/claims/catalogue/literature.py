"""What the literature says of gradient checkpointing, tried on the models and graphs of this study."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import Template, of_convolution
from gnn_checkpointing.claims.rules import AtMost, Within

CHEN = "Chen, Xu, Zhang and Guestrin 2016, Training Deep Nets with Sublinear Memory Cost, arXiv 1604.06174"
HYDRA = (
    "HydraGNN, model-agnostic layer-wise checkpointing, pull request ORNL/HydraGNN#250 (18 layers of PNA with 512 "
    "channels on eight A5000 GPUs)"
)
PYTORCH = "PyTorch, torch/_functorch/config.py, comment on activation_memory_budget"

_EACH_LAYER = "{setting}; every layer under torch.utils.checkpoint, full-batch training"

# As these were judged from the first report on.
CHECKPOINTING = (
    Template(
        id="a-third-more-time",
        sentence="Gradient checkpointing makes a training step about a third longer (here: {convolution}, whole "
        "layers, on every graph measured).",
        source=CHEN,
        quantity="step time, layers / none, at every level and on every real graph",
        unit="ratio",
        rule=Within(1.2, 1.45),
        pick=partial(evidence.everywhere, ratio="time_ratio"),
        policy="layers",
        kind="literature",
        conditions=_EACH_LAYER,
    ),
    Template(
        id="hydragnn-memory",
        sentence="Checkpointing each convolution lowers peak memory by 58 %, give or take 5 points (here: "
        "{convolution}, whole layers, on every graph measured).",
        source=HYDRA,
        quantity="peak memory, layers / none, at every level and on every real graph",
        unit="ratio",
        rule=Within(0.37, 0.47),
        pick=partial(evidence.everywhere, ratio="memory_ratio"),
        policy="layers",
        kind="literature",
        conditions=_EACH_LAYER + "; other convolutions, narrower and fewer layers than theirs",
    ),
    Template(
        id="hydragnn-time",
        sentence="Checkpointing each convolution makes a training step 28.6 % longer, give or take 5 points (here: "
        "{convolution}, whole layers, on every graph measured).",
        source=HYDRA,
        quantity="step time, layers / none, at every level and on every real graph",
        unit="ratio",
        rule=Within(1.236, 1.336),
        pick=partial(evidence.everywhere, ratio="time_ratio"),
        policy="layers",
        kind="literature",
        conditions=_EACH_LAYER + "; other convolutions, narrower and fewer layers than theirs",
    ),
)

LITERATURE = (
    Template(
        id="chen-root-memory",
        sentence="As many segments as the root of the number of layers need memory in proportion to that root (here: "
        "{convolution} keeps no more than k inputs and one segment of the layers would).",
        source=CHEN,
        quantity="activation bytes, segments(k) / none at the densest level, divided by (k + layers / k) / layers",
        unit="ratio",
        rule=AtMost(1),
        pick=of_convolution(evidence.segments_memory),
        kind="literature",
        needs="segments",
        conditions="{setting}; k nearest to the root of the layers among those measured; a network of so few layers "
        "shows the count, not its growth",
    ),
    Template(
        id="chen-one-forward-pass",
        sentence="Such segments cost only one more forward pass (here: {convolution}, to 5 % of a step).",
        source=CHEN,
        quantity="step time, segments(k) / none, divided by 1 + the forward pass's share of none's step, at the "
        "densest timed level",
        unit="ratio",
        rule=AtMost(1.05),
        pick=of_convolution(evidence.segments_time),
        kind="literature",
        needs="segments",
        conditions="{setting}; k nearest to the root of the layers among those measured",
    ),
    Template(
        id="pytorch-budget-is-a-share",
        sentence="With an activation memory budget of one half, the compiler keeps half of the activations that it "
        "keeps by itself (here: {convolution} peaks at no more than half).",
        source=PYTORCH,
        quantity="activation bytes, memory_budget(0.5) / memory_budget(1), at the densest level",
        unit="ratio",
        rule=AtMost(0.5),
        pick=of_convolution(
            evidence.against, policy="memory_budget(0.5)", ratio="activation_ratio", other_policy="memory_budget(1)"
        ),
        kind="literature",
        needs="budgets",
        conditions="{setting}; the whole model compiled by torch.compile with inductor; peaks, not what is saved, are "
        "compared",
    ),
)
