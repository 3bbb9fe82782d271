"""Families of generated graphs.

Their edges are drawn independently (in blocks, uniformly, with hubs, and skewed as in R-MAT), or between nodes that
have a position: small worlds on a ring, circuits in order, points in a square.
"""

import math

import numpy as np
from numpy.random import Generator

from gnn_checkpointing.graphs.pairs import (
    Numbers,
    distinct_codes,
    first_distinct,
    free_codes,
    settled,
    triangular_codes,
    triangular_pairs,
)
from gnn_checkpointing.study.graph_design import GeneratedGraph

# Graph500's probabilities of the four quarters, 0.57, 0.19, 0.19 and 0.05, as thresholds of a 16-bit number.
TOP_LEFT, TOP, BOTTOM_LEFT = (round(65536 * share) for share in (0.57, 0.57 + 0.19, 0.57 + 0.19 + 0.19))

# Coordinates are integers, so that squared distances are exact, and the graph is the same on every machine.
SIDE = 2**26


def sbm_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once; round(homophily * edges) join equal labels."""
    edges = spec.num_edges // 2
    wanted = round(edges * spec.homophily)
    sizes = np.bincount(labels, minlength=spec.num_classes).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    block, code = _drawn(sizes * (sizes - 1) // 2, wanted, rng)
    inside = triangular_pairs(code) + starts[block]
    # The rectangle of a block has its own nodes as rows and all nodes of earlier blocks as columns.
    block, code = _drawn(sizes * starts, edges - wanted, rng)
    row, column = np.divmod(code, starts[block])
    positions = np.concatenate([inside, np.stack([starts[block] + row, column])], axis=1)
    # Positions are numbered block after block; labels were given to nodes in random order.
    pairs: Numbers = np.argsort(labels, kind="stable")[positions]
    return pairs


def _drawn(lengths: Numbers, count: int, rng: Generator) -> tuple[Numbers, Numbers]:
    """Draw `count` distinct pairs from blocks with `lengths` pairs; returns each one's block and number within it."""
    codes = distinct_codes(count, int(lengths.sum()), rng)
    starts = np.cumsum(lengths) - lengths
    block = np.searchsorted(starts, codes, side="right").astype(np.int64) - 1
    return block, codes - starts[block]


def erdos_renyi_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once; G(n, m): every such graph is equally likely."""
    return triangular_pairs(distinct_codes(spec.num_edges // 2, _all_pairs(labels), rng))


def heavy_tail_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once; nodes with low numbers are hubs.

    The static model of Goh, Kahng and Kim (Phys. Rev. Lett. 87, 278701): both ends are drawn with weight
    (node + 1)^(-1/2). This gives the tail exponent 3 of Barabási and Albert's growth model but, unlike that, any number
    of edges. In a dense graph hubs saturate and the tail is cut off.
    """

    def draw(asked: int) -> Numbers:
        # The inverse of the distribution function is a square, exact on every machine.
        ends = (labels.size * rng.random((2, asked)) ** 2).astype(np.int64)
        return triangular_codes(ends[:, ends[0] != ends[1]])

    return triangular_pairs(first_distinct(spec.num_edges // 2, _all_pairs(labels), draw, rng))


def rmat_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once; low numbers are hubs, near numbers related.

    Chakrabarti, Zhan and Faloutsos (SDM 2004): the adjacency matrix is cut into quarters repeatedly, and one quarter
    is chosen each time. Node numbers are drawn up to the next power of two; those beyond the last node are redrawn.
    """
    num_nodes = labels.size

    def draw(asked: int) -> Numbers:
        row, column = np.zeros(asked, np.int64), np.zeros(asked, np.int64)
        for _ in range((num_nodes - 1).bit_length()):
            quarter = rng.integers(0, 65536, asked, dtype=np.uint16)
            below = quarter >= TOP
            right = ((quarter >= TOP_LEFT) & ~below) | (quarter >= BOTTOM_LEFT)
            row, column = 2 * row + below, 2 * column + right
        inside = (row != column) & (row < num_nodes) & (column < num_nodes)
        return triangular_codes(np.stack([row[inside], column[inside]]))

    return triangular_pairs(first_distinct(spec.num_edges // 2, _all_pairs(labels), draw, rng))


def _all_pairs(labels: Numbers) -> int:
    return labels.size * (labels.size - 1) // 2


def watts_strogatz_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once; nodes are numbered along the ring.

    Watts and Strogatz (Nature 393, 440): round(rewiring * edges) edges keep one end and get a random other end. If the
    edges do not fill the farthest distance on the ring, its edges are drawn at random. A rewired edge whose node has no
    free partner left (near-complete graphs only) becomes any free pair.
    """
    num_nodes, edges = labels.size, spec.num_edges // 2
    whole, rest = divmod(edges, num_nodes)
    # Take the shortest chords of the ring; half-way around, a chord and its reverse are the same.
    starts = num_nodes // 2 if 2 * (whole + 1) == num_nodes else num_nodes
    start = np.concatenate([np.tile(np.arange(num_nodes), whole), distinct_codes(rest, starts, rng)])
    distance = np.concatenate([np.repeat(np.arange(1, whole + 1), num_nodes), np.full(rest, whole + 1)])
    ring = np.stack([start, (start + distance) % num_nodes])
    rewired = np.zeros(edges, np.bool_)
    rewired[distinct_codes(round(spec.rewiring * edges), edges, rng)] = True
    fixed = ring[0, rewired]

    def draw(who: Numbers) -> Numbers:
        other = rng.integers(0, num_nodes, who.size, dtype=np.int64)
        return np.where(other == fixed[who], -1, triangular_codes(np.stack([fixed[who], other])))

    taken, left = settled(np.sort(triangular_codes(ring[:, ~rewired])), fixed.size, draw)
    free = free_codes(taken, left.size, num_nodes * (num_nodes - 1) // 2, rng)
    return triangular_pairs(np.concatenate([taken, free]))


def circuit_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Edges `[2, spec.num_edges / 2]` of a directed acyclic graph, each once; nodes are in topological order.

    Every gate has half the average degree as inputs (as nearly as integers and the number of earlier gates allow). An
    input comes from a gate `d` places earlier, where P(distance > d) is proportional to d^(-1/3). The number of edges
    that leave a stretch of B gates is then proportional to B^(2/3): Rent's rule with the exponent of random logic
    (Landman and Russo 1971: 0.57 to 0.75). Chains of near gates make long paths. A gate that finds too few free
    gates (the first ones, in dense graphs) takes the nearest.
    """
    gates = np.repeat(np.arange(labels.size), _inputs(labels.size, spec.num_edges // 2, rng))

    def draw(who: Numbers) -> Numbers:
        # The inverse of the distribution function is a cube, exact on every machine.
        back = np.minimum(1 / (1 - rng.random(who.size)) ** 3, labels.size).astype(np.int64)
        source = gates[who] - back
        return np.where(source < 0, -1, triangular_codes(np.stack([gates[who], source])))

    taken, left = settled(np.empty(0, np.int64), gates.size, draw)
    codes = [taken]
    for gate, wanted in zip(*np.unique(gates[left], return_counts=True), strict=True):
        first = gate * (gate - 1) // 2
        own = slice(*np.searchsorted(taken, (first, first + gate)))
        codes.append(np.setdiff1d(np.arange(first, first + gate), taken[own], assume_unique=True)[-wanted:])
    return triangular_pairs(np.concatenate(codes))


def _inputs(num_nodes: int, edges: int, rng: Generator) -> Numbers:
    """Number of inputs of each gate: as equal as possible, with at most i for gate i."""
    equal = np.arange(num_nodes)
    totals = equal * (equal + 1) // 2 + (num_nodes - 1 - equal) * equal
    inputs = int(np.searchsorted(totals, edges, side="right")) - 1
    counts = np.minimum(equal, inputs)
    counts[inputs + 1 + distinct_codes(edges - int(totals[inputs]), num_nodes - 1 - inputs, rng)] += 1
    return counts


def spatial_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once: the closest pairs of uniformly scattered points.

    This is a random geometric graph whose radius is chosen to give the number of edges. Nodes are numbered strip by
    strip, as pixels and mesh points are, so that neighbours in space are near in memory. Among equally close pairs,
    those with lower codes are taken.
    """
    edges, points = spec.num_edges // 2, scattered(labels.size, rng)
    candidates = _close_pairs(points, edges)
    distances = ((points[candidates[0]] - points[candidates[1]]) ** 2).sum(axis=1)
    codes = triangular_codes(candidates)
    farthest = np.partition(distances, edges - 1)[edges - 1]
    nearer, ties = codes[distances < farthest], np.sort(codes[distances == farthest])
    return triangular_pairs(np.concatenate([nearer, ties[: edges - nearer.size]]))


def scattered(num_nodes: int, rng: Generator) -> Numbers:
    """Random points `[num_nodes, 2]`, ordered in strips from the bottom, each strip from left to right."""
    points = rng.integers(0, SIDE, (num_nodes, 2), dtype=np.int64)
    strips = max(1, math.isqrt(num_nodes))
    return points[np.lexsort((points[:, 0], points[:, 1] * strips // SIDE))]


def _close_pairs(points: Numbers, edges: int) -> Numbers:
    """All pairs closer than some radius that gives at least `edges` of them, `[2, pairs]`."""
    from scipy.spatial import KDTree  # a machine that only measures may lack it

    num_nodes = len(points)
    tree = KDTree(points.astype(np.float64))
    # Start from the radius for points without a border, which is too small: points near it have fewer neighbours.
    radius = SIDE * math.sqrt(2 * edges / (math.pi * num_nodes * (num_nodes - 1)))
    while tree.count_neighbors(tree, radius) < num_nodes + 2 * edges:  # ordered pairs, and each point itself
        radius *= 1.03
    # Rounding could put a point on the circle on either side of it; with a slightly larger radius, none is missed.
    pairs: Numbers = tree.query_pairs(radius * (1 + 1e-9), output_type="ndarray").astype(np.int64).T
    return pairs
