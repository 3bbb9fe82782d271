"""How well the laws of one architecture tell the bytes of others: against peaks by fake tensors, which are exact."""

from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.measurement.fake_tensors import StepSizes, even_degrees, exact_peak
from gnn_checkpointing.planning import Planner
from gnn_checkpointing.study.architecture import Architecture

pytestmark = pytest.mark.slow

(FILE,) = Path(__file__).resolve().parents[2].glob("report/*/default/planner.json")
PLANNER = Planner.read(FILE)
MODELS = ((2, 64, 4), (8, 32, 4), (3, 128, 8), (6, 16, 1))
GRAPHS = ((1600, 204_800), (1000, 8000))
CASES = [(m, graph, name) for m in MODELS for graph in GRAPHS for name in PLANNER.knowledge.convolutions]


@pytest.mark.parametrize(
    ("policy", "usual", "worst"), [("none", 0.002, 0.05), ("layers", 0.002, 0.03), ("edge_blocks", 0.03, 0.08)]
)
def test_other_layers_channels_and_heads_are_told_from_one_architecture(
    policy: str, usual: float, worst: float
) -> None:
    missed = []
    for (layers, channels, heads), (nodes, edges), convolution in CASES:
        sizes = StepSizes(even_degrees(nodes, edges), PLANNER.knowledge.measured.num_features, 4, int(0.6 * nodes))
        model = {"num_layers": layers, "hidden_channels": channels, "heads": heads}
        plan = PLANNER.plan(num_nodes=nodes, num_edges=edges, convolution=convolution, memory_gib=1, **model)
        architecture = Architecture.model_validate({"convolutions": [convolution], **model})
        exact = exact_peak(convolution, policy, architecture, sizes)  # type: ignore[arg-type]
        missed.append(abs(plan.of(policy).peak.estimate / exact - 1))
    assert np.median(missed) <= usual
    assert max(missed) <= worst
