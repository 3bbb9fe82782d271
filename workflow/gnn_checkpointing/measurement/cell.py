"""One cell in one process.

The first process measures each policy's bytes and compares its results with those of `none`, then times rounds of all
policies side by side, then measures bytes with two more instruments. A further process only times again the policies
that completed in the first.
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
from gnn_checkpointing.measurement.probe import Announce, Probed, StepResult, is_other_model, probed, warmed_up
from gnn_checkpointing.measurement.readings import agreement, with_warnings
from gnn_checkpointing.measurement.rounds import Sentinel, timed_rounds
from gnn_checkpointing.measurement.workload import Subject, Task, cell_task, subject_of
from gnn_checkpointing.records.cell import AnotherProcess, CellRecord
from gnn_checkpointing.records.policy import PolicyRecord, Readings, Steps
from gnn_checkpointing.records.traces import ByteTrace
from gnn_checkpointing.refusal import Refusal, Unavailable
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.graph_design import derived_seed
from gnn_checkpointing.study.study import Study

ReadHighWater = Callable[[str, dict[str, int]], dict[str, HighWater]]
"""Takes a cell's id and the activation bytes of each completed policy; returns high-water readings, or why there is
none."""


@dataclass(frozen=True)
class Bench:
    """Measures the cells of one graph one after another in one process."""

    study: Study
    graph: Graph
    device: torch.device

    @cached_property
    def sentinel(self) -> Sentinel:
        """Sentinel computation; it uses the same tensors in all cells."""
        return Sentinel(self.device)

    def measure(
        self,
        cell: Cell,
        lost: dict[str, PolicyRecord],
        announce: Announce,
        read_high_water: ReadHighWater,
        context: dict[str, Any],
    ) -> tuple[CellRecord, dict[str, ByteTrace]]:
        """Measure `cell`; returns its record and the policies' byte traces. Policies in `lost` are not run again.

        `context` holds the fields of the record that the supervising process knows: hardware, fingerprint, memory
        limit, restarts.
        """
        begun = _begun()
        task = cell_task(self.graph, cell, self.device)
        cell = task.sized(cell)
        measured, outcomes = self._probed(cell, task, lost, context["memory_limit_bytes"], announce)
        timed, steps = self._timed(cell, 0, {name: found.subject for name, found in measured.items()}, announce)
        self._read_otherwise(cell, context["visit"], task, measured, read_high_water)
        outcomes |= {
            policy: found.record.model_copy(update={"readings": found.readings, "steps": steps.get(policy)})
            for policy, found in measured.items()
        }
        trained = [found.subject.model for policy, found in measured.items() if not is_other_model(policy)]
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
        """Time `policies` again in a further process; process 0 is the one that measured their bytes.

        Each process makes the models in a different order, so that their memory lies at different addresses.
        """
        begun = _begun()
        task = cell_task(self.graph, cell, self.device)
        made = list(policies)
        random.Random(derived_seed(cell.seed, f"made {process}")).shuffle(made)  # noqa: S311 - an order, no secret
        subjects = {}
        for policy in made:
            announce(policy, "preparation")
            subjects[policy] = subject_of(cell, task, policy)
        warm_up = sum(warmed_up(subject, cell, announce) for subject in subjects.values())
        timed, steps = self._timed(cell, process, subjects, announce)
        seconds = warm_up + _wall_seconds(steps)
        return AnotherProcess(**begun, **timed, ended=now(), measured_seconds=seconds, steps=steps)

    def _timed(
        self, cell: Cell, process: int, subjects: dict[str, Subject], announce: Announce
    ) -> tuple[dict[str, Any], dict[str, Steps]]:
        """Run the timed rounds; returns the fields of the record that they fill, and each policy's steps."""
        self.sentinel.seconds = []
        orders, steps = timed_rounds(self.study, cell, process, subjects, self.device, self.sentinel, announce)
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
        """Results of the policies that run, `none` first, and the outcomes of those that do not.

        A policy over the memory limit has still run, so if `none` is over it, its result remains the reference.
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
        """Measure each policy with the other two instruments, at the first visit under the reference allocator only.

        Both run at the same time, since one waits for another process: nothing is timed any more, and bytes do not
        depend on load.
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
                policy: fake_tensor_bytes(cell, found.subject)
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
    """Fields of a record that are read before anything is made for a cell."""
    forget_compiled()  # kernels compiled for another cell have other sizes
    return {"started": now(), "load_before": os.getloadavg()[0], "clock_mhz_before": clock_mhz()}


def _wall_seconds(steps: Mapping[str, Steps]) -> float:
    return sum(sum(found.wall_seconds) for found in steps.values())
