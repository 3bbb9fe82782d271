"""GPS: local messages with features of edges and global attention, side by side in each layer.

    python examples/gps.py

`apply` wraps the local layers; the attention over all pairs of nodes is PyTorch's own and stays as it is.
"""

import torch
from measured import compare, options
from torch import nn
from torch.nn import functional as F
from torch_geometric.nn import GINEConv, GPSConv, global_add_pool

CHANNELS = 64


class GPS(nn.Module):
    def __init__(self, num_features: int, num_layers: int) -> None:
        super().__init__()
        self.encoder, self.edge_encoder = nn.Linear(num_features, CHANNELS), nn.Linear(1, CHANNELS)
        self.convs = nn.ModuleList()
        for _ in range(num_layers):
            perceptron = nn.Sequential(nn.Linear(CHANNELS, CHANNELS), nn.ReLU(), nn.Linear(CHANNELS, CHANNELS))
            self.convs.append(GPSConv(CHANNELS, GINEConv(perceptron), heads=4, dropout=0.1))
        self.head = nn.Linear(CHANNELS, 1)

    def forward(self, x, edge_index, edge_attr, batch) -> torch.Tensor:
        x, edge_attr = self.encoder(x), self.edge_encoder(edge_attr)
        for conv in self.convs:
            x = conv(x, edge_index, batch, edge_attr=edge_attr)
        return self.head(global_add_pool(x, batch)).squeeze(-1) / 100


def point_clouds(num_graphs: int, num_points: int) -> dict[str, torch.Tensor]:
    """Graphs of points in a ball, an edge to every point within 0.7; the radius of the cloud is to be found."""
    draw = torch.Generator().manual_seed(0)
    radius = 0.5 + torch.rand(num_graphs, 1, 1, generator=draw)
    places = radius * torch.rand(num_graphs, num_points, 3, generator=draw)
    distance = torch.cdist(places, places)
    near = (distance < 0.7) & ~torch.eye(num_points, dtype=torch.bool)
    graph, source, destination = near.nonzero(as_tuple=True)
    return {
        "x": torch.randn(num_graphs * num_points, 8, generator=draw),
        "edge_index": torch.stack([graph * num_points + source, graph * num_points + destination]),
        "edge_attr": distance[near][:, None],
        "batch": torch.arange(num_graphs).repeat_interleave(num_points),
        "y": radius.ravel(),
    }


def main() -> None:
    quick = options(__doc__).parse_args().quick
    graphs = point_clouds(*((4, 50) if quick else (12, 120)))
    y = graphs.pop("y")
    compare(
        lambda: GPS(8, num_layers=2 if quick else 4),
        lambda model: F.mse_loss(model(**graphs), y),
        ("auto", "edge_blocks"),
        epochs=3 if quick else 8,
        lr=0.001,
    )


if __name__ == "__main__":
    main()
