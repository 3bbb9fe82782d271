"""What other systems for graphs are said to reach: tried with this study's policies, or untested with the reason."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import Template, of_convolution, of_study
from gnn_checkpointing.claims.rules import AtLeast, AtMost

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
_OWN_POLICY = "{setting}; policy {policy} of this project instead of their fused CUDA kernels"


def _kept(
    id: str, sentence: str, source: str, times: float, policy: str, only: tuple[str, ...], beside: str = ""
) -> Template:
    """Return that a policy needs at least so many times less peak memory at the densest level."""
    return Template(
        id=id,
        sentence=sentence,
        source=source,
        quantity="peak memory, {policy} / none, at the densest level",
        unit="ratio",
        rule=AtMost(1 / times),
        pick=partial(evidence.at_densest, ratio="memory_ratio"),
        policy=policy,
        kind="literature",
        only=only,
        beside=beside,
        conditions=_OWN_POLICY,
    )


def _faster(id: str, sentence: str, source: str, times: float, only: tuple[str, ...]) -> Template:
    """Return that fused edge blocks take at least so many times less time at the densest timed level."""
    return Template(
        id=id,
        sentence=sentence,
        source=source,
        quantity="step time, {policy} / none, at the densest timed level",
        unit="ratio",
        rule=AtMost(1 / times),
        pick=partial(evidence.at_densest, ratio="time_ratio"),
        policy="fused_edge_blocks",
        kind="literature",
        only=only,
        beside="fused_edge_blocks",
        conditions=_OWN_POLICY,
    )


PEERS = (
    Template(
        id="mlsys-edge-intermediates",
        sentence="Intermediate data take 91.9 % of the memory that training needs (here: at least 90 % of "
        "{convolution}'s activation peak grows with the edges).",
        source=ZHANG,
        quantity="bytes per edge x edges / activation bytes, none, at the densest level",
        unit="share",
        rule=AtLeast(0.9),
        pick=of_convolution(evidence.edge_share),
        kind="literature",
        only=HEAVY,
        conditions="{setting}; the densest generated graphs; bytes of nodes and weights count against it",
    ),
    _kept(
        "mlsys-recomputation",
        "Recomputing intermediate data of edges lets a network train in up to 7.73 times less memory (here: "
        "{convolution} with policy {policy}, at the densest level).",
        ZHANG,
        7.73,
        "edge_blocks",
        HEAVY,
    ),
    _faster(
        "mlsys-speed",
        "With fused kernels, recomputing intermediate data of edges makes training up to 2.75 times as fast (here: "
        "{convolution} with policy {policy}, at the densest timed level).",
        ZHANG,
        2.75,
        HEAVY,
    ),
    _kept(
        "turbo-gnn-memory",
        "Without storing values of edges, {convolution} trains in 6 times less peak memory (their median; here: policy "
        "{policy}, at the densest level).",
        TURBO,
        6,
        "edge_blocks",
        ("GATv2",),
    ),
    _kept(
        "turbo-gnn-memory-at-best",
        "Fused, {convolution} trains in up to 76 times less peak memory (here: policy {policy}, at the densest level).",
        TURBO,
        76,
        "fused_edge_blocks",
        ("GATv2",),
        "fused_edge_blocks",
    ),
    _faster(
        "turbo-gnn-speed",
        "Fused, {convolution} trains twice as fast (their median; here: policy {policy}, at the densest timed level).",
        TURBO,
        2,
        ("GATv2",),
    ),
    Template(
        id="gsr-gnn-memory",
        sentence="Deep reversible networks on circuit graphs need up to 87.2 % less peak memory (here: the activation "
        "peak of policy reversible, with the convolution that gains most).",
        source=GSR,
        quantity="activation bytes, reversible / none, at the densest level, least of all convolutions",
        unit="ratio",
        rule=AtMost(1 - 0.872),
        pick=of_study(evidence.least_at_densest, policy="reversible"),
        scope="study",
        kind="literature",
        conditions="{setting}; reversible blocks of PyG alone, without their grouped sparse operator; another model "
        "than none trains; generated graphs, not their circuits",
    ),
    Template(
        id="gsr-gnn-speed",
        sentence="Such networks train over 30 times as fast (here: policy reversible, in the deepest models).",
        source=GSR,
        quantity="step time, reversible / none, at the most layers of several: the smallest ratio",
        unit="ratio",
        rule=AtMost(1 / 30),
        pick=of_study(evidence.deepest_time, policy="reversible"),
        scope="study",
        kind="literature",
        conditions="{setting}; the same convolutions with and without reversible blocks, where theirs is compared with "
        "another system's kernels on a GPU",
    ),
    Template(
        id="anemoi-chunks-memory",
        sentence="Computing edges in chunks lowers peak memory from 33.45 to 22.08 GB (here: {convolution}, policy "
        "{policy} against whole layers, which recompute as much without chunks).",
        source=ANEMOI,
        quantity="activation bytes, {policy} / layers, at the densest level",
        unit="ratio",
        rule=AtMost(22.08 / 33.45),
        pick=partial(evidence.against_layers, ratio="activation_ratio"),
        policy="edge_blocks",
        kind="literature",
        conditions="{setting}; training, where theirs is inference; activation memory without the weights",
    ),
    Template(
        id="anemoi-chunks-time",
        sentence="Such chunks cost 3.3 % more time (here: {convolution}, policy {policy} against whole layers, at most "
        "so much).",
        source=ANEMOI,
        quantity="step time, {policy} / layers, at the densest timed level",
        unit="ratio",
        rule=AtMost(1.033),
        pick=partial(evidence.against_layers, ratio="time_ratio"),
        policy="edge_blocks",
        kind="literature",
        conditions="{setting}; training, where theirs is inference",
    ),
    Template(
        id="elene-memory",
        sentence="Edge-level ego-network encodings need up to 18.1 times less memory than subgraph networks (here: the "
        "same convolutions on a graph with the encodings, and on all of its ego networks in a bag).",
        source=ELENE,
        quantity="peak memory of a training step on the bag / on the graph with encodings, without checkpointing: the "
        "largest ratio",
        unit="ratio",
        rule=AtLeast(18.1),
        pick=of_study(evidence.most_saved),
        scope="study",
        kind="literature",
        conditions="{setting}; drawn graphs and node classification, where theirs are data sets of small graphs; "
        "encodings are projected to a few features by fixed random signs, and counted before training",
    ),
)
