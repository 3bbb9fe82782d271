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
    """Yield graphs of sizes that contradict themselves, and those that records describe otherwise."""
    listed = {graph.id: graph for graph in found.graphs}
    for graph in found.graphs:
        yield from (f"graphs.json: graph {graph.id}: {text}" for text in _impossible(graph))
    for record in found.records:
        if listed.get(record.graph.id) != record.graph:
            yield f"cell {record.cell}: its graph {record.graph.id} is not the one that graphs.json lists"


def records(found: Measured) -> Iterator[str]:
    """Yield what cannot be of any record."""
    for record in found.records:
        for number, run in enumerate(record.runs, start=1):
            yield from (f"cell {record.cell}: process {number} {text}" for text in _of_run(run))
        for policy in record.policies:
            texts = _of_policy(record, policy)
            yield from (f"cell {record.cell}: policy {policy.policy}: {text}" for text in texts)


def _impossible(graph: GraphFacts) -> Iterator[str]:
    nodes, edges = graph.num_nodes, graph.num_edges
    if nodes < 2 or edges < 1 or edges > nodes * (nodes - 1):
        yield f"{edges} edges between {nodes} nodes; a simple graph has 1 to {nodes * (nodes - 1)}"
    elif abs(graph.average_degree - edges / nodes) > 1e-9 * graph.average_degree:
        yield f"average degree {graph.average_degree:g}, but edges / nodes are {edges / nodes:g}"
    elif abs(graph.density - edges / nodes / (nodes - 1)) > 1e-9 * graph.density:
        yield f"density {graph.density:g}, but edges / pairs are {edges / nodes / (nodes - 1):g}"


def _of_run(run: ProcessRun) -> Iterator[str]:
    seconds = (datetime.fromisoformat(run.ended) - datetime.fromisoformat(run.started)).total_seconds()
    if seconds < 0:
        yield f"ended {run.ended}, before it started {run.started}"
    elif run.measured_seconds > seconds + _LEAST_SECONDS:
        yield f"measured for {run.measured_seconds:.3f} s in {seconds:.3f} s"


def _of_policy(record: CellRecord, policy: PolicyRecord) -> Iterator[str]:
    memory, accounts = policy.memory, policy.readings
    if (policy.outcome == "completed") != (memory is not None):
        yield f"{policy.outcome}, {'without' if memory is None else 'with'} bytes"
        return
    if memory is None:
        return
    parts = (memory.resident_bytes, memory.saved_activation_bytes, memory.transient_bytes)
    if sum(parts) != memory.peak_memory_bytes:
        yield f"resident, saved and transient bytes add up to {sum(parts)}, not to the peak {memory.peak_memory_bytes}"
    if min(parts) < 0:
        yield "a number of bytes below zero"
    if not 0 <= memory.policy_resident_bytes <= memory.resident_bytes:
        yield f"{memory.policy_resident_bytes} bytes of the policy among {memory.resident_bytes} resident ones"
    allocated, reserved = (accounts.allocated_bytes, accounts.reserved_bytes) if accounts else (None, None)
    if None not in (allocated, reserved) and not memory.peak_memory_bytes <= (allocated or 0) <= (reserved or 0):
        yield (
            f"a peak of {memory.peak_memory_bytes} bytes in {allocated} allocated and {reserved} reserved ones; each "
            "holds the one before"
        )
    if memory.peak_memory_bytes > record.memory_limit_bytes:
        yield f"completed with a peak of {memory.peak_memory_bytes} bytes over the limit {record.memory_limit_bytes}"
    for number, steps in enumerate(record.steps_of(policy.policy), start=1):
        rounds = len(record.runs[number - 1].round_orders)
        text = _of_steps(record, steps, rounds)
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
