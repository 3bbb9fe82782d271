"""The record of one training step as several instruments report it: `demonstration.json`."""

from functools import partial

from pydantic import NonNegativeFloat, NonNegativeInt

from gnn_checkpointing.records.record import Record, checked


class StepDemonstration(Record):
    """One training step seen by instruments that are right and by one that is not, in bytes.

    `exact_bytes` (allocator events) and `high_water_bytes` (high-water mark reset around the step) are the step's own;
    `process_high_water_bytes` is the measured process's over its whole life, interpreter and libraries included, and
    `child_maxrss_bytes` what the operating system told its parent about it (`ru_maxrss`), after that parent had for a
    moment held `held_bytes` itself.
    """

    workload: str
    held_bytes: NonNegativeInt
    step_seconds: NonNegativeFloat
    exact_bytes: NonNegativeInt
    high_water_bytes: NonNegativeInt
    process_high_water_bytes: NonNegativeInt
    child_maxrss_bytes: NonNegativeInt


class Demonstration(StepDemonstration):
    """The same with what Snakemake's `benchmark:` said of the job; None where no poll of it saw the job.

    Both are None where the job was not one of Snakemake's.
    """

    benchmark_max_rss_bytes: NonNegativeInt | None
    benchmark_seconds: NonNegativeFloat | None


read_step_demonstration = partial(checked, kind=StepDemonstration)
"""The record that `demonstrate` wrote."""

read_demonstration = partial(checked, kind=Demonstration)
"""The record in `demonstration.json`."""
