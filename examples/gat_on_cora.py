"""GAT on Cora as in its paper, with self-loops and dropout 0.6 on features and attention, under edge blocks.

    python examples/gat_on_cora.py --root FOLDER

PyG downloads Cora to the folder where it is not there yet. Cora has four edges a node, so that `apply(model)` would
leave the model alone; policies are named here to show that they train as well. Attention dropout draws other masks in
blocks than in one piece, by the same law.
"""

import sys

import torch
from measured import compare, options
from torch.nn import functional as F
from torch_geometric.datasets import Planetoid
from torch_geometric.nn import GATConv
from torch_geometric.transforms import NormalizeFeatures


class GAT(torch.nn.Module):
    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.first = GATConv(num_features, 8, heads=8, dropout=0.6)
        self.second = GATConv(64, num_classes, heads=1, concat=False, dropout=0.6)

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        x = F.dropout(x, 0.6, self.training)
        x = F.elu(self.first(x, edge_index))
        x = F.dropout(x, 0.6, self.training)
        return self.second(x, edge_index)


def cora(root: str) -> Planetoid:
    try:
        return Planetoid(root, "Cora", transform=NormalizeFeatures())
    except OSError as error:  # no network, or nothing may be written there
        sys.exit(f"error: Cora is not in {root} and cannot be fetched ({error}); name its folder: --root FOLDER")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--root", default="data/Planetoid", help="folder of PyG's Planetoid data")
    asked = parser.parse_args()
    dataset = cora(asked.root)
    data = dataset[0]

    def loss_of(model: torch.nn.Module) -> torch.Tensor:
        out = model(data.x, data.edge_index)
        return F.cross_entropy(out[data.train_mask], data.y[data.train_mask])

    @torch.no_grad()
    def accuracy_of(model: torch.nn.Module) -> float:
        found = model(data.x, data.edge_index)[data.test_mask].argmax(-1)
        return (found == data.y[data.test_mask]).float().mean().item()

    compare(
        lambda: GAT(dataset.num_features, dataset.num_classes),
        loss_of,
        ("edge_blocks(2000)", "layers"),
        epochs=5 if asked.quick else 100,
        accuracy_of=accuracy_of,
        lr=0.005,
        weight_decay=5e-4,
    )


if __name__ == "__main__":
    main()
