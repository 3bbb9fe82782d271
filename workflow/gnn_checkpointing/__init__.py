"""Gradient checkpointing for any PyG model, and measurement of its effect on memory and training time.

The library has three main functions: `apply` puts a policy on a model, `explain` shows its effect on each layer,
`remove` takes it off again.

>>> from torch_geometric.nn import GraphSAGE
>>> from gnn_checkpointing import apply, explain, remove
>>> model = apply(GraphSAGE(16, 32, num_layers=2))
>>> print(explain(model))
layer    class     policy       messages at a time  reason
convs.0  SAGEConv  edge_blocks  ?                   no batch has passed through yet
convs.1  SAGEConv  edge_blocks  ?                   no batch has passed through yet
>>> remove(model)
GraphSAGE(16, 32, num_layers=2)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnn_checkpointing.checkpointing import apply, edge_blocks, explain, remove

    __version__: str

__all__ = ["__version__", "apply", "edge_blocks", "explain", "remove"]


def __getattr__(name: str) -> Any:
    """Import the library's functions on first use, since most commands need no torch."""
    if name == "__version__":
        return _version()
    if name in __all__:
        from gnn_checkpointing import checkpointing

        return getattr(checkpointing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _version() -> str:
    """Version from pyproject.toml; a checkout that is only on the path has none until it is installed."""
    import importlib.metadata  # a tenth of a second, for the version alone

    try:
        return importlib.metadata.version("gnn-checkpointing")
    except importlib.metadata.PackageNotFoundError:
        return "unknown (gnn-checkpointing is not installed)"
