"""What `apply(model)` adds to a training step on Cora, where `auto` leaves the layers as they are.

    python tests/library/overhead_on_cora.py --root FOLDER_WITH_CORA

Steps with and without alternate in one process, so that whatever else slows the machine slows both. The ratio is that
of each pair of neighbours; its median has a bootstrap interval.
"""

from __future__ import annotations

import argparse
import copy
import gc
import time

import numpy as np
import torch
from torch.nn import functional as F
from torch_geometric.data import Data
from torch_geometric.datasets import Planetoid
from torch_geometric.nn import GAT, GCN

from gnn_checkpointing import apply


def ratios(plain: torch.nn.Module, data: Data, steps: int) -> np.ndarray:
    """Seconds of a step with `apply(model)`, divided by those of the step without that came just before or after it."""
    wrapped = apply(copy.deepcopy(plain))
    sides = [(model, torch.optim.Adam(model.parameters(), lr=0.005)) for model in (plain, wrapped)]
    for _ in range(20):
        for side in sides:
            _seconds(*side, data)
    gc.disable()
    found = []
    for step in range(steps):
        # A B, then B A: a machine that grows slower favours neither.
        first, second = sides if step % 2 == 0 else sides[::-1]
        pair = [_seconds(*first, data), _seconds(*second, data)]
        without, with_auto = pair if step % 2 == 0 else pair[::-1]
        found.append(with_auto / without)
    gc.enable()
    return np.array(found)


def _seconds(model: torch.nn.Module, optimizer: torch.optim.Optimizer, data: Data) -> float:
    begin = time.perf_counter()
    optimizer.zero_grad()
    out = model(data.x, data.edge_index)
    F.cross_entropy(out[data.train_mask], data.y[data.train_mask]).backward()
    optimizer.step()
    return time.perf_counter() - begin


def interval(values: np.ndarray, draws: int = 2_000) -> tuple[float, float]:
    """The 95 % bootstrap interval of the median."""
    generator = np.random.default_rng(0)
    medians = np.median(generator.choice(values, size=(draws, len(values))), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, help="folder in which PyG finds or puts Planetoid's data")
    parser.add_argument("--steps", type=int, default=500)
    asked = parser.parse_args()
    dataset = Planetoid(asked.root, "Cora")
    sizes = {"in_channels": dataset.num_features, "num_layers": 2, "out_channels": dataset.num_classes, "dropout": 0.5}
    models = {"GCN": GCN(hidden_channels=16, **sizes), "GAT": GAT(hidden_channels=64, heads=8, **sizes)}
    for name, model in models.items():
        found = ratios(model, dataset[0], asked.steps)
        low, high = interval(found)
        median = float(np.median(found))
        print(f"{name}: step with apply(model) / without: {median:.4f} ({low:.4f} to {high:.4f}), {len(found)} pairs")


if __name__ == "__main__":
    main()
