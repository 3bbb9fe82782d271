"""Slow substitutes for the operators of pyg-lib that some convolutions need, in case it is not installed."""

import itertools

import torch
import torch_geometric.typing
from torch import Tensor
from torch_geometric.nn.conv import spline_conv

_LIBRARY: list[torch.library.Library] = []


def stand_in_for_pyg_lib() -> None:
    """Define `torch.ops.pyg.knn` and the two spline functions unless pyg-lib is installed."""
    if not torch_geometric.typing.WITH_KNN:
        _LIBRARY.append(torch.library.Library("pyg", "FRAGMENT"))
        _LIBRARY[0].define("knn(Tensor x, Tensor y, Tensor? p, Tensor? q, int k, bool cosine, int workers) -> Tensor")
        _LIBRARY[0].impl("knn", _nearest, "CompositeExplicitAutograd")
        torch_geometric.typing.WITH_KNN = True
    if spline_conv.spline_basis is None:
        spline_conv.spline_basis = _spline_basis
        spline_conv.spline_weighting = _spline_weighting


def _nearest(x: Tensor, y: Tensor, p: Tensor | None, q: Tensor | None, k: int, cosine: bool, workers: int) -> Tensor:
    """Indices `[2, k * len(y)]`: rows of `y`, and for each the nearest rows of `x`; all points are of one example."""
    assert p is None and q is None and not cosine
    nearest = torch.cdist(y.detach(), x.detach()).argsort(dim=1, stable=True)[:, :k]
    return torch.stack([torch.arange(len(y)).repeat_interleave(nearest.shape[1]), nearest.flatten()])


def _spline_basis(pseudo: Tensor, kernel_size: Tensor, is_open: Tensor, degree: int) -> tuple[Tensor, Tensor]:
    """Weights and places `[num_edges, 2^dim]` of the linear, open B-spline basis."""
    assert degree == 1 and bool(is_open.all())
    position = pseudo * (kernel_size - 1)
    below = torch.minimum(position.floor().long(), kernel_size - 2)
    part = position - below
    strides = torch.cat([kernel_size.new_ones(1), kernel_size.cumprod(0)[:-1]])
    weights, places = [], []
    for corner in itertools.product((0, 1), repeat=pseudo.shape[1]):
        upper = torch.tensor(corner)
        weights.append(torch.where(upper.bool(), part, 1 - part).prod(dim=1))
        places.append(((below + upper) * strides).sum(dim=1))
    return torch.stack(weights, dim=1), torch.stack(places, dim=1)


def _spline_weighting(x: Tensor, weight: Tensor, basis: Tensor, places: Tensor) -> Tensor:
    return torch.einsum("ei,es,esio->eo", x, basis, weight[places])
