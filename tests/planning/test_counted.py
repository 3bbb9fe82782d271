"""Closed forms as a planner's laws say what the forms say, and what a step on fake tensors takes."""

import numpy as np
import pytest

from gnn_checkpointing.analysis.laws.counts import FORMS, value
from gnn_checkpointing.measurement.fake_tensors import StepSizes, even_degrees, exact_peak
from gnn_checkpointing.planning.arithmetic import AtOnce, Step
from gnn_checkpointing.planning.arithmetic import value as planned_value
from gnn_checkpointing.planning.counted import counted_pieces
from gnn_checkpointing.planning.knowledge import PlannedLaw, Sizes
from gnn_checkpointing.study.architecture import Architecture
from synthetic.planner import law

from .published import planner

MEASURED = Sizes(num_layers=3, hidden_channels=32, heads=4, num_features=16)
CASES = (((4, 64, 8, 16), (1000, 500)), ((6, 32, 1, 64), (1000, 12_000)), ((2, 64, 8, 3000), (3000, 60_000)))
COUNTED = sorted(key for key in FORMS if key[2] == "activation_bytes")


@pytest.mark.parametrize(("convolution", "policy", "response"), COUNTED)
def test_every_term_grows_with_the_letters_that_it_counts(convolution: str, policy: str, response: str) -> None:
    """A layer of 7,000 edges in blocks of 5,000: the larger of 5,000 edges, and 2,000 beside the sums of the first."""
    forms = FORMS[convolution, policy, response]
    made = PlannedLaw.model_validate(law()).model_copy(update={"pieces": counted_pieces(forms, MEASURED, 4)})
    sizes = MEASURED.model_copy(update={"num_layers": 5, "heads": 8, "num_features": 300})
    letters = {
        "N": 1000,
        "E": 7000,
        "L": 5,
        "F": 32,
        "H": 8,
        "M": 300,
        "C": 4,
        "Q": 900,
        "P": 300,
        "U": 700,
        "V": 200,
        "W": 1000,
    }
    instants = ({**letters, "K": 5000, "S": 0}, {**letters, "K": 2000, "S": 1})
    expected = max(value(form, instant) for form in forms for instant in instants)
    found = planned_value(made, Step(1000, 7000, sizes), AtOnce(5000, 2000, (900, 700), (300, 200)), 32)
    assert found == pytest.approx(expected, abs=4 * 32)  # a bias is there with and without a second block


@pytest.mark.slow
def test_bytes_of_other_models_sparse_graphs_and_wide_features_are_told_to_the_percent() -> None:
    """Against fake tensors, outside of all that was measured: SAGE's blocks were told 3.3 times too high there."""
    missed = []
    for study, convolution in (("prediction", "SAGE"), ("prediction", "GATv2"), ("frontier", "GAT"), ("ego", "GIN")):
        for policy in ("none", "layers", "edge_blocks"):
            for (layers, channels, heads, features), (nodes, edges) in CASES:
                model = {"num_layers": layers, "hidden_channels": channels, "heads": heads}
                graph = {"num_nodes": nodes, "num_edges": edges, "num_features": features}
                found = planner(study).plan(**graph, **model, convolution=convolution, memory_gib=1).of(policy).peak
                sizes = StepSizes(even_degrees(nodes, edges), features, 4, int(0.6 * nodes))
                architecture = Architecture.model_validate({"convolutions": [convolution], **model})
                exact = exact_peak(convolution, policy, architecture, sizes)  # type: ignore[arg-type]
                missed.append(abs(found.estimate / exact - 1))
                assert missed[-1] <= (0.02 if policy == "edge_blocks" and features > 1000 else 0.01)
                assert found.low <= exact <= found.high, (convolution, policy, layers, features, nodes, edges)
    assert len(missed) == 36
    assert np.median(missed) <= 0.003
