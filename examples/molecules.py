"""Molecules: GINE with features of bonds and BatchNorm, on batches of small graphs.

    python examples/molecules.py

A molecule has about two bonds an atom. On so sparse a graph `auto` leaves the layers alone: to recompute messages would
save little. `edge_blocks` shows how little, and that BatchNorm counts each batch once.
"""

import torch
from measured import compare, options
from torch import nn
from torch.nn import functional as F
from torch_geometric.data import Batch, Data
from torch_geometric.nn import GINEConv, global_add_pool

ATOMS, BONDS, CHANNELS = 6, 3, 128


class GINE(nn.Module):
    def __init__(self, num_layers: int) -> None:
        super().__init__()
        self.atom, self.bond = nn.Embedding(ATOMS, CHANNELS), nn.Embedding(BONDS, CHANNELS)
        self.convs = nn.ModuleList()
        for _ in range(num_layers):
            perceptron = nn.Sequential(
                nn.Linear(CHANNELS, CHANNELS), nn.BatchNorm1d(CHANNELS), nn.ReLU(), nn.Linear(CHANNELS, CHANNELS)
            )
            self.convs.append(GINEConv(perceptron, train_eps=True))
        self.head = nn.Linear(CHANNELS, 1)

    def forward(self, batch: Batch) -> torch.Tensor:
        x, bonds = self.atom(batch.x), self.bond(batch.edge_attr)
        for conv in self.convs:
            x = conv(x, batch.edge_index, bonds).relu()
        return self.head(global_add_pool(x, batch.batch)).squeeze(-1)


def molecule(draw: torch.Generator) -> Data:
    """A random tree of atoms with a ring; a stand-in for a solubility: bonds of kind 2 at atoms of kind 0."""
    num_atoms = int(torch.randint(12, 30, (1,), generator=draw))
    child = torch.arange(1, num_atoms)
    parent = (torch.rand(num_atoms - 1, generator=draw) * child).long()
    ends = torch.cat([torch.stack([parent, child]), torch.tensor([[0], [num_atoms - 1]])], dim=1)
    kinds = torch.randint(BONDS, (ends.size(1),), generator=draw)
    x = torch.randint(ATOMS, (num_atoms,), generator=draw)
    y = ((kinds == 2) & ((x[ends] == 0).any(dim=0))).sum() / 3
    edge_index = torch.cat([ends, ends.flip(0)], dim=1)
    return Data(x=x, edge_index=edge_index, edge_attr=kinds.repeat(2), y=y[None])


def main() -> None:
    quick = options(__doc__).parse_args().quick
    draw = torch.Generator().manual_seed(0)
    batch = Batch.from_data_list([molecule(draw) for _ in range(100 if quick else 500)])
    compare(
        lambda: GINE(num_layers=4),
        lambda model: F.mse_loss(model(batch), batch.y),
        ("auto", "edge_blocks"),
        epochs=3 if quick else 12,
        lr=0.003,
    )


if __name__ == "__main__":
    main()
