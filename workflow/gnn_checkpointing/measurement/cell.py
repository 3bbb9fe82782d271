"""One cell in one process.

The first process reads every policy's bytes and sameness, then times rounds of all side by side, then reads bytes with
two more instruments. A further process times again what completed in the first.
"""

import os
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from gnn_checkpointing.checkpointing.compilation import forget_compiled
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.measurement.fake_tensors import fake_tensor_bytes
from gnn_checkpointing.measurement.hardware import clock_governor, clock_mhz
from gnn_checkpointing.measurement.high_water import HighWater, give_garbage_back
from gnn_checkpointing.measurement.job import described, now
from gnn_checkpointing.measurement.probe import Announce, Probed, is_other_model, probed, warmed_up
from gnn_checkpointing.measurement.readings import agreement, with_warnings
from gnn_checkpointing.measurement.rounds import Sentinel, timed_rounds
from gnn_checkpointing.measurement.sameness import StepResult
from gnn_checkpointing.measurement.workload import Contestant, Task, cell_task, contestant
from gnn_checkpointing.records.cell import AnotherProcess, CellRecord
from gnn_checkpointing.records.policy import PolicyRecord, Readings, Steps
from gnn_checkpointing.records.traces import ByteTrace
from gnn_checkpointing.refusal import Refusal, Unavailable
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.graph_design import derived_seed
from gnn_checkpointing.study.study import Study

ReadHighWater = Callable[[str, dict[str, int]], dict[str, HighWater]]
"""From a cell's id and the policies that completed, with their activation bytes, to high-water readings or reasons."""


@dataclass(frozen=True)
class Bench:
    """Where the cells of one graph are measured, one after another, in one process."""

    study: Study
    graph: Graph
    device: torch.device

    @cached_property
    def sentinel(self) -> Sentinel:
        """The same tensors in all cells."""
        return Sentinel(self.device)

    def measure(
        self,
        cell: Cell,
        lost: dict[str, PolicyRecord],
        announce: Announce,
        read_high_water: ReadHighWater,
        context: dict[str, Any],
    ) -> tuple[CellRecord, dict[str, ByteTrace]]:
        """The record of every policy of `cell` that is not already `lost`, and the policies' byte traces.

        `context` holds the record's fields that the commanding process knows: hardware, fingerprint, memory limit,
        restarts.
        """
        begun = _begun()
        task = cell_task(self.graph, cell, self.device)
        cell = task.sized(cell)
        measured, outcomes = self._probed(cell, task, lost, context["memory_limit_bytes"], announce)
        timed, steps = self._timed(cell, 0, {name: found.contest for name, found in measured.items()}, announce)
        self._read_otherwise(cell, context["visit"], task, measured, read_high_water)
        outcomes |= {
            policy: found.record.model_copy(update={"readings": found.readings, "steps": steps.get(policy)})
            for policy, found in measured.items()
        }
        trained = [found.contest.model for policy, found in measured.items() if not is_other_model(policy)]
        record = CellRecord(
            **described(self.study, cell, self.graph, self.device.type),
            **context,
            **begun,
            **timed,
            ended=now(),
            governor=clock_governor(),
            measured_seconds=sum(found.seconds for found in measured.values()) + _wall_seconds(steps),
            parameters=sum(parameter.numel() for parameter in trained[0].parameters()) if trained else None,
            policies=[outcomes[policy] for policy in self.study.policies],
            warnings=[],
        )
        traces = {policy: found.trace for policy, found in measured.items() if found.trace is not None}
        return with_warnings(record, self.study), traces

    def time_again(self, cell: Cell, process: int, policies: Sequence[str], announce: Announce) -> AnotherProcess:
        """Time `policies` in rounds of their own; `process` counts from 0, which is the one that read their bytes.

        The models are made in another order in each process, so that their memory lies elsewhere.
        """
        begun = _begun()
        task = cell_task(self.graph, cell, self.device)
        made = list(policies)
        random.Random(derived_seed(cell.seed, f"made {process}")).shuffle(made)  # noqa: S311 - an order, no secret
        contestants = {}
        for policy in made:
            announce(policy, "preparation")
            contestants[policy] = contestant(cell, task, policy)
        warm_up = sum(warmed_up(contest, cell, announce) for contest in contestants.values())
        timed, steps = self._timed(cell, process, contestants, announce)
        seconds = warm_up + _wall_seconds(steps)
        return AnotherProcess(**begun, **timed, ended=now(), measured_seconds=seconds, steps=steps)

    def _timed(
        self, cell: Cell, process: int, contestants: dict[str, Contestant], announce: Announce
    ) -> tuple[dict[str, Any], dict[str, Steps]]:
        """The fields of a record that the timed rounds fill, and the policies' steps."""
        self.sentinel.seconds = []
        orders, steps = timed_rounds(self.study, cell, process, contestants, self.device, self.sentinel, announce)
        fields = {
            "load_after": os.getloadavg()[0],
            "clock_mhz_after": clock_mhz(),
            "sentinel_seconds": self.sentinel.seconds,
            "sentinel_by_round": True,
            "round_orders": orders,
        }
        return fields, steps

    def _probed(
        self, cell: Cell, task: Task, lost: dict[str, PolicyRecord], limit_bytes: int, announce: Announce
    ) -> tuple[dict[str, Probed], dict[str, PolicyRecord]]:
        """What is measured of the policies that run, `none` first, and the outcomes of those that do not.

        A policy over the limit has run nevertheless: the others are still compared with what `none` computed.
        """
        measured: dict[str, Probed] = {}
        outcomes = dict(lost)
        reference: StepResult | None = None
        for policy in sorted(self.study.policies, key=lambda name: name != "none"):
            if policy in outcomes:
                continue
            ended = {"policy": policy, "other_model": is_other_model(policy)}
            try:
                tolerance = self.study.measurement.gradient_tolerance
                found, result = probed(policy, cell, task, reference, tolerance, announce)
            except Refusal as refusal:
                outcome = "unavailable" if isinstance(refusal, Unavailable) else "refused"
                outcomes[policy] = PolicyRecord(**ended, outcome=outcome, message=str(refusal))
                continue
            if policy == "none":
                reference = result
            peak = found.memory.peak_memory_bytes
            if peak > limit_bytes:
                message = f"peak memory of {peak:,} bytes is over the limit of {limit_bytes:,} bytes"
                outcomes[policy] = PolicyRecord(**ended, outcome="out_of_memory", message=message)
            else:
                measured[policy] = found
        return measured, outcomes

    def _read_otherwise(
        self, cell: Cell, visit: int, task: Task, measured: dict[str, Probed], read_high_water: ReadHighWater
    ) -> None:
        """Give each policy its readings by the other two instruments, at the first visit under the reference allocator.

        Both at the same time, since one waits for another process: bytes are bytes, and nothing is timed any more.
        """
        reference = self.study.measurement.allocators[0]
        if visit or cell.allocator != reference:
            when = f"under allocator {reference}" if not visit else "at the first visit: later ones are for time"
            for found in measured.values():
                found.readings = Readings(notes=[f"the other instruments are read {when}"])
            return
        give_garbage_back()
        with ThreadPoolExecutor(1) as waiting:
            peaks = {policy: found.memory.activation_bytes for policy, found in measured.items()}
            reading = waiting.submit(read_high_water, cell.id, peaks)
            fakes: dict[str, tuple[int | None, str]] = {
                policy: fake_tensor_bytes(cell, found.contest)
                if self.study.measurement.fake_tensor_reading
                else (None, "no reading by fake tensors: the study leaves it out")
                for policy, found in measured.items()
            }
            marks = reading.result()
        graph = self.graph
        for policy, found in measured.items():
            (fake, why_not), mark = fakes[policy], marks[policy]
            found.seconds += mark.seconds
            found.readings = agreement(
                found.memory,
                num_edges=graph.num_edges + graph.num_nodes,  # GCN reads self-loops, too
                num_layers=cell.architecture.num_layers,
                node_map_bytes=graph.num_nodes * max(task.features.size(1), cell.architecture.hidden_channels) * 4,
                high_water=mark.bytes,
                fake=fake,
                notes=[note for note in (mark.note, why_not) if note],
                device=found.device_bytes,
            )


def _begun() -> dict[str, Any]:
    """The fields of a record that are read before anything of a cell is made."""
    forget_compiled()  # another cell's kernels are of other sizes
    return {"started": now(), "load_before": os.getloadavg()[0], "clock_mhz_before": clock_mhz()}


def _wall_seconds(steps: Mapping[str, Steps]) -> float:
    return sum(sum(found.wall_seconds) for found in steps.values())
