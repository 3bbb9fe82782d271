"""GraphSAGE on sampled neighbours: each layer is called on a pair of source and destination nodes.

    python examples/sage_on_sampled_pairs.py

Communities are the labels. Numpy samples neighbours; PyG's NeighborLoader gives such batches, too, and needs pyg-lib.
"""

import numpy as np
import torch
from measured import compare, options
from torch.nn import functional as F
from torch_geometric.nn import SAGEConv

Step = tuple[torch.Tensor, torch.Tensor]
NEIGHBOURS = (20, 20)  # drawn for each node of the last layer, and of the first


class SampledSAGE(torch.nn.Module):
    def __init__(self, num_features: int, hidden: int, num_classes: int) -> None:
        super().__init__()
        self.convs = torch.nn.ModuleList([SAGEConv(num_features, hidden), SAGEConv(hidden, hidden)])
        self.head = torch.nn.Linear(hidden, num_classes)

    def forward(self, x: torch.Tensor, steps: list[Step]) -> torch.Tensor:
        """`steps`: for each layer the rows of `x` that are its destinations, and edges `[2, num_edges]` to them."""
        for conv, (destinations, edge_index) in zip(self.convs, steps, strict=True):
            x = conv((x, x[destinations]), edge_index).relu()
        return self.head(x)


def communities(num_nodes: int, degree: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and for each node `degree` neighbours, three of four from its own community `[num_nodes, degree]`."""
    labels = np.arange(num_nodes) % 5
    neighbours = draw.integers(num_nodes // 5, size=(num_nodes, degree)) * 5
    own = draw.random((num_nodes, degree)) < 0.75
    return labels, neighbours + np.where(own, labels[:, None], draw.integers(5, size=(num_nodes, degree)))


def sampled(nodes: np.ndarray, neighbours: np.ndarray, draw: np.random.Generator) -> tuple[torch.Tensor, list[Step]]:
    """The nodes that the first layer reads, and a step for each layer, outermost first."""
    steps: list[Step] = []
    for size in NEIGHBOURS:
        chosen = draw.integers(neighbours.shape[1], size=(len(nodes), size))
        sources = np.take_along_axis(neighbours[nodes], chosen, axis=1).ravel()
        wider, places = np.unique(np.concatenate([nodes, sources]), return_inverse=True)
        edges = np.stack([places[len(nodes) :], np.repeat(np.arange(len(nodes)), size)])
        steps.insert(0, (torch.from_numpy(places[: len(nodes)]), torch.from_numpy(edges)))
        nodes = wider
    return torch.from_numpy(nodes), steps


def main() -> None:
    quick = options(__doc__).parse_args().quick
    draw = np.random.default_rng(0)
    labels, neighbours = communities(2_000 if quick else 20_000, 60, draw)
    x = torch.from_numpy(draw.normal(size=(len(labels), 64)) + np.eye(64)[labels]).float()
    y = torch.from_numpy(labels)

    def batch_of(seeds: np.ndarray) -> tuple:
        nodes, steps = sampled(seeds, neighbours, draw)
        return x[nodes], steps, y[seeds]

    order = draw.permutation(len(labels))
    batches = [batch_of(order[first : first + 512]) for first in (512, 1024)]
    held_out = batch_of(order[:512])

    def loss_of(model: torch.nn.Module) -> torch.Tensor:
        return sum(F.cross_entropy(model(*batch), wanted) for *batch, wanted in batches)

    @torch.no_grad()
    def accuracy_of(model: torch.nn.Module) -> float:
        return (model(*held_out[:2]).argmax(-1) == held_out[2]).float().mean().item()

    compare(lambda: SampledSAGE(64, 128, 5), loss_of, ("auto",), 3 if quick else 30, accuracy_of, lr=0.01)


if __name__ == "__main__":
    main()
