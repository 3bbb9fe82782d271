"""The demonstrated step: three layers of mean aggregation on a random graph, about 350 MiB for a third of a second."""

from __future__ import annotations

import json
import time

import torch
from torch import Tensor, nn

from gnn_checkpointing.measurement.high_water import give_freed_memory_back, reset_high_water, status_bytes
from gnn_checkpointing.measurement.peak_memory import step_bytes

_NODES, _DEGREE, _CHANNELS, _LAYERS = 2_000, 200, 64, 3


class _MeanLayer(nn.Module):
    """SAGE: a linear map of the node and one of the mean of its neighbours (Hamilton et al., 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.own, self.neighbours = nn.Linear(_CHANNELS, _CHANNELS), nn.Linear(_CHANNELS, _CHANNELS)

    def forward(self, x: Tensor, source: Tensor, destination: Tensor) -> Tensor:
        """Map `x` `[nodes, channels]` to the same shape; every node has the same number of neighbours."""
        mean = torch.zeros_like(x).index_add(0, destination, x.index_select(0, source)) / _DEGREE
        out: Tensor = (self.own(x) + self.neighbours(mean)).relu()
        return out


def main() -> None:
    """Run the step and print what is known of it from inside, as JSON."""
    give_freed_memory_back()
    torch.set_num_threads(1)
    torch.manual_seed(7)  # a process of its own: no other random state is touched
    source = torch.randint(_NODES, (_NODES * _DEGREE,))
    destination = torch.arange(_NODES).repeat_interleave(_DEGREE)
    features = torch.randn(_NODES, _CHANNELS)
    layers = nn.ModuleList(_MeanLayer() for _ in range(_LAYERS))

    def forward() -> Tensor:
        x = features
        for layer in layers:
            x = layer(x, source, destination)
        return x.square().mean()

    def drop_gradients() -> None:
        for parameter in layers.parameters():
            parameter.grad = None

    exact = step_bytes(forward, torch.device("cpu")).peak
    drop_gradients()
    alive = status_bytes("VmHWM")
    before = reset_high_water()
    start = time.perf_counter()
    forward().backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    seconds = time.perf_counter() - start
    high = status_bytes("VmHWM")
    described = (
        f"one training step of {_LAYERS} layers of mean aggregation, {_NODES:,} nodes, {_NODES * _DEGREE:,} edges, "
        f"{_CHANNELS} channels"
    )
    print(  # noqa: T201 - read by the process that started this one
        json.dumps(
            {
                "workload": described,
                "step_seconds": seconds,
                "exact_bytes": exact,
                "high_water_bytes": high - before,
                "process_high_water_bytes": max(alive, high),
            }
        )
    )


if __name__ == "__main__":
    main()
