"""What the examples share: train one model under several policies, and print loss, accuracy, peak memory and time."""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from gnn_checkpointing import apply, explain


def options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a few epochs on less data: to see that it runs")
    return parser


def compare(
    make_model: Callable[[], nn.Module],
    loss_of: Callable[[nn.Module], Tensor],
    policies: Sequence[str],
    epochs: int,
    accuracy_of: Callable[[nn.Module], float] | None = None,
    **adam: float,
) -> None:
    """Train the model without a policy and under each of `policies`, from the same weights, and print a line for each.

    `loss_of(model)` is the forward pass of one step. Then print what the last policy does to each layer.
    """
    print(f"{'policy':20} {'loss':>8} {'accuracy':>9} {'peak MiB':>9} {'s/step':>7}")
    for policy in ("none", *policies):
        torch.manual_seed(0)
        model = apply(make_model(), policy)
        optimizer = torch.optim.Adam(model.parameters(), **adam)
        seconds = []
        for _ in range(epochs):
            begin = time.perf_counter()
            loss = loss_of(model.train())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seconds.append(time.perf_counter() - begin)
        accuracy = f"{accuracy_of(model.eval()):9.1%}" if accuracy_of else f"{'':9}"
        peak = peak_bytes(lambda model=model: loss_of(model.train()).backward()) / 2**20
        typical = sorted(seconds)[len(seconds) // 2]
        print(f"{policy:20} {loss.item():8.4f} {accuracy} {peak:9.1f} {typical:7.3f}")
    print(f"\n{explain(model)}")


def peak_bytes(step: Callable[[], object]) -> int:
    """The most bytes that tensors on the CPU took at one time of the step, beyond those that were there before it."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else some builds of torch write lines about the profiler
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as session:
        step()
    events = [event for event in session.profiler.kineto_results.events() if event.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    return max(accumulate(event.nbytes() for event in events))
