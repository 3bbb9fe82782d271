"""What gradient checkpointing does to memory and throughput of GNNs, measured; and the policies, for any PyG model.

>>> from torch_geometric.nn import GraphSAGE
>>> from gnn_checkpointing import apply, explain, remove
>>> model = apply(GraphSAGE(16, 32, num_layers=2))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnn_checkpointing.checkpointing import apply, edge_blocks, explain, remove

__version__ = "0.1.0"

__all__ = ["apply", "edge_blocks", "explain", "remove"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The library's functions, imported when they are asked for: most commands need no torch."""
    if name in __all__:
        from gnn_checkpointing import checkpointing

        return getattr(checkpointing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
