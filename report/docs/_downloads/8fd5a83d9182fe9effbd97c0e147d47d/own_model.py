"""A model of your own for `python -m gnn_checkpointing trace --module examples.own_model:build`."""

from torch import Tensor, nn
from torch_geometric.nn import SAGEConv, TransformerConv


class Mixed(nn.Module):
    """Attention over neighbours, then their mean."""

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.attend = TransformerConv(num_features, 16, heads=2)
        self.average = SAGEConv(32, num_classes)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.average(self.attend(x, edge_index).relu(), edge_index)


def build(num_features: int, num_classes: int) -> nn.Module:
    """The model, as the pipeline asks for it."""
    return Mixed(num_features, num_classes)


if __name__ == "__main__":
    import torch

    from gnn_checkpointing import apply, explain

    model = apply(build(32, 4), "edge_blocks")
    model(torch.randn(1000, 32), torch.randint(1000, (2, 50_000))).sum().backward()
    print(explain(model))
