"""Are the values possible? Bytes must add up, times fit into a process's run, and graphs have sizes that can exist."""

from collections.abc import Iterator
from datetime import datetime

from gnn_checkpointing.audit.checks.run import SHARED
from gnn_checkpointing.measurement import demonstrate
from gnn_checkpointing.measurement.readings import machine_warnings
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.records.graph_facts import Structure
from gnn_checkpointing.records.policy import PolicyRecord, Steps
from gnn_checkpointing.report.run_folder import RunFolder

FASTEST_SECONDS = 1e-13
"""Per edge x layer x channel: ten thousand billion per second, beyond any memory's bandwidth."""

SLOWEST_SECONDS, ANY_SECONDS = 1e-3, 1000.0
"""The same on the slow side; a step of up to `ANY_SECONDS` is possible for any size, however small."""

_CLOCKS = 1.25
"""Factor by which CPU time may exceed wall time x threads: clocks have ticks, and the system's own threads help."""

_LEAST_SECONDS = 0.02


def sizes(run: RunFolder) -> Iterator[str]:
    """Yield complaints about graphs whose sizes contradict each other."""
    for graph in run.graphs:
        nodes, edges = graph.num_nodes, graph.num_edges
        words, most = f"graphs.json: graph {graph.id}:", nodes * (nodes - 1)
        if nodes < 2 or not 1 <= edges <= most:
            yield f"{words} {edges} edges between {nodes} nodes; a simple graph has 1 to {most}"
        elif abs(graph.average_degree - edges / nodes) > 1e-9 * graph.average_degree:
            yield f"{words} average degree {graph.average_degree:g}, but edges / nodes are {edges / nodes:g}"
        elif abs(graph.density - edges / most) > 1e-9 * graph.density:
            yield f"{words} density {graph.density:g}, but edges / pairs are {edges / most:g}"
        elif (graph.training_nodes or 0) > nodes:
            yield f"{words} {graph.training_nodes} training nodes of {nodes} nodes"
        elif graph.structure is not None and (text := _of_structure(graph.structure, nodes)):
            yield f"{words} {text}"


def _of_structure(counted: Structure, nodes: int) -> str:
    degrees = [*counted.degree_quantiles, counted.maximum_degree, nodes - 1]
    if degrees != sorted(degrees):
        return f"degrees from quantile to quantile to the largest are {degrees[:-1]} of {nodes} nodes"
    return f"{counted.isolated_nodes} isolated nodes of {nodes}" if counted.isolated_nodes >= nodes else ""


def records(run: RunFolder) -> Iterator[str]:
    """Yield complaints about values that are impossible in any record."""
    for record in run.records:
        for number, process in enumerate(record.runs, start=1):
            started, ended = map(datetime.fromisoformat, (process.started, process.ended))
            seconds, words = (ended - started).total_seconds(), f"cell {record.cell}: process {number}"
            if seconds < 0:
                yield f"{words} ended {process.ended}, before it started {process.started}"
            elif process.measured_seconds > seconds + _LEAST_SECONDS:
                yield f"{words} measured for {process.measured_seconds:.3f} s in {seconds:.3f} s"
        shared = [any(SHARED in text for text in texts) for texts in (machine_warnings(record), record.warnings)]
        if shared == [True, False]:
            yield f"cell {record.cell}: its numbers say that the machine was shared, and its warnings do not"
        for policy in record.policies:
            for text in _of_policy(record, policy, run.study.measurement.gradient_tolerance):
                yield f"cell {record.cell}: policy {policy.policy}: {text}"


def demonstration(run: RunFolder) -> Iterator[str]:
    """Yield complaints about values that are impossible for the step of `demonstrate`, whose sizes are known."""
    shown = run.demonstration
    if shown is None:
        return
    words, messages = "demonstration.json:", 4 * demonstrate.NODES * demonstrate.DEGREE * demonstrate.CHANNELS
    least, most = messages, 2 * demonstrate.LAYERS * messages
    if (shown.workload, shown.held_bytes) != (demonstrate.WORKLOAD, demonstrate.HELD_BYTES):
        yield f"{words} of another step than `demonstrate` runs: {shown.workload}, {shown.held_bytes} bytes held before"
    elif not least <= shown.exact_bytes <= most:
        # At least the messages of one layer are alive at once, at most those of all layers and their gradients.
        yield f"{words} {shown.exact_bytes} bytes of a step that takes {least} to {most}"
    elif max(shown.exact_bytes, shown.high_water_bytes) > shown.process_high_water_bytes:
        yield f"{words} the step took more than the {shown.process_high_water_bytes} bytes of the process that ran it"
    elif not FASTEST_SECONDS * messages < shown.step_seconds <= (shown.benchmark_seconds or ANY_SECONDS):
        yield f"{words} a step of {shown.step_seconds:g} s in a job of {shown.benchmark_seconds or ANY_SECONDS:g} s"


def _of_policy(record: CellRecord, policy: PolicyRecord, tolerance: float) -> Iterator[str]:
    memory, accounts, same = policy.memory, policy.readings, policy.sameness
    if (policy.outcome == "completed") != (memory is not None):
        yield f"{policy.outcome}, {'without' if memory is None else 'with'} bytes"
    if memory is None or policy.outcome != "completed":
        return
    peak, limit = memory.peak_memory_bytes, record.memory_limit_bytes
    parts = (memory.resident_bytes, memory.saved_activation_bytes, memory.transient_bytes)
    if sum(parts) != peak:
        yield f"resident, saved and transient bytes add up to {sum(parts)}, not to the peak {peak}"
    if memory.policy_resident_bytes > memory.resident_bytes:
        yield f"{memory.policy_resident_bytes} bytes of the policy among {memory.resident_bytes} resident ones"
    allocated, reserved = (accounts.allocated_bytes, accounts.reserved_bytes) if accounts else (None, None)
    if allocated is not None and reserved is not None and not peak <= allocated <= reserved:
        words = "a peak of {} bytes in {} allocated and {} reserved ones; each holds the one before"
        yield words.format(peak, allocated, reserved)
    errors = (same.loss_error, same.gradient_error, same.buffer_error) if same else ()
    flags = (same.same_loss, same.same_gradients, same.same_buffers) if same else ()
    for error, says in zip(errors, flags, strict=True):
        if says != (error <= tolerance):
            yield f"an error of {error:g} at a tolerance of {tolerance:g} is called {'the same' if says else 'another'}"
    if peak > limit:
        yield f"completed with a peak of {peak} bytes over the limit {limit}"
    for number, steps in enumerate(record.steps_of(policy.policy), start=1):
        text = _of_steps(record, steps, len(record.runs[number - 1].round_orders))
        if text:
            yield f"process {number}: {text}"


def _of_steps(record: CellRecord, steps: Steps, rounds: int) -> str:
    lengths = {len(values) for values in steps.model_dump(exclude_none=True).values()}
    if lengths != {rounds}:
        return f"{sorted(lengths)} values of {rounds} rounds"
    work = record.graph.num_edges * record.architecture["num_layers"] * record.architecture["hidden_channels"]
    # Autograd runs the backward pass of a CUDA device in a thread of that device's own.
    threads = record.threads + (record.device == "cuda")
    for wall, forward, cpu in zip(steps.wall_seconds, steps.forward_seconds, steps.cpu_seconds, strict=True):
        if not 0 < forward < wall:
            return f"a forward pass of {forward:g} s in a step of {wall:g} s"
        if not 0 <= cpu <= _CLOCKS * wall * threads + _LEAST_SECONDS:
            return f"{cpu:g} s of CPU in a step of {wall:g} s with {record.threads} threads"
        if not FASTEST_SECONDS * work <= wall <= max(SLOWEST_SECONDS * work, ANY_SECONDS):
            return f"a step of {wall:g} s for {work} edges x layers x channels"
    return ""
