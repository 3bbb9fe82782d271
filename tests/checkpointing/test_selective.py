"""`selective`: matrix products are computed once and kept; where PyTorch does not allow it, a refusal says so."""

import pytest
import torch
from small_models import CONVOLUTIONS, FEATURES, NODE_MAP, NODES, adjacency, built, bytes_of, loss_of, stepped
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch_geometric.nn import GatedGraphConv, GINConv, SimpleConv, aggr

from gnn_checkpointing.checkpointing import apply, selective
from gnn_checkpointing.measurement.sameness import compared
from gnn_checkpointing.refusal import Refusal

GATHERED = torch.ops.aten.index_select.default
SCATTERS = [torch.ops.aten.scatter_add_.default, torch.ops.aten.scatter_reduce_.two]


class Counted(TorchDispatchMode):
    """Counts the operators that are really run."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[object, int] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.runs[function] = self.runs.get(function, 0) + 1
        return function(*args, **(kwargs or {}))

    @property
    def products(self) -> int:
        return sum(self.runs.get(operator, 0) for operator in selective.KEPT)


def counted(convolution: str, policy: str) -> Counted:
    model, graph = built(convolution, policy), adjacency(convolution)
    with Counted() as count:
        loss_of(model, graph).backward()
    return count


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
@pytest.mark.parametrize("options", [{}, {"norm": "batch"}, {"dropout": 0.5}], ids=str)
def test_loss_gradients_and_buffers_are_those_of_none(convolution: str, options: dict[str, object]) -> None:
    """PyTorch allows it for all seven convolutions; bit for bit the same, and BatchNorm is updated once."""
    graph = adjacency(convolution)
    reference = stepped(built(convolution, "none", **options), graph, steps=2)
    same = compared(stepped(built(convolution, "selective", **options), graph, steps=2), reference, 1e-5)
    assert (same.loss_error, same.gradient_error, same.buffer_error) == (0, 0, 0)


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_matrix_products_run_once_and_gathers_twice(convolution: str) -> None:
    """As many products as without checkpointing, where `layers` runs those of the forward pass again."""
    plain, kept, layers = (counted(convolution, policy) for policy in ("none", "selective", "layers"))
    assert kept.products == plain.products < layers.products
    assert kept.runs[GATHERED] == layers.runs[GATHERED] > plain.runs[GATHERED]


@pytest.mark.parametrize(("convolution", "products"), [("GCN", 1), ("SAGE", 2), ("GAT", 1), ("GATv2", 2)])
def test_what_is_held_is_what_layers_holds_and_the_products(convolution: str, products: int) -> None:
    """A product of nodes is one node map; 4 layers of them."""
    graph = adjacency(convolution)
    extra = bytes_of(built(convolution, "selective"), graph).saved - bytes_of(built(convolution, "layers"), graph).saved
    assert extra == 4 * products * NODE_MAP


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_pygs_aggregation_cannot_be_kept_because_it_scatters_in_place(
    convolution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selective, "KEPT", [*selective.KEPT, torch.ops.aten.new_zeros.default, *SCATTERS])
    loss = loss_of(built(convolution, "selective"), adjacency(convolution))
    with pytest.raises(Refusal, match="Conv changes a kept result in place"):
        loss.backward()


@pytest.mark.parametrize(
    "layer",
    [
        GINConv(nn.Sequential(nn.Linear(8, 8), nn.ReLU(inplace=True), nn.Linear(8, 8))),
        GatedGraphConv(8, num_layers=2),  # PyTorch does not notice what a GRU cell changes, and trains it wrongly
        SimpleConv(aggr.LCMAggregation(8, 8)),
    ],
    ids=["ReLU", "GRU", "GRU in an aggregation"],
)
def test_a_product_changed_in_place_is_refused_by_the_first_step(layer: nn.Module) -> None:
    edges = adjacency("GIN").edge_index
    edges = edges[:, edges[1].argsort(stable=True)]
    with pytest.raises(Refusal, match=f"policy selective: {type(layer).__name__} changes a kept result in place"):
        apply(layer, "selective")(FEATURES, edges).sum().backward()


def test_a_model_without_layers_is_refused() -> None:
    with pytest.raises(Refusal, match="policy selective: Linear has neither"):
        apply(nn.Linear(NODES, 2), "selective")
