"""What the literature and other systems say, tried on the models, graphs and policies of this study."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims.queries import effects, peaks, systems
from gnn_checkpointing.claims.queries.query import Query
from gnn_checkpointing.claims.rules import at_least, at_most, within
from gnn_checkpointing.claims.template import Template

CHEN = "Chen, Xu, Zhang and Guestrin 2016, Training Deep Nets with Sublinear Memory Cost, arXiv 1604.06174"
HYDRA = (
    "HydraGNN, model-agnostic layer-wise checkpointing, pull request ORNL/HydraGNN#250 (18 layers of PNA with 512 "
    "channels on eight A5000 GPUs)"
)
PYTORCH = "PyTorch, torch/_functorch/config.py, comment on activation_memory_budget"
ZHANG = (
    "Zhang, Yu, Dai, Huang, Ding, Xie and Wang 2022, Understanding GNN Computational Graph: A Coordinated Computation, "
    "IO, and Memory Perspective, MLSys 2022, arXiv 2110.09524"
)
TURBO = (
    "Fomina, Krasylnikov, Boykov, Dolgovyazov, Zhdanovskiy and Velikonivtsev 2026, On Efficient Scaling of GNNs via "
    "IO-Aware Layers Implementations (Turbo-GNN), ICML 2026, arXiv 2605.31500"
)
GSR = (
    "Luo, Li, Feng, Kancharla, Huang and Ding 2026, GSR-GNN: Training Acceleration and Memory-Saving Framework of Deep "
    "GNNs on Circuit Graph, DAC 2026, arXiv 2603.27156"
)
ANEMOI = "ECMWF anemoi-models, mapper chunking, pull request ecmwf/anemoi-models#46 (16 chunks, inference on one GPU)"
ELENE = (
    "Alvarez-Gonzalez, Kaltenbrunner and Gómez 2023, Improving Subgraph-GNNs via Edge-Level Ego-Network Encodings, "
    "arXiv 2312.05905"
)

# Autograd keeps several values of an edge for these.
HEAVY = ("GAT", "GATv2", "EdgeConv")
_EACH_LAYER = "{setting}; every layer under torch.utils.checkpoint, full-batch training"
_NARROWER = f"{_EACH_LAYER}; other convolutions, narrower and fewer layers than theirs"
_OWN_POLICY = "{setting}; policy {policy} of this project instead of their fused CUDA kernels"
_ROOT = "{setting}; k nearest to the root of the layers among those measured"

_said = partial(Template, kind="literature")
_segments = partial(_said, source=CHEN, needs="segments")
_anemoi = partial(_said, policy="edge_blocks", source=ANEMOI)
_kernels = partial(_said, conditions=_OWN_POLICY)
_fused = partial(_kernels, policy="fused_edge_blocks", beside="fused_edge_blocks")
_faster = partial(_fused, quantity="step time, {policy} / none, at the densest timed level")

CHECKPOINTING = (
    _said(
        "a-third-more-time",
        "Gradient checkpointing makes a training step about a third longer (here: {convolution}, whole layers, on "
        "every graph measured).",
        effects.everywhere("time_ratio"),
        within(1.2, 1.45),
        "layers",
        CHEN,
        conditions=_EACH_LAYER,
    ),
    _said(
        "hydragnn-memory",
        "Checkpointing each convolution lowers peak memory by 58 %, give or take 5 points (here: {convolution}, whole "
        "layers, on every graph measured).",
        effects.everywhere("memory_ratio"),
        within(0.37, 0.47),
        "layers",
        HYDRA,
        conditions=_NARROWER,
    ),
    _said(
        "hydragnn-time",
        "Checkpointing each convolution makes a training step 28.6 % longer, give or take 5 points (here: "
        "{convolution}, whole layers, on every graph measured).",
        effects.everywhere("time_ratio"),
        within(1.236, 1.336),
        "layers",
        HYDRA,
        conditions=_NARROWER,
    ),
)
"""As these were judged from the first report on, in another place of the ledger than the rest."""

PLACE = 4
CLAIMS = (
    _segments(
        "chen-root-memory",
        "As many segments as the root of the number of layers need memory in proportion to that root (here: "
        "{convolution} keeps no more than k inputs and one segment of the layers would).",
        Query(
            "activation bytes, segments(k) / none at the densest level, divided by (k + layers / k) / layers",
            peaks.segments_memory,
        ),
        at_most(1),
        conditions=f"{_ROOT}; a network of so few layers shows the count, not its growth",
    ),
    _segments(
        "chen-one-forward-pass",
        "Such segments cost only one more forward pass (here: {convolution}, to 5 % of a step).",
        peaks.segments_time(),
        at_most(1.05),
        conditions=_ROOT,
    ),
    _said(
        "pytorch-budget-is-a-share",
        "With an activation memory budget of one half, the compiler keeps half of the activations that it keeps by "
        "itself (here: {convolution} peaks at no more than half).",
        effects.against("activation_ratio", "memory_budget(1)", policy="memory_budget(0.5)"),
        at_most(0.5),
        source=PYTORCH,
        needs="budgets",
        conditions="{setting}; the whole model compiled by torch.compile with inductor; peaks, not what is saved, are "
        "compared",
    ),
    _said(
        "mlsys-edge-intermediates",
        "Intermediate data take 91.9 % of the memory that training needs (here: at least 90 % of {convolution}'s "
        "activation peak grows with the edges).",
        Query("bytes per edge x edges / activation bytes, none, at the densest level", peaks.edge_share, "share"),
        at_least(0.9),
        source=ZHANG,
        only=HEAVY,
        conditions="{setting}; the densest generated graphs; bytes of nodes and weights count against it",
    ),
    _kernels(
        "mlsys-recomputation",
        "Recomputing intermediate data of edges lets a network train in up to 7.73 times less memory (here: "
        "{convolution} with policy {policy}, at the densest level).",
        effects.at_densest("memory_ratio"),
        at_most(1 / 7.73),
        policy="edge_blocks",
        source=ZHANG,
        only=HEAVY,
    ),
    _faster(
        "mlsys-speed",
        "With fused kernels, recomputing intermediate data of edges makes training up to 2.75 times as fast (here: "
        "{convolution} with policy {policy}, at the densest timed level).",
        effects.at_densest("time_ratio"),
        at_most(1 / 2.75),
        source=ZHANG,
        only=HEAVY,
    ),
    _kernels(
        "turbo-gnn-memory",
        "Without storing values of edges, {convolution} trains in 6 times less peak memory (their median; here: policy "
        "{policy}, at the densest level).",
        effects.at_densest("memory_ratio"),
        at_most(1 / 6),
        policy="edge_blocks",
        source=TURBO,
        only=("GATv2",),
    ),
    _fused(
        "turbo-gnn-memory-at-best",
        "Fused, {convolution} trains in up to 76 times less peak memory (here: policy {policy}, at the densest level).",
        effects.at_densest("memory_ratio"),
        at_most(1 / 76),
        source=TURBO,
        only=("GATv2",),
    ),
    _faster(
        "turbo-gnn-speed",
        "Fused, {convolution} trains twice as fast (their median; here: policy {policy}, at the densest timed level).",
        effects.at_densest("time_ratio"),
        at_most(1 / 2),
        source=TURBO,
        only=("GATv2",),
    ),
    _said(
        "gsr-gnn-memory",
        "Deep reversible networks on circuit graphs need up to 87.2 % less peak memory (here: the activation peak of "
        "policy reversible, with the convolution that gains most).",
        peaks.least_at_densest("reversible"),
        at_most(1 - 0.872),
        source=GSR,
        conditions="{setting}; reversible blocks of PyG alone, without their grouped sparse operator; another model "
        "than none trains; generated graphs, not their circuits",
    ),
    _said(
        "gsr-gnn-speed",
        "Such networks train over 30 times as fast (here: policy reversible, in the deepest models).",
        systems.deepest_time("reversible"),
        at_most(1 / 30),
        source=GSR,
        conditions="{setting}; the same convolutions with and without reversible blocks, where theirs is compared with "
        "another system's kernels on a GPU",
    ),
    _anemoi(
        "anemoi-chunks-memory",
        "Computing edges in chunks lowers peak memory from 33.45 to 22.08 GB (here: {convolution}, policy {policy} "
        "against whole layers, which recompute as much without chunks).",
        effects.against("activation_ratio", "layers"),
        at_most(22.08 / 33.45),
        conditions="{setting}; training, where theirs is inference; activation memory without the weights",
    ),
    _anemoi(
        "anemoi-chunks-time",
        "Such chunks cost 3.3 % more time (here: {convolution}, policy {policy} against whole layers, at most so "
        "much).",
        effects.against("time_ratio", "layers"),
        at_most(1.033),
        quantity="step time, {policy} / layers, at the densest timed level",
        conditions="{setting}; training, where theirs is inference",
    ),
    _said(
        "elene-memory",
        "Edge-level ego-network encodings need up to 18.1 times less memory than subgraph networks (here: the same "
        "convolutions on a graph with the encodings, and on all of its ego networks in a bag).",
        systems.most_saved(),
        at_least(18.1),
        source=ELENE,
        conditions="{setting}; drawn graphs and node classification, where theirs are data sets of small graphs; "
        "encodings are projected to a few features by fixed random signs, and counted before training",
    ),
)
