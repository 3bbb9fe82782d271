"""Knowledge of two policies whose numbers can be worked out by hand."""

from typing import Any

from gnn_checkpointing.planning.knowledge import Knowledge

MIB = 2**20


def law(*pieces: dict[str, dict[str, float]], half_width: float = 0.0, **changes: Any) -> dict[str, Any]:
    """A law on 100 to 1,000 nodes and 1,000 to 100,000 edges."""
    return {
        "link": "sum",
        "pieces": list(pieces),
        "factor": {"rest": 1.0},
        "knee": None,
        "half_width": half_width,
        "num_nodes": (100, 1000),
        "num_edges": (1000, 100_000),
        **changes,
    }


STORED = {
    "convolution": "GATv2",
    "policy": "none",
    "self_loops": False,
    "reads_features": False,
    # Per edge 10 bytes x layers x channels and 4 bytes x channels: 192 with 2 layers of 8 channels.
    "activation": law({"edges": {"layer_channels": 10.0, "channels": 4.0}}),
    "seconds": law({"edges": {"layer_channels": 1e-9}}, half_width=0.1),
    "resident": {"parameters": 1.0, "per_node": 8.0, "per_feature": 4.0, "per_edge": 16.0},
    "blocks": None,
}
BLOCKED = {
    **STORED,
    "policy": "edge_blocks",
    "activation": law({"nodes": {"channels": 100.0}, "edges_at_once": {"channels": 20.0}}, half_width=0.25),
    "seconds": law({"edges": {"layer_channels": 2e-9}}, half_width=0.2),
    "blocks": {"edges_per_node": 8, "smallest_bytes": 32 * 1000, "largest_bytes": 32 * 100_000, "edges": None},
}


def knowledge(*policies: dict[str, Any], **changes: Any) -> Knowledge:
    """Knowledge of GATv2 with 2 layers of 8 channels and 2 heads."""
    limits = [
        {"size": "num_nodes", "low": 100, "high": 1000, "warning": "Nodes."},
        {"size": "num_layers", "low": 2, "high": 2, "warning": "Layers."},
    ]
    values = {
        "hardware": "here",
        "machine": "Here",
        "study": "test",
        "confidence": 0.95,
        "measured": {"num_layers": 2, "hidden_channels": 8, "heads": 2, "num_features": 5},
        "limits": limits,
        "graphs": [{"label": "Karate", "num_nodes": 34, "num_edges": 156}],
        "policies": list(policies or (STORED, BLOCKED)),
    }
    return Knowledge.model_validate(values | changes)
