"""The reading process: what one policy does to it, no other pays for, and it ends with its worker."""

import json
import subprocess
import sys
from pathlib import Path

from gnn_checkpointing.graphs.storage import save_graph
from gnn_checkpointing.study.study import Study
from measurement.cells import cell_of, small_study
from waiting import is_gone, wait_for

START = """
import json, os, signal, sys
from pathlib import Path
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.measurement import high_water
from gnn_checkpointing.study.reading import parse_study

study = parse_study(json.loads(sys.argv[1]), "test")
cells = {cell.id: cell for cell in graph_cells(study, study_graphs(study)[0])}
(name,) = cells
"""

DYING = (
    START
    + """
made = high_water.contestant

def planted(cell, task, policy):
    if policy == "layers":
        os.kill(os.getpid(), signal.SIGKILL)
    if policy == "edge_blocks":
        raise MemoryError("none left")
    return made(cell, task, policy)

high_water.contestant = planted
reader = high_water.HighWaterReader(study, Path(sys.argv[2]), cells)
found = reader.readings(name, dict.fromkeys(["none", "layers", "edge_blocks", "segments(2)"], 0), lambda: None)
print(json.dumps({policy: [reading.bytes, reading.note] for policy, reading in found.items()}))
print(reader._process, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
)

TWICE = (
    START
    + """
reader = high_water.HighWaterReader(study, Path(sys.argv[2]), cells)
for peak in (0, 2**40):
    print(reader.readings(name, {"none": peak}, lambda: None)["none"].bytes)
"""
)


def said(script: str, study: Study, folder: Path) -> list[str]:
    """The lines that the script prints of the study's one graph, in a process of its own."""
    save_graph(folder / "graph.npz", cell_of(study)[1])
    values = json.dumps(study.model_dump(mode="json", by_alias=True))
    command = [sys.executable, "-c", script, values, str(folder / "graph.npz")]
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


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
    """Not even where a large peak makes a step of the policy's own before it needless."""
    warmed, large = (int(line) for line in said(TWICE, small_study(policies=("none", "layers")), tmp_path))
    assert abs(large - warmed) < 2**20
