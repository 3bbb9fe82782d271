"""How well the laws of one architecture tell the bytes of others: against peaks by fake tensors, which are exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.measurement.fake_tensors import StepSizes, even_degrees, exact_peak
from gnn_checkpointing.planning import Planner
from gnn_checkpointing.study.architecture import Architecture

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
(FILE,) = ROOT.glob("report/*/default/planner.json")
PLANNER = Planner.read(FILE)
MODELS = ((2, 64, 4), (8, 32, 4), (3, 128, 8), (6, 16, 1))
GRAPHS = ((1600, 204_800), (1000, 8000))


def errors(policy: str) -> list[float]:
    """Return by how much planned peaks miss the exact ones, as shares, over models, graphs and convolutions."""
    found = []
    for layers, channels, heads in MODELS:
        for nodes, edges in GRAPHS:
            sizes = StepSizes(even_degrees(nodes, edges), PLANNER.knowledge.measured.num_features, 4, int(0.6 * nodes))
            for convolution in PLANNER.knowledge.convolutions:
                plan = PLANNER.plan(
                    num_nodes=nodes,
                    num_edges=edges,
                    convolution=convolution,
                    memory_gib=1,
                    num_layers=layers,
                    hidden_channels=channels,
                    heads=heads,
                )
                described = {
                    "convolutions": [convolution],
                    "num_layers": layers,
                    "hidden_channels": channels,
                    "heads": heads,
                }
                exact = exact_peak(
                    plan.convolution,
                    policy,
                    Architecture.model_validate(described),
                    sizes,  # type: ignore[arg-type]
                )
                found.append(plan.of(policy).peak.estimate / exact - 1)
    return found


@pytest.mark.parametrize(
    ("policy", "usual", "worst"), [("none", 0.002, 0.05), ("layers", 0.002, 0.03), ("edge_blocks", 0.03, 0.08)]
)
def test_other_layers_channels_and_heads_are_told_from_one_architecture(
    policy: str, usual: float, worst: float
) -> None:
    missed = np.abs(errors(policy))
    assert np.median(missed) <= usual
    assert missed.max() <= worst
