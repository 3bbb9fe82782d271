"""The laws' arithmetic: bytes of one policy on one graph, and the largest graph that fits.

Plain floating-point operations in a fixed order: `templates/html/scripts/planner.js` does the same, to the last digit.
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace

from gnn_checkpointing.planning.knowledge import Growth, PlannedLaw, PolicyKnowledge, Sizes
from gnn_checkpointing.study.block_size import BYTES_PER_VALUE, block_edges
from gnn_checkpointing.study.convolutions import ATTENTION
from gnn_checkpointing.study.policy_names import EAGER, parse_policy

OTHER_SIZES, OTHER_FEATURES = 0.1, 0.05
"""Least half-widths of bytes for other sizes of a model and other features: 8 and 5 % at worst in `tests/planning`."""

OTHER_WEIGHTS = 0.01
"""What weights of other sizes are off at most, as a share of all that is resident before a step."""

WEIGHT_BYTES, SUM_BYTES = 16, 8
"""Upper bounds, per weight that the law lacks (two matrices per layer, and their gradients) and per summed feature."""

DROPPED_BYTES = 4
"""Per attention weight: the factor that dropout multiplied it by."""

_KEEPS_ALL = ("none", "selective", "offloaded")
OF_EDGES = ("edges", "edges_at_once")
"""Columns that count a hidden layer's messages."""

MOST_NODES, MOST_EDGES = 10**12, 10**15
"""Limits of the searches for the largest graph; whole numbers up to there are exact in floating point."""


@dataclass(frozen=True)
class Step:
    """A training step of a model on a graph; `measured` are the policy's measured sizes, None if they are the same."""

    nodes: float
    edges: float
    sizes: Sizes
    attention_dropout: bool = False
    measured: Sizes | None = None

    @property
    def of_measured_model(self) -> bool:
        """Whether the policy was measured with as many layers, channels and heads."""
        return self.measured is None or self.measured.model == self.sizes.model

    @property
    def of_measured_sizes(self) -> bool:
        """Whether it was also measured with as many input features."""
        return self.measured in (None, self.sizes)


@dataclass(frozen=True)
class Interval:
    """A predicted number of bytes or seconds and the ends of its interval; impossible ones raise `ValueError`."""

    estimate: float
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse numbers that no law of a measured machine gives."""
        if not (-math.inf < self.low <= self.estimate <= self.high < math.inf and self.estimate >= 0):
            raise ValueError(f"{self.estimate:g} bytes or seconds, from {self.low:g} to {self.high:g}")


def longest_segment(policy: str, num_layers: int) -> int:
    """Number of layers that a segment recomputes together; other policies recompute layers one by one."""
    name = parse_policy(policy)
    return math.ceil(num_layers / (name.count or 1)) if name.kind == "segments" else 1


def grown(growth: Growth, sizes: Sizes, width: int, segment: int = 1) -> float:
    """Value of a growth for a model of these sizes in which one layer works with rows of `width` values."""
    return (
        growth.layers * sizes.num_layers
        + growth.layer_channels * (sizes.num_layers * sizes.hidden_channels)
        + growth.layer_heads * (sizes.num_layers * sizes.heads)
        + growth.segment_channels * ((segment - 1) * sizes.hidden_channels)
        + growth.segment_heads * ((segment - 1) * sizes.heads)
        + growth.channels * width
        + growth.heads * sizes.heads
        + growth.features * sizes.num_features
        + growth.rest
    )


@dataclass(frozen=True)
class AtOnce:
    """What a layer works on at a time, all or one block: edges of a hidden layer's first block, and of its second one.

    `wide` are edges of the first two blocks of the first layer, which are cut by its features, and `ends` the nodes
    that these edges end at.
    """

    edges: float
    second: float = 0.0
    wide: tuple[float, float] = (0.0, 0.0)
    ends: tuple[float, float] = (0.0, 0.0)


def at_once(known: PolicyKnowledge, step: Step) -> AtOnce:
    """All edges and nodes at once, or those of a block."""
    if (rule := known.blocks) is None:
        return AtOnce(step.edges, 0.0, (step.edges, 0.0), (step.nodes, 0.0))
    edges = step.edges + (step.nodes if known.self_loops else 0)
    bounds = rule.edges_per_node, rule.smallest_bytes, rule.largest_bytes
    own, first = (
        min(edges, rule.edges or block_edges(int(step.nodes), BYTES_PER_VALUE * width, *bounds))
        for width in (step.sizes.hidden_channels, step.sizes.num_features)
    )
    wide = first, min(first, edges - first)
    each = step.nodes / max(edges, 1.0)
    return AtOnce(own, min(own, edges - own), wide, (each * wide[0], each * wide[1]))


def value(law: PlannedLaw, step: Step, portion: AtOnce, width: int, segment: int = 1) -> float:
    """A law's bytes or seconds, with messages of `width` values; beyond its range a curved law grows with the graph.

    While a layer computes its second block, the sums of the first one live beside it.
    """
    nodes, edges, sizes, growth = step.nodes, step.edges, step.sizes, 1.0
    if law.link == "exponential" or any("edges_squared" in piece for piece in law.pieces):
        growth = max(nodes / law.num_nodes[1], edges / law.num_edges[1], 1.0)
        nodes, edges = min(nodes, law.num_nodes[1]), min(edges, law.num_edges[1])
    columns = {
        "constant": 1.0,
        "nodes": nodes,
        "edges": edges,
        "edges_at_once": portion.edges,
        "nodes_with_blocks": 0.0,
        "edges_of_first_layer": portion.wide[0],
        "nodes_of_first_layer": portion.ends[0],
        "nodes_with_wide_blocks": nodes if portion.wide[1] else 0.0,
        "edges_of_second_block": portion.wide[1],
        "nodes_of_second_block": portion.ends[1],
        "edges_squared": edges * edges,
        "edges_over_knee": max(edges - (law.knee or 0.0), 0.0),
        "log_nodes": math.log(max(nodes, 1.0)),
        "log_edges": math.log(max(edges, 1.0)),
    }
    instants = [columns]
    if portion.second:
        instants.append(columns | {"edges_at_once": portion.second, "nodes_with_blocks": nodes})
    sums = []
    for piece in law.pieces:
        for instant in instants:
            total = 0.0
            for column, term in piece.items():
                factor = grown(term, sizes, width if column in OF_EDGES else sizes.hidden_channels, segment)
                # Bytes cannot be negative: in a model of one layer, a law may subtract more than the layer keeps.
                total += (factor if law.link == "exponential" else max(factor, 0.0)) * instant[column]
            sums.append(total)
    most = max(sums)
    own = math.exp(most) * grown(law.factor, sizes, sizes.hidden_channels) if law.link == "exponential" else most
    return own * growth


def resident(known: PolicyKnowledge, step: Step) -> float:
    """Bytes resident before a step."""
    terms, sizes = known.resident, step.sizes
    parameters = terms.parameters * (sizes.num_layers * (sizes.hidden_channels * sizes.hidden_channels))
    parameters += terms.first_layer * (sizes.hidden_channels * (sizes.num_features - sizes.hidden_channels))
    per_node = terms.per_node + terms.per_feature * sizes.num_features
    return parameters + per_node * step.nodes + terms.per_edge * step.edges


def dropout_bytes(known: PolicyKnowledge, step: Step) -> float:
    """Bytes of attention dropout: what is kept for each attention weight, in every layer that keeps its messages.

    Kernels keep nothing, since they draw the random numbers again.
    """
    name, sizes = parse_policy(known.policy), step.sizes
    if known.convolution not in ATTENTION or name.kind not in EAGER | {"offloaded"}:
        return 0.0
    layers = sizes.num_layers if name.kind in _KEEPS_ALL else longest_segment(known.policy, sizes.num_layers)
    return DROPPED_BYTES * layers * sizes.heads * at_once(known, step).edges


def peak(known: PolicyKnowledge, step: Step) -> Interval:
    """The peak memory of a training step in bytes, resident included.

    For a graph sparser than any measured, whose peak may fall on another instant, the interval reaches up to the peak
    of the sparsest one. For unmeasured model sizes it reaches as far as such sizes were seen to be off, plus their
    weights. A first layer that gathers features makes messages and sums as wide as these, without gradients. Bytes that
    are counted from the tensors of each instant hold for every graph and model of several layers, but those of blocks
    hang on how degrees fill them.
    """
    law, sizes, own, before = known.activation, step.sizes, step.sizes.hidden_channels, resident(known, step)
    if known.counted and sizes.num_layers > 1:
        untested = OTHER_FEATURES if known.blocks is not None and not step.of_measured_sizes else 0.0
        found, reach = _activation(known, step, step.edges, own), max(law.half_width, untested)
        more = found * reach + (0.0 if step.of_measured_sizes else OTHER_WEIGHTS * before)
        return Interval(found + before, found + before - more, found + before + more)
    sparsest = law.num_edges[0] / law.num_nodes[0] * step.nodes
    wide = max(own, sizes.num_features) if known.reads_features else own
    activation, most = (_activation(known, step, edges, wide) for edges in (step.edges, max(step.edges, sparsest)))
    # With more edges a first layer has more blocks, and fewer sums at a time.
    least, most = activation, max(activation, most)
    if known.reads_features and not step.of_measured_sizes:
        least = _activation(known, step, step.edges, own) if sizes.num_layers > 1 else 0.0
    untested = 0.0 if step.of_measured_sizes else OTHER_FEATURES if step.of_measured_model else OTHER_SIZES
    reach = max(law.half_width, untested)
    inputs = sizes.num_features + sizes.num_layers * own
    counted = step.of_measured_sizes and step.nodes >= law.num_nodes[0]
    more = 0 if counted else WEIGHT_BYTES * (own * inputs) + SUM_BYTES * (step.nodes * (wide - own))
    return Interval(activation + before, least * (1 - reach) + before, most * (1 + reach) + before + more)


def _activation(known: PolicyKnowledge, step: Step, edges: float, width: int) -> float:
    step, segment = replace(step, edges=edges), longest_segment(known.policy, step.sizes.num_layers)
    found = value(known.activation, step, at_once(known, step), width, segment)
    return found + dropout_bytes(known, step) if step.attention_dropout else found


def largest(known: PolicyKnowledge, memory_bytes: float, step_of: Callable[[int], Step], most: int) -> int | None:
    """The largest number of nodes or edges, up to `most`, whose step certainly fits; None if `most` fits.

    0 if not even one fits.
    """

    def too_large(number: int) -> bool:
        return peak(known, step_of(number)).high > memory_bytes

    return max(bisect_left(range(most), True, lo=1, key=too_large) - 1, 0) if too_large(most) else None
