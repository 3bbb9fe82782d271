"""Could it be? Bytes that add up, times that fit into the time there was, sizes that a graph can have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gnn_checkpointing.records.cell import CellRecord, ProcessRun
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.records.policy import PolicyRecord, Steps
from gnn_checkpointing.validation.published import Measured

FASTEST_SECONDS = 1e-13
"""Of an edge, a layer and a channel: ten thousand billion a second, beyond any memory's bandwidth."""

SLOWEST_SECONDS, ANY_SECONDS = 1e-3, 1000.0
"""The same on the slow side; a step of up to `ANY_SECONDS` may be as small as it likes."""

_CLOCKS = 1.25
"""CPU time may exceed wall time x threads by so much: clocks tick, and the system's own threads help."""

_LEAST_SECONDS = 0.02


def graphs(found: Measured) -> Iterator[str]:
    """Yield graphs of sizes that contradict themselves, and those that records tell otherwise."""
    listed = {graph.id: graph for graph in found.graphs}
    for graph in found.graphs:
        yield from (f"graphs.json: graph {graph.id}: {text}" for text in _impossible(graph))
    for record in found.records:
        if listed.get(record.graph.id) != record.graph:
            yield f"cell {record.cell}: its graph {record.graph.id} is not the one that graphs.json lists"


def records(found: Measured) -> Iterator[str]:
    """Yield what cannot be of any record."""
    for record in found.records:
        yield from (f"cell {record.cell}: {text}" for text in _of_record(record))


def _impossible(graph: GraphFacts) -> Iterator[str]:
    nodes, edges = graph.num_nodes, graph.num_edges
    if nodes < 2 or edges < 1 or edges > nodes * (nodes - 1):
        yield f"{edges} edges between {nodes} nodes; a simple graph has 1 to {nodes * (nodes - 1)}"
    elif abs(graph.average_degree - edges / nodes) > 1e-9 * graph.average_degree:
        yield f"average degree {graph.average_degree:g}, but edges / nodes are {edges / nodes:g}"
    elif abs(graph.density - edges / nodes / (nodes - 1)) > 1e-9 * graph.density:
        yield f"density {graph.density:g}, but edges / pairs are {edges / nodes / (nodes - 1):g}"


def _of_record(record: CellRecord) -> Iterator[str]:
    for number, run in enumerate(record.runs, start=1):
        yield from _of_run(run, number)
    for policy in record.policies:
        yield from (f"policy {policy.policy}: {text}" for text in _of_policy(record, policy))


def _of_run(run: ProcessRun, number: int) -> Iterator[str]:
    started, ended = datetime.fromisoformat(run.started), datetime.fromisoformat(run.ended)
    if ended < started:
        yield f"process {number} ended {run.ended}, before it started {run.started}"
    elif run.measured_seconds > (ended - started).total_seconds() + _LEAST_SECONDS:
        yield (
            f"process {number} measured for {run.measured_seconds:.3f} s in {(ended - started).total_seconds():.3f} s"
        )


def _of_policy(record: CellRecord, policy: PolicyRecord) -> Iterator[str]:
    memory = policy.memory
    if (policy.outcome == "completed") != (memory is not None):
        yield f"{policy.outcome}, {'without' if memory is None else 'with'} bytes"
        return
    if memory is None:
        return
    total = memory.resident_bytes + memory.saved_activation_bytes + memory.transient_bytes
    if total != memory.peak_memory_bytes:
        yield f"resident, saved and transient bytes add up to {total}, not to the peak {memory.peak_memory_bytes}"
    if min(memory.resident_bytes, memory.saved_activation_bytes, memory.transient_bytes) < 0:
        yield "a number of bytes below zero"
    if not 0 <= memory.policy_resident_bytes <= memory.resident_bytes:
        yield f"{memory.policy_resident_bytes} bytes of the policy among {memory.resident_bytes} resident ones"
    yield from _of_accounts(policy)
    if memory.peak_memory_bytes > record.memory_limit_bytes:
        yield f"completed with a peak of {memory.peak_memory_bytes} bytes over the limit {record.memory_limit_bytes}"
    least = record.graph.num_edges * record.architecture["num_layers"] * record.architecture["hidden_channels"]
    for number, steps in enumerate(record.steps_of(policy.policy), start=1):
        yield from (f"process {number}: {text}" for text in _of_steps(record, steps, number, least))


def _of_accounts(policy: PolicyRecord) -> Iterator[str]:
    """Yield where a narrower account of CUDA's memory exceeds a wider one."""
    memory, found = policy.memory, policy.readings
    if memory is None or found is None or found.allocated_bytes is None or found.reserved_bytes is None:
        return
    if not memory.peak_memory_bytes <= found.allocated_bytes <= found.reserved_bytes:
        yield (
            f"a peak of {memory.peak_memory_bytes} bytes in {found.allocated_bytes} allocated and "
            f"{found.reserved_bytes} reserved ones; each holds the one before"
        )


def _of_steps(record: CellRecord, steps: Steps, number: int, work: int) -> Iterator[str]:
    rounds = len(record.runs[number - 1].round_orders)
    lengths = {len(values) for values in steps.model_dump(exclude_none=True).values()}
    if lengths != {rounds}:
        yield f"{sorted(lengths)} values of {rounds} rounds"
        return
    # Autograd runs the backward pass of a CUDA device in a thread of that device's own.
    threads = record.threads + (record.device == "cuda")
    for wall, forward, cpu in zip(steps.wall_seconds, steps.forward_seconds, steps.cpu_seconds, strict=True):
        if not 0 < forward < wall:
            yield f"a forward pass of {forward:g} s in a step of {wall:g} s"
        elif not 0 <= cpu <= _CLOCKS * wall * threads + _LEAST_SECONDS:
            yield f"{cpu:g} s of CPU in a step of {wall:g} s with {record.threads} threads"
        elif not FASTEST_SECONDS * work <= wall <= max(SLOWEST_SECONDS * work, ANY_SECONDS):
            yield f"a step of {wall:g} s for {work} edges x layers x channels"
        else:
            continue
        return
