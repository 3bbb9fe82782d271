"""One more fresh process for a cell: what completed in the first is timed again, and nothing else is read."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

import torch

from gnn_checkpointing.checkpointing.compilation import forget_compiled
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.measurement.clock import clock_mhz
from gnn_checkpointing.measurement.probe import Announce, warmed_up
from gnn_checkpointing.measurement.rounds import timed_rounds
from gnn_checkpointing.measurement.sentinel import Sentinel
from gnn_checkpointing.measurement.unmeasured import now
from gnn_checkpointing.measurement.workload import cell_task, contestant
from gnn_checkpointing.records.cell import AnotherProcess
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.graph_design import derived_seed
from gnn_checkpointing.study.study import Study


def time_again(
    study: Study,
    cell: Cell,
    graph: Graph,
    device: torch.device,
    process: int,
    policies: Sequence[str],
    announce: Announce,
) -> AnotherProcess:
    """Time `policies` in rounds of their own; `process` counts from 0, which is the one that read their bytes.

    The models are made in another order in each process, so that their memory lies elsewhere.
    """
    forget_compiled()  # another cell's kernels are of other sizes
    started, load_before, clock_before = now(), os.getloadavg()[0], clock_mhz()
    task = cell_task(graph, cell, device)
    sentinel = Sentinel(device)
    made = list(policies)
    random.Random(derived_seed(cell.seed, f"made {process}")).shuffle(made)  # noqa: S311 - an order, no secret
    contestants = {policy: contestant(cell, task, policy) for policy in made}
    warm_up = sum(warmed_up(contest, cell, announce) for contest in contestants.values())
    orders, steps = timed_rounds(study, cell, process, contestants, device, sentinel, announce)
    return AnotherProcess(
        started=started,
        ended=now(),
        load_before=load_before,
        load_after=os.getloadavg()[0],
        clock_mhz_before=clock_before,
        clock_mhz_after=clock_mhz(),
        sentinel_seconds=sentinel.seconds,
        sentinel_by_round=True,
        measured_seconds=warm_up + sum(sum(found.wall_seconds) for found in steps.values()),
        round_orders=orders,
        steps=steps,
    )
