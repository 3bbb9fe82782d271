"""Two measurements on Cora: accuracies of GAT as in its paper under blocks, and what `apply(model)` adds to a step.

    python tests/library/on_cora.py accuracy --root FOLDER_WITH_CORA
    python tests/library/on_cora.py overhead --root FOLDER_WITH_CORA

Attention dropout draws its masks block by block, so two trainings differ by chance, and only by chance. For the
overhead, steps with and without alternate in one process: what slows the machine slows both. The ratio is that of each
pair of neighbours; its median has a bootstrap interval.
"""

import argparse
import copy
import gc
import sys
import time
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import torch
from torch.nn import functional as F
from torch_geometric.data import Data
from torch_geometric.datasets import Planetoid
from torch_geometric.nn import GAT, GCN
from torch_geometric.transforms import NormalizeFeatures

from gnn_checkpointing import apply

sys.path.append(str(Path(__file__).resolve().parents[2] / "examples"))
import gat_on_cora


def step(model: torch.nn.Module, optimizer: torch.optim.Optimizer, data: Data) -> float:
    """Train once; the seconds of it."""
    begin = time.perf_counter()
    optimizer.zero_grad()
    out = model(data.x, data.edge_index)
    F.cross_entropy(out[data.train_mask], data.y[data.train_mask]).backward()
    optimizer.step()
    return time.perf_counter() - begin


def accuracy_of(data: Data, num_classes: int, policy: str, seed: int, epochs: int = 200) -> float:
    """The accuracy on the test nodes in the epoch with the best accuracy on the validation nodes."""
    torch.manual_seed(seed)
    model = apply(gat_on_cora.GAT(data.num_features, num_classes), policy)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005, weight_decay=5e-4)
    found = []
    for _ in range(epochs):
        step(model.train(), optimizer, data)
        with torch.no_grad():
            right = (model.eval()(data.x, data.edge_index).argmax(-1) == data.y).float()
        found.append((float(right[data.val_mask].mean()), float(right[data.test_mask].mean())))
    return max(found, key=lambda pair: pair[0])[1]


def accuracy(root: str, policy: str = "edge_blocks(2000)", seeds: int = 10) -> None:
    dataset = Planetoid(root, "Cora", transform=NormalizeFeatures())
    found: dict[str, list[float]] = {"none": [], policy: []}
    for seed in range(seeds):
        for name, values in found.items():
            values.append(accuracy_of(dataset[0], dataset.num_classes, name, seed))
    errors = [stdev(values) / seeds**0.5 for values in found.values()]
    for (name, values), error in zip(found.items(), errors, strict=True):
        print(f"{name}: mean {mean(values):.2%}, standard error {error:.2%}, {seeds} seeds")
    difference = mean(found[policy]) - mean(found["none"])
    print(f"difference {difference:+.2%}, its standard error {(errors[0] ** 2 + errors[1] ** 2) ** 0.5:.2%}")


def overhead(root: str, steps: int = 500) -> None:
    dataset = Planetoid(root, "Cora")
    sizes = {"in_channels": dataset.num_features, "num_layers": 2, "out_channels": dataset.num_classes, "dropout": 0.5}
    models = {"GCN": GCN(hidden_channels=16, **sizes), "GAT": GAT(hidden_channels=64, heads=8, **sizes)}
    for name, plain in models.items():
        sides = [(m, torch.optim.Adam(m.parameters(), lr=0.005)) for m in (plain, apply(copy.deepcopy(plain)))]
        gc.disable()
        # A B, then B A: a machine that grows slower favours neither. The first twenty are left out.
        times = np.array(
            [[step(*sides[i], dataset[0]) for i in ((0, 1), (1, 0))[turn % 2]] for turn in range(steps + 20)]
        )
        gc.enable()
        times[1::2] = times[1::2, ::-1]
        ratios = (times[:, 1] / times[:, 0])[20:]
        draws = np.random.default_rng(0).choice(ratios, size=(2_000, steps))
        low, high = np.quantile(np.median(draws, axis=1), (0.025, 0.975))
        print(f"{name}: step with apply(model) / without: {np.median(ratios):.4f} ({low:.4f} to {high:.4f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["accuracy", "overhead"])
    parser.add_argument("--root", required=True, help="folder in which PyG finds or puts Planetoid's data")
    asked = parser.parse_args()
    {"accuracy": accuracy, "overhead": overhead}[asked.what](asked.root)
