"""Cost of counting a graph's ego-network encodings, separate from any training: seconds and peak bytes."""

import gc
import time
import tracemalloc

from gnn_checkpointing.graphs.ego import Encodings, edge_encodings, node_encodings, surroundings
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.records.graph_facts import EncodingCost

_TIMES = 3


def encoding_cost(graph: Graph, radius: int) -> EncodingCost:
    """Count the encodings of nodes and edges several times for the seconds, and once more for the peak bytes.

    The peak covers all memory that numpy and Python hold, including both complete encodings, according to tracemalloc;
    scipy's arrays are numpy arrays.
    """

    def encodings() -> tuple[Encodings, Encodings]:
        around = surroundings(graph.edge_index, graph.num_nodes, radius)
        return node_encodings(around), edge_encodings(around, graph.edge_index)

    seconds = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        nodes, edges = encodings()
        seconds.append(time.perf_counter() - start)
    sizes = {
        "node_kinds": len(nodes.kinds),
        "edge_kinds": len(edges.kinds),
        "node_counts": int(nodes.counts.nnz),
        "edge_counts": int(edges.counts.nnz),
    }
    del nodes, edges
    gc.collect()
    tracemalloc.start()
    try:
        encodings()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return EncodingCost(
        graph=graph.id,
        label=graph.label,
        num_nodes=graph.num_nodes,
        num_edges=graph.num_edges,
        average_degree=graph.average_degree,
        radius=radius,
        seconds=min(seconds),
        peak_bytes=peak,
        **sizes,
    )
