"""The reading process: what one policy does to it, no other pays for, and it ends with its worker."""

import json
from pathlib import Path

from measurement.cells import said, small_study
from waiting import is_gone, wait_for

DYING = """
import os, signal
from gnn_checkpointing.measurement import high_water
made = high_water.subject_of

def planted(cell, task, policy):
    if policy == "layers":
        os.kill(os.getpid(), signal.SIGKILL)
    if policy == "edge_blocks":
        raise MemoryError("none left")
    return made(cell, task, policy)

high_water.subject_of = planted
reader = high_water.HighWaterReader(study, graph_file, {cell.id: cell})
found = reader.readings(cell.id, dict.fromkeys(["none", "layers", "edge_blocks", "segments(2)"], 0), lambda: None)
print(json.dumps({policy: [reading.bytes, reading.note] for policy, reading in found.items()}))
print(reader._process, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""

TWICE = """
import os, pathlib, signal
from gnn_checkpointing.measurement import high_water
reader = high_water.HighWaterReader(study, graph_file, {cell.id: cell})
for peak in (0, 2**40, 0):
    print(reader.readings(cell.id, {"none": peak}, lambda: None)["none"].bytes)
    if peak:
        children = pathlib.Path(f"/proc/{reader._process}/task/{reader._process}/children").read_text()
        os.kill(int(children), signal.SIGKILL)
"""

CELLS = """
import os
from gnn_checkpointing.measurement import high_water
plain = high_water.Subject.step

def step(subject):
    print(os.getpid(), flush=True)
    plain(subject)

high_water.Subject.step = step
reader = high_water.HighWaterReader(study, graph_file, {cell.id: cell})
for _ in range(2):
    reader.readings(cell.id, dict.fromkeys(["none", "layers"], 0), lambda: None)
"""

STEPS = """
from gnn_checkpointing.measurement import high_water
plain = high_water.Subject.step

def step(subject):
    print(subject.policy, flush=True)
    plain(subject)

high_water.Subject.step = step
reader = high_water.HighWaterReader(study, graph_file, {cell.id: cell})
reader.readings(cell.id, dict.fromkeys(["none", "layers", "edge_blocks"], 2**40), lambda: None)
"""


def test_a_policy_that_cuts_layers_is_read_in_its_second_step(tmp_path: Path) -> None:
    """Its first step also tries each layer. Other policies of large peaks save the time, but for a process's first."""
    study = small_study(policies=("none", "layers", "edge_blocks"))
    assert said(STEPS, study, tmp_path) == ["none", "none", "layers", "edge_blocks", "edge_blocks"]


def test_each_cell_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    """A process that has read many cells has a fragmented heap, which a step enlarges by up to 24 MiB."""
    *first, a, b, c, d = said(CELLS, small_study(policies=("none", "layers")), tmp_path)
    assert len({*first}) == 1 and len({a, b, c, d}) == 1
    assert first[0] != a


def test_a_policy_that_dies_costs_its_own_reading_alone(tmp_path: Path) -> None:
    study = small_study(policies=("none", "layers", "edge_blocks", "segments(2)"))
    first, second = said(DYING, study, tmp_path)
    found = json.loads(first)
    assert found["none"][0] > 0 and found["segments(2)"][0] > 0
    assert found["layers"] == [None, "no high-water reading: its process ended early (SIGKILL)"]
    assert found["edge_blocks"] == [None, "no high-water reading: MemoryError: none left"]
    # The script killed itself: the reading process must not live on.
    assert wait_for(lambda: is_gone(int(second)))


def test_what_a_process_loads_at_its_first_step_is_in_no_reading(tmp_path: Path) -> None:
    """Not even where a large peak makes a step of the policy's own before it needless, nor what the last one left.

    Where the process that reads dies between two cells, another takes its place.
    """
    found = [int(line) for line in said(TWICE, small_study(policies=("none", "layers")), tmp_path)]
    assert max(found) - min(found) < 2**20
