"""Small studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.study import Study


def small_study(
    convolutions: Sequence[str] = ("GATv2",),
    policies: Sequence[str] = ("none", "layers"),
    grid: Mapping[str, Any] | None = None,
    architecture: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Study:
    """Three layers of 16 channels on 60 nodes of degree 6; `grid` and `architecture` change their own keys alone."""
    whole_grid = {"family": "erdos_renyi", "num_nodes": [60], "average_degrees": [6], **(grid or {})}
    sizes = {"convolutions": list(convolutions), "num_layers": 3, "hidden_channels": 16, **(architecture or {})}
    values = {
        "name": "test",
        "title": "Test",
        "seed": 3,
        "graphs": {"generated": [whole_grid]},
        "architecture": sizes,
        "policies": list(policies),
    }
    return parse_study({**values, **changes}, "test")
