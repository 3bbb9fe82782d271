"""What other instruments would have said: one training step whose peak is known, seen by those and by ours.

This process first holds memory and gives it back, as any parent of a job may have; the step runs in a child of it.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from gnn_checkpointing.measurement.allocator import worker_environment
from gnn_checkpointing.records.demonstration import Demonstration, StepDemonstration
from gnn_checkpointing.refusal import Refusal

HELD_BYTES = 2**31
"""More than the child ever needs, so that what it inherits shows: with a CUDA build of torch, whose libraries are
three times as large, the child itself reaches 1.08 GB."""


def step_demonstration() -> StepDemonstration:
    """Run the step in a child process and return what each instrument says of it."""
    _hold_and_give_back(HELD_BYTES)
    process = subprocess.Popen(
        [sys.executable, "-m", "gnn_checkpointing.measurement.demonstrated_step"],
        stdout=subprocess.PIPE,
        env=worker_environment(dict(os.environ), "default", threads=1),
    )
    assert process.stdout is not None
    with process.stdout:
        told = process.stdout.read()
    # Not Popen.wait, which throws away what the system says of the child.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Refusal(f"the demonstrated step ended with exit code {process.returncode}; its log says why")
    unit = 1 if sys.platform == "darwin" else 1024
    return StepDemonstration(held_bytes=HELD_BYTES, child_maxrss_bytes=usage.ru_maxrss * unit, **json.loads(told))


def with_benchmark(step: StepDemonstration, benchmark: Path | None) -> Demonstration:
    """Return the demonstration with the first repeat of a Snakemake benchmark file: seconds, and `max_rss` in MiB.

    Without a file the step was demonstrated by hand, and Snakemake said nothing of it.
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
    except (OSError, StopIteration, KeyError, ValueError) as error:
        raise Refusal(f"{benchmark}: not a benchmark file of Snakemake ({error}); run `demonstrate` again") from None


def _hold_and_give_back(size: int) -> None:
    held = bytearray(size)
    held[:: os.sysconf("SC_PAGE_SIZE")] = b"\1" * len(range(0, size, os.sysconf("SC_PAGE_SIZE")))
