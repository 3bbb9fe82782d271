"""Small studies, and studies with one value changed."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.study import Study

ROOT = Path(__file__).resolve().parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
VISION: dict[str, Any] = yaml.safe_load((ROOT / "workflow/studies/vision.yaml").read_text())
OWN: dict[str, Any] = yaml.safe_load((ROOT / "workflow/studies/own.yaml").read_text())
USERS_MODEL = """
from torch import nn
from torch_geometric.nn import SAGEConv


class Mine(nn.Module):
    def __init__(self, features, classes):
        super().__init__()
        self.one, self.two = SAGEConv(features, 8), SAGEConv(8, classes)

    def forward(self, x, edge_index):
        return self.two(self.one(x, edge_index).relu(), edge_index)


def build(features, classes):
    return Mine(features, classes)
"""
"""Source of a model as a user writes it: 8 channels wide, made by `build`."""


def small_study(*asked: Any, **changes: Any) -> Study:
    return parse_study(small_values(*asked, **changes), "test")


def small_values(
    convolutions: Sequence[str] = ("GATv2",),
    policies: Sequence[str] = ("none", "layers"),
    grid: Mapping[str, Any] | None = None,
    architecture: Mapping[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Three layers of 16 channels on 60 nodes of degree 6; `grid` and `architecture` override single keys."""
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
    return {**values, **changes}


def changed(study: Any, key: str | tuple[Any, ...], value: Any) -> Any:
    """A study's values with one changed at a key, such as graphs.generated.0.homophily; the key may be new."""
    made = node = copy.deepcopy(study)
    *parts, last = [
        int(part) if str(part).isdigit() else part for part in (key.split(".") if isinstance(key, str) else key)
    ]
    for part in parts:
        node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
    node[last] = value
    return made
