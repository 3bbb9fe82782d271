"""Gradient checkpointing for any PyG model, and the measurement of what it does to memory and training time.

Three functions are the library: `apply` puts a policy on a model, `explain` says what it does to each layer, `remove`
takes it off.

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
    """The library's functions, imported when they are asked for: most commands need no torch."""
    if name == "__version__":
        return _version()
    if name in __all__:
        from gnn_checkpointing import checkpointing

        return getattr(checkpointing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _version() -> str:
    """The version that pyproject.toml gives; a checkout on the path has none until it is installed."""
    import importlib.metadata  # a tenth of a second, for the version alone

    try:
        return importlib.metadata.version("gnn-checkpointing")
    except importlib.metadata.PackageNotFoundError:
        return "unknown (gnn-checkpointing is not installed)"
