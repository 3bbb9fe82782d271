"""DeepGCN with GENConv, softmax aggregation and edge features, on a dense graph of distances.

python examples/deepgcn.py
"""

import torch
from measured import compare, options
from torch.nn import functional as F
from torch_geometric.nn import DeepGCNLayer, GENConv

CHANNELS, EDGE_FEATURES = 32, 8


class DeepGCN(torch.nn.Module):
    """As in PyG's example for ogbn-proteins, with fewer layers."""

    def __init__(self, num_features: int, num_layers: int) -> None:
        super().__init__()
        self.node_encoder = torch.nn.Linear(num_features, CHANNELS)
        self.edge_encoder = torch.nn.Linear(EDGE_FEATURES, CHANNELS)
        self.layers = torch.nn.ModuleList()
        for _ in range(num_layers):
            conv = GENConv(CHANNELS, CHANNELS, aggr="softmax", t=1.0, learn_t=True, num_layers=2, norm="layer")
            norm = torch.nn.LayerNorm(CHANNELS)
            self.layers.append(DeepGCNLayer(conv, norm, torch.nn.ReLU(), block="res+", dropout=0.1))
        self.head = torch.nn.Linear(CHANNELS, 1)

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor, edge_attr: torch.Tensor) -> torch.Tensor:
        x, edge_attr = self.node_encoder(x), self.edge_encoder(edge_attr)
        x = self.layers[0].conv(x, edge_index, edge_attr)
        for layer in self.layers[1:]:
            x = layer(x, edge_index, edge_attr)
        return self.head(self.layers[0].act(self.layers[0].norm(x))).squeeze(-1)


def main() -> None:
    quick = options(__doc__).parse_args().quick
    num_nodes, degree = (500, 40) if quick else (2_000, 64)
    draw = torch.Generator().manual_seed(0)
    places = torch.rand(num_nodes, 3, generator=draw)
    sources = torch.randint(num_nodes, (num_nodes * degree,), generator=draw)
    edge_index = torch.stack([sources, torch.arange(num_nodes).repeat_interleave(degree)])
    distance = (places[edge_index[0]] - places[edge_index[1]]).norm(dim=-1, keepdim=True)
    edge_attr = torch.exp(-8 * (distance - torch.linspace(0, 1.5, EDGE_FEATURES)) ** 2)
    # What is asked for is each node's distance to the middle, of which only the edges know something.
    x, y = torch.randn(num_nodes, 8, generator=draw), (places - 0.5).norm(dim=-1)

    compare(
        lambda: DeepGCN(8, num_layers=3 if quick else 6),
        lambda model: F.mse_loss(model(x, edge_index, edge_attr), y),
        ("auto",),
        epochs=3 if quick else 8,
        lr=0.005,
    )


if __name__ == "__main__":
    main()
