"""Warnings that follow from a record, above all whether its memory readings agree; each tolerance has its reason.

Allocator events are exact for memory from PyTorch's allocator. The process's high-water mark counts whole pages, which
include the C library's free lists and memory that operators take elsewhere than from PyTorch's allocator. Fake tensors
count whole tensors and nothing inside an operator. On CUDA the caching allocator's own count replaces its events, there
is no high-water mark, and the driver's count is read too. No torch is needed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from gnn_checkpointing.measurement.ratios import paired_ratio
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.records.measurements_table import high_water_agrees
from gnn_checkpointing.records.policy import Memory, PolicyRecord, Readings
from gnn_checkpointing.study.study import Study

FAKE_TENSOR_SHARE = 0.01
"""Workspace that an operator takes from PyTorch's allocator, which fake tensors do not see."""

FAKE_TENSOR_BYTES = 256 * 2**10
"""Random states that checkpointing keeps (5,056 bytes a layer on CPU) are made without a dispatched operator."""

DRIVER_BYTES = 32 * 2**20
"""Allowed difference, over one step, between the growth of the device memory that the driver counts and that of the
caching allocator's segments: kernels loaded at their first run, the driver's tables. More is another process's."""

DRIFT = 0.10
"""Allowed drift of the sentinel within a cell. Ratios, paired within a round, tolerate drift; seconds do not."""

SHORT_SECONDS = 1e-3
"""Below a millisecond, the interpreter and the timer's own calls are a noticeable share of a step."""

SWITCHES_PER_SECOND = 50
"""More preemptions than this mean a shared processor: a time slice of the Linux scheduler is a few milliseconds."""

FAULTS = 64
"""Allowed page faults per step under `retaining`, whose freed memory stays mapped: a quarter of a MiB newly touched."""

_FEWEST_ROUNDS = 9
"""An interruption can spoil one reading of a few milliseconds, but not the median of three."""


@dataclass(frozen=True)
class DeviceBytes:
    """Peak of one step in wider counts than the requested bytes, above those live before it (`peak_memory.py`).

    `beside` is the growth of the driver's count over the step minus that of the caching allocator's segments.
    """

    allocated: int
    reserved: int
    driver: int
    beside: int


def agreement(
    memory: Memory,
    num_edges: int,
    num_layers: int,
    node_map_bytes: int,
    high_water: int | None,
    fake: int | None,
    notes: list[str],
    device: DeviceBytes | None = None,
) -> Readings:
    """Compare the readings with the activation peak from allocator events.

    `num_edges` counts the edges as the convolution reads them, `num_layers` the layers of the model. `node_map_bytes`
    is the size of one map `[num_nodes, channels]`: under fake tensors, which PyTorch never changes in place, the
    gradient of a gather makes one more of them. `device` has CUDA's counts.
    """

    peak, allowed = memory.activation_bytes, FAKE_TENSOR_SHARE * memory.activation_bytes + FAKE_TENSOR_BYTES
    found = Readings(
        high_water_bytes=high_water,
        high_water_agrees=None if high_water is None else high_water_agrees(high_water, peak, num_edges, num_layers),
        fake_tensor_bytes=fake,
        fake_tensor_agrees=None if fake is None else -allowed <= fake - peak <= allowed + node_map_bytes,
        notes=notes,
    )
    if device is None:
        return found
    accounts = {
        "allocated_bytes": memory.resident_bytes + device.allocated,
        "reserved_bytes": memory.resident_bytes + device.reserved,
        "driver_bytes": memory.resident_bytes + device.driver,
        "driver_agrees": abs(device.beside) <= DRIVER_BYTES,
    }
    return found.model_copy(update=accounts)


def disagreements(policy: str, activation_bytes: int, readings: Readings) -> Iterator[str]:
    """One sentence for each reading that does not agree."""
    for name, value, agrees in (
        ("high-water mark", readings.high_water_bytes, readings.high_water_agrees),
        ("fake tensors", readings.fake_tensor_bytes, readings.fake_tensor_agrees),
    ):
        if agrees is False:
            yield (
                f"memory readings of {policy} disagree: allocator events {activation_bytes} bytes, {name} {value} bytes"
            )
    if readings.driver_agrees is False:
        yield (
            f"over a step of {policy} the driver's account of the device changed by more than {DRIVER_BYTES:,} bytes "
            "beside the caching allocator's: something else takes memory of the device"
        )


def with_warnings(record: CellRecord, study: Study) -> CellRecord:
    """The record with a warning for everything that a reader should know before trusting it."""
    of_policies = (sentence for found in record.policies for sentence in _policy(record, found))
    warnings = [*_spread(record, study), *machine_warnings(record), *of_policies]
    return record.model_copy(update={"warnings": warnings})


def worst_drift(record: CellRecord) -> float | None:
    """Largest drift within any process that timed a cell; None if no process has enough readings."""
    found = (
        sentinel_drift(run.sentinel_seconds)
        for run in record.runs
        if not run.sentinel_by_round or len(run.sentinel_seconds) >= _FEWEST_ROUNDS
    )
    return max((drift for drift in found if drift is not None), default=None)


def sentinel_drift(seconds: Sequence[float]) -> float | None:
    """Ratio of the slowest to the fastest third, by the medians of consecutive thirds, minus 1.

    None for fewer than three values. Medians, because a single interrupted reading is not drift.
    """
    if len(seconds) < 3:
        return None
    first, second = len(seconds) // 3, len(seconds) - len(seconds) // 3
    thirds = [median(seconds[:first]), median(seconds[first:second]), median(seconds[second:])]
    return max(thirds) / min(thirds) - 1


def _spread(record: CellRecord, study: Study) -> Iterator[str]:
    target, base = study.measurement.ratio_half_width, record.seconds_of("none")
    for found in record.policies:
        seconds = record.seconds_of(found.policy)
        if not base or not seconds or found.policy == "none":
            continue
        ratio = paired_ratio(seconds, base, study.analysis.confidence, 500, record.seed % 2**32)
        if ratio.half_width > target:
            width = f"+-{ratio.half_width:.1%}"
            yield f"time ratio of {found.policy} is known to {width}, not to the +-{target:.0%} asked for"


def machine_warnings(record: CellRecord) -> Iterator[str]:
    """Warnings of other load, of a clock that was set back, and of drift."""
    for earlier, later in pairwise(record.runs):
        back = (datetime.fromisoformat(earlier.ended) - datetime.fromisoformat(later.started)).total_seconds()
        if back > 0:
            yield f"the clock was set back by at least {back:.1f} s between two processes: when they ran is not known"
    load = max(load for run in record.runs for load in (run.load_before, run.load_after))
    if load > record.threads + 0.75:
        yield f"load {load:.1f} with {record.threads} measuring threads: the machine was shared"
    others = dict.fromkeys(other for run in record.runs for other in run.others_on_device)
    if others:
        yield f"the GPU was shared when a process was done with the cell: its memory was held by {' and '.join(others)}"
    drift = worst_drift(record)
    if drift is not None and drift > DRIFT:
        yield f"the machine drifted: the sentinel's slowest third took {drift:.0%} longer than its fastest"
    steps = [steps for found in record.policies for steps in record.steps_of(found.policy)]
    seconds = sum(sum(found.wall_seconds) for found in steps)
    switches = sum(sum(found.involuntary_switches) for found in steps)
    if switches > SWITCHES_PER_SECOND * seconds:
        yield f"the processor was taken away {switches / seconds:.0f} times a second: the machine was shared"


def _policy(record: CellRecord, found: PolicyRecord) -> Iterator[str]:
    same, policy, timed = found.sameness, found.policy, record.steps_of(found.policy)
    if same and not (same.same_loss and same.same_gradients and same.same_buffers):
        yield f"{policy} changes what is computed"
    if found.memory and found.readings:
        yield from disagreements(policy, found.memory.activation_bytes, found.readings)
    if not timed:
        return
    seconds = median(second for steps in timed for second in steps.wall_seconds)
    if seconds < SHORT_SECONDS:
        yield f"a step of {policy} takes {seconds * 1e3:.2f} ms: timer and interpreter are part of what was timed"
    asked = [count for steps in timed for count in steps.device_allocations or []]
    if asked and median(asked) > 0:
        yield f"{policy} took new memory from the driver {median(asked):.0f} times a step although freed memory is kept"
    faults = median(count for steps in timed for count in steps.page_faults)
    if record.device == "cpu" and record.allocator == "retaining" and faults > FAULTS:
        yield f"{policy} faulted {faults:.0f} pages a step although freed memory is kept"
