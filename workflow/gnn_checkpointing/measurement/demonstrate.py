"""One training step whose peak is known, as reported by our instruments and by others.

This process first allocates memory and frees it, as the parent of any job may have done. The step then runs in a child
process: three layers of mean aggregation on a random graph, about 350 MiB for a third of a second.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_checkpointing.measurement.allocator import worker_environment
from gnn_checkpointing.records.jobs import Demonstration, StepDemonstration
from gnn_checkpointing.refusal import Refusal

if TYPE_CHECKING:
    from torch import Tensor

HELD_BYTES = 2**31
"""More than the child ever needs, so that a reading inherited from the parent shows. With a CUDA build of torch, whose
libraries are three times as large, the child itself reaches 1.08 GB."""

NODES, DEGREE, CHANNELS, LAYERS = 2_000, 200, 64, 3
WORKLOAD = (
    f"one training step of {LAYERS} layers of mean aggregation, {NODES:,} nodes, {NODES * DEGREE:,} edges, "
    f"{CHANNELS} channels"
)


def step_demonstration() -> StepDemonstration:
    """Run the step in a child process and collect what each instrument reports of it."""
    held, page = bytearray(HELD_BYTES), os.sysconf("SC_PAGE_SIZE")
    held[::page] = b"\1" * len(range(0, HELD_BYTES, page))
    del held
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdout=subprocess.PIPE,
        env=worker_environment(dict(os.environ), "default", threads=1),
    )
    assert process.stdout is not None
    with process.stdout:
        said = process.stdout.read()
    # Not Popen.wait, which discards the resource usage of the child.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Refusal(f"the demonstrated step ended with exit code {process.returncode}; its log says why")
    unit = 1 if sys.platform == "darwin" else 1024
    return StepDemonstration(held_bytes=HELD_BYTES, child_maxrss_bytes=usage.ru_maxrss * unit, **json.loads(said))


def with_benchmark(step: StepDemonstration, benchmark: Path | None) -> Demonstration:
    """Add the first repeat of a Snakemake benchmark file to the demonstration: seconds, and `max_rss` in MiB.

    Without a file the step was run by hand, and there is no measurement by Snakemake.
    """
    if benchmark is None:
        return Demonstration(**step.model_dump(), benchmark_max_rss_bytes=None, benchmark_seconds=None)
    try:
        with benchmark.open(encoding="utf-8", newline="") as stream:
            row = next(csv.DictReader(stream, delimiter="\t"))
        polled = row["max_rss"]
        return Demonstration(
            **step.model_dump(),
            benchmark_max_rss_bytes=None if polled in {"-", "NA"} else round(float(polled) * 2**20),
            benchmark_seconds=float(row["s"]),
        )
    except (OSError, StopIteration, KeyError, ValueError, TypeError, OverflowError, csv.Error) as error:
        raise Refusal(f"{benchmark}: not a benchmark file of Snakemake ({error}); run `demonstrate` again") from None


def main() -> None:
    """Run the step and print the readings taken inside its process as JSON. The parent process imports no torch."""
    import torch

    from gnn_checkpointing.measurement.high_water import give_freed_memory_back, reset_high_water, status_bytes
    from gnn_checkpointing.measurement.peak_memory import step_bytes

    give_freed_memory_back()
    torch.set_num_threads(1)
    torch.manual_seed(7)  # this process runs nothing else, so no other random state is affected
    source = torch.randint(NODES, (NODES * DEGREE,))
    destination = torch.arange(NODES).repeat_interleave(DEGREE)
    features = torch.randn(NODES, CHANNELS)
    # SAGE: one linear map of the node plus one of the mean of its neighbours (Hamilton et al., 2017).
    maps = torch.nn.ModuleList(torch.nn.Linear(CHANNELS, CHANNELS) for _ in range(2 * LAYERS))

    def forward() -> Tensor:
        x = features
        for own, neighbours in zip(maps[::2], maps[1::2], strict=True):
            mean = torch.zeros_like(x).index_add(0, destination, x.index_select(0, source)) / DEGREE
            x = (own(x) + neighbours(mean)).relu()
        return x.square().mean()

    exact = step_bytes(forward, torch.device("cpu")).peak
    maps.zero_grad(set_to_none=True)
    alive = status_bytes("VmHWM")
    before = reset_high_water()
    start = time.perf_counter()
    forward().backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    seconds = time.perf_counter() - start
    high = status_bytes("VmHWM")
    found = {
        "workload": WORKLOAD,
        "step_seconds": seconds,
        "exact_bytes": exact,
        "high_water_bytes": high - before,
        "process_high_water_bytes": max(alive, high),
    }
    print(json.dumps(found))  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()
