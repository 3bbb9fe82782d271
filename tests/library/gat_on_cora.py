"""GAT on Cora as in its paper, with and without edge blocks: test accuracies of several seeds.

    python tests/library/gat_on_cora.py --root FOLDER_WITH_CORA

Attention dropout draws its masks block by block, so the two trainings differ by chance, and only by chance.
"""

from __future__ import annotations

import argparse
from statistics import mean, stdev

import torch
from torch.nn import functional as F
from torch_geometric.data import Data
from torch_geometric.datasets import Planetoid
from torch_geometric.nn import GATConv
from torch_geometric.transforms import NormalizeFeatures

from gnn_checkpointing import apply


class PaperGAT(torch.nn.Module):
    """Two layers, eight heads of eight channels, then one head; dropout 0.6 on features and on attention.

    Velickovic et al. 2018, section 3.3, transductive learning.
    """

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.first = GATConv(num_features, 8, heads=8, dropout=0.6)
        self.second = GATConv(8 * 8, num_classes, heads=1, concat=False, dropout=0.6)

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        x = F.dropout(x, 0.6, self.training)
        x = F.elu(self.first(x, edge_index))
        x = F.dropout(x, 0.6, self.training)
        return self.second(x, edge_index)


def accuracy_of(data: Data, num_classes: int, policy: str, seed: int, epochs: int) -> float:
    """The accuracy on the test nodes in the epoch with the best accuracy on the validation nodes."""
    torch.manual_seed(seed)
    model = apply(PaperGAT(data.num_features, num_classes), policy)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005, weight_decay=5e-4)
    best = (-1.0, -1.0)
    for _ in range(epochs):
        model.train()
        optimizer.zero_grad()
        out = model(data.x, data.edge_index)
        F.cross_entropy(out[data.train_mask], data.y[data.train_mask]).backward()
        optimizer.step()
        right = _right(model, data)
        found = tuple(float(right[mask].float().mean()) for mask in (data.val_mask, data.test_mask))
        best = found if found[0] > best[0] else best
    return best[1]


@torch.no_grad()
def _right(model: torch.nn.Module, data: Data) -> torch.Tensor:
    return model.eval()(data.x, data.edge_index).argmax(-1) == data.y


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, help="folder in which PyG finds or puts Planetoid's data")
    parser.add_argument("--policy", default="edge_blocks(2000)")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=200)
    asked = parser.parse_args()
    dataset = Planetoid(asked.root, "Cora", transform=NormalizeFeatures())
    found: dict[str, list[float]] = {"none": [], asked.policy: []}
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for policy, accuracies in found.items():
            accuracies.append(accuracy_of(dataset[0], dataset.num_classes, policy, seed, asked.epochs))
        print(
            f"seed {seed}: " + ", ".join(f"{policy} {values[-1]:.2%}" for policy, values in found.items()), flush=True
        )
    errors = [stdev(values) / len(values) ** 0.5 for values in found.values()]
    for (policy, values), error in zip(found.items(), errors, strict=True):
        print(f"{policy}: mean {mean(values):.2%}, standard error {error:.2%}, {len(values)} seeds")
    difference = mean(found[asked.policy]) - mean(found["none"])
    print(f"difference {difference:+.2%}, its standard error {(errors[0] ** 2 + errors[1] ** 2) ** 0.5:.2%}")


if __name__ == "__main__":
    main()
