"""Which model each policy of a cell gets, what a sparse product refuses, and how another result is seen."""

import pytest
import torch

from gnn_checkpointing.measurement.peak_memory import resident_bytes
from gnn_checkpointing.measurement.probe import StepResult, compared, step_result
from gnn_checkpointing.measurement.workload import Subject, Task, cell_task, subject_of, twin
from gnn_checkpointing.models.stack import ReversibleStack, Stack
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.design import Cell
from measurement.cells import CPU, cell_of
from synthetic.studies import small_study

REFERENCE = StepResult(2.0, (torch.tensor([3.0, 0.0]), torch.tensor([4.0])), (torch.tensor([1.0]),))


def test_equal_results_have_no_error() -> None:
    same = compared(REFERENCE, REFERENCE, 1e-5)
    assert (same.loss_error, same.gradient_error, same.buffer_error) == (0.0, 0.0, 0.0)
    assert same.same_loss and same.same_gradients and same.same_buffers


@pytest.mark.parametrize(
    ("changed", "field", "error"),
    [
        (StepResult(2.002, REFERENCE.gradients, REFERENCE.buffers), "loss", 0.001),
        # All gradients together have norm 5: a difference of 0.5 in one is a tenth.
        (StepResult(2.0, (torch.tensor([3.0, 0.5]), torch.tensor([4.0])), REFERENCE.buffers), "gradient", 0.1),
        (StepResult(2.0, REFERENCE.gradients, (torch.tensor([1.25]),)), "buffer", 0.25),
    ],
)
def test_a_difference_is_found_and_sized(changed: StepResult, field: str, error: float) -> None:
    same = compared(changed, REFERENCE, 1e-5)
    assert getattr(same, f"{field}_error") == pytest.approx(error, rel=1e-5)
    names = {"loss": "same_loss", "gradient": "same_gradients", "buffer": "same_buffers"}
    assert {name: getattr(same, name) for name in names.values()} == {name: of != field for of, name in names.items()}


def cell_and_task(aggregation: str) -> tuple[Cell, Task]:
    sizes = {"aggregations": [aggregation], "hidden_channels": 8, "norm": "batch"}
    cell, graph = cell_of(small_study(["SAGE"], grid={"num_nodes": [50]}, architecture=sizes))
    return cell, cell_task(graph, cell, CPU)


def computes_the_same(subject: Subject, reference: Subject) -> bool:
    results = []
    for one in (subject, reference):
        loss = one.forward()
        loss.backward()
        results.append(step_result(one.model, loss))
    same = compared(*results, 1e-5)
    return same.same_loss and same.same_gradients and same.same_buffers


@pytest.mark.parametrize(("policy", "kind"), [("layers", Stack), ("reversible", ReversibleStack)])
def test_a_policy_is_compared_with_its_own_model_without_saving(policy: str, kind: type) -> None:
    cell, task = cell_and_task("gather_scatter")
    subject, reference = subject_of(cell, task, policy), twin(cell, task, policy)
    assert type(subject.model) is type(reference.model) is kind
    assert reference.policy == "none"
    assert computes_the_same(subject, reference)


@pytest.mark.parametrize("policy", ["none", "layers", "segments(2)", "selective", "reversible"])
def test_a_sparse_product_is_trained_under_policies_of_layers(policy: str) -> None:
    """Resident: what every tensor weighs, the matrix by its three parts."""
    cell, task = cell_and_task("spmm")
    subject = subject_of(cell, task, policy)
    assert computes_the_same(subject, twin(cell, task, policy))
    own = [*subject.model.parameters(), *subject.model.buffers(), task.features, task.labels, task.train_nodes]
    assert subject.resident() == (resident_bytes(own) + 8 * 300 + 4 * 51, 0)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("edge_blocks", "makes no messages: there is nothing to cut into blocks"),
        ("layers+edge_blocks(100)", "makes no messages"),
        ("fused_edge_blocks", "makes no messages"),
        ("compiled", "torch.compile does not take"),
        ("memory_budget(0.5)", "torch.compile does not take"),
    ],
)
def test_what_a_sparse_product_leaves_no_room_for_is_refused(policy: str, reason: str) -> None:
    cell, task = cell_and_task("spmm")
    with pytest.raises(Refusal, match=reason):
        subject_of(cell, task, policy)
