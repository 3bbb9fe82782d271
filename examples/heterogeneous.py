"""A heterogeneous graph: `to_hetero` makes a layer for each type of edge, and `apply` wraps each of them.

    python examples/heterogeneous.py

Users rate films; the genre that a user likes best is the label.
"""

import torch
import torch_geometric.transforms as T
from measured import compare, options
from torch.nn import functional as F
from torch_geometric.data import HeteroData
from torch_geometric.nn import GATConv, SAGEConv, to_hetero


class TwoLayers(torch.nn.Module):
    """SAGE, then attention; -1 is for the channels of each type, known from the first batch."""

    def __init__(self, hidden: int, num_classes: int) -> None:
        super().__init__()
        self.first = SAGEConv((-1, -1), hidden)
        self.second = GATConv((-1, -1), num_classes, add_self_loops=False)

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x, edge_index).relu(), edge_index)


def ratings(num_users: int, num_films: int, rated: int, num_genres: int = 4) -> HeteroData:
    """Each user rates `rated` films, half of them of the favourite genre."""
    draw = torch.Generator().manual_seed(0)
    favourite = torch.randint(num_genres, (num_users,), generator=draw)
    genre = torch.arange(num_films) % num_genres
    film = torch.randint(num_films // num_genres, (num_users, rated), generator=draw) * num_genres
    any_genre = torch.randint(num_genres, film.shape, generator=draw)
    film += torch.where(torch.rand(film.shape, generator=draw) < 0.5, favourite[:, None], any_genre)
    data = HeteroData()
    data["user"].x, data["user"].y = torch.randn(num_users, 16, generator=draw), favourite
    data["film"].x = F.one_hot(genre).float() + 0.3 * torch.randn(num_films, num_genres, generator=draw)
    users = torch.arange(num_users).repeat_interleave(rated)
    data["user", "rates", "film"].edge_index = torch.stack([users, film.ravel()])
    return T.ToUndirected()(data)


def main() -> None:
    quick = options(__doc__).parse_args().quick
    data = ratings(*((400, 100, 60) if quick else (3_000, 400, 60)))
    train = torch.rand(data["user"].num_nodes, generator=torch.Generator().manual_seed(1)) < 0.5
    y = data["user"].y

    def make_model() -> torch.nn.Module:
        model = to_hetero(TwoLayers(64, 4), data.metadata())
        with torch.no_grad():
            model(data.x_dict, data.edge_index_dict)  # the lazy weights get their shapes
        return model

    def loss_of(model: torch.nn.Module) -> torch.Tensor:
        return F.cross_entropy(model(data.x_dict, data.edge_index_dict)["user"][train], y[train])

    @torch.no_grad()
    def accuracy_of(model: torch.nn.Module) -> float:
        found = model(data.x_dict, data.edge_index_dict)["user"][~train].argmax(-1)
        return (found == y[~train]).float().mean().item()

    compare(make_model, loss_of, ("auto", "edge_blocks"), 3 if quick else 15, accuracy_of, lr=0.01)


if __name__ == "__main__":
    main()
