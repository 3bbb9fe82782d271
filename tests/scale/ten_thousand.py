"""How long ten thousand cells take to plan, collect, analyse and report, and how much memory: a line a command.

The records are replayed: each is one of the published default study's, of its convolution and the nearest degree, with
bytes and seconds scaled to its own graph. Run by `make scale`; nothing is measured but the commands themselves.
"""

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gnn_checkpointing.artefacts import digest, seal, sha256_of, write_json
from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.records.cell import CellRecord, read_records
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import GeneratedGraph, study_graphs
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.study import Study

ROOT = Path(__file__).resolve().parents[2]
STUDY = Path(__file__).with_suffix(".yaml")


def main() -> None:
    """Replay the records, run every command on them, print what each took."""
    (published,) = ROOT.glob("report/*/default")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("Snakefile", "workflow", "templates", "profiles"):
            (work / name).symlink_to(ROOT / name)
        timed(work, "plan", ["snakemake", "--cores", "2", "--configfile", str(STUDY), "--dry-run", "--quiet"])
        replay(read_study(STUDY), read_records(published / "records.jsonl"), work / "measurements")
        (work / "study.json").symlink_to(STUDY)
        for name in ("hardware.json", "demonstration.json"):
            shutil.copy(published / name, work)
        for name, options in COMMANDS.items():
            timed(work, name, [sys.executable, "-m", "gnn_checkpointing", name, *options.split()])
            if name == "collect":
                # Byte traces are not replayed: the page shows one cell a convolution, however many there are.
                (work / "traces.json").write_bytes(bounded_bytes(published / "traces.json"))
                seal(work / "traces.json")
        sys.stdout.write(f"report.html: {(work / 'page/report.html').stat().st_size / 1e6:.2f} MB\n")


COMMANDS = {
    "collect": "--study study.json --measurements measurements --output-folder .",
    **dict.fromkeys(("analyse", "judge", "audit", "knowledge"), "--run ."),
    "report": f"--run . --templates {ROOT / 'templates'} --output-folder page",
}


def timed(folder: Path, name: str, command: list[str]) -> None:
    """Run a command and print its seconds and the most memory it had."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    begin = time.monotonic()
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{name} failed:\n{(folder / 'output.txt').read_text()[-2000:]}")
    sys.stdout.write(f"{name}: {time.monotonic() - begin:.1f} s, {used.ru_maxrss / 1024:.0f} MiB\n")
    sys.stdout.flush()


def replay(study: Study, known: list[CellRecord], folder: Path) -> None:
    """Write a record for each cell of the study, and the list of each graph's."""
    for spec in study_graphs(study):
        assert isinstance(spec, GeneratedGraph)
        files = {}
        for cell in graph_cells(study, spec):
            near = [record for record in known if record.convolution == cell.convolution]
            model = min(near, key=lambda record: abs(math.log(record.graph.average_degree / spec.average_degree)))
            path = folder / spec.id / f"{cell.id}.json"
            told = {"study": study.name, "cell": cell.id, "seed": cell.seed, "timed": cell.timed}
            values = model.model_dump(mode="json") | told
            values["policies"] = [_scaled(policy, spec, model) for policy in values["policies"]]
            values["graph"] |= _facts(spec)
            write_json(path, values)
            files[path.name] = sha256_of(path)
        listed = {"graph": spec.id, "settings": "", "seconds": 1.0, "cells": files, "traces": {}}
        write_json(folder / spec.id / "complete.json", listed)
        seal(folder / spec.id / "complete.json")


def _facts(spec: GeneratedGraph) -> dict[str, Any]:
    return {
        "id": spec.id,
        "label": f"{spec.family}, {spec.num_nodes} nodes, degree {spec.average_degree:g}, replicate {spec.replicate}",
        "family": spec.family,
        "sha256": digest(spec.id, 64),
        "num_nodes": spec.num_nodes,
        "num_edges": spec.num_edges,
        "requested_average_degree": spec.average_degree,
        "average_degree": spec.num_edges / spec.num_nodes,
        "density": spec.num_edges / spec.num_nodes / (spec.num_nodes - 1),
        "num_features": spec.num_features,
        "replicate": spec.replicate,
    }


def _scaled(policy: dict[str, Any], spec: GeneratedGraph, model: CellRecord) -> dict[str, Any]:
    """Return what a policy did on another graph of that degree: bytes and seconds grow with its edges."""
    factor = spec.num_edges / model.graph.num_edges
    memory, steps = policy["memory"], policy["steps"]
    if memory:
        parts = ("resident_bytes", "policy_resident_bytes", "saved_activation_bytes", "transient_bytes")
        memory |= {name: round(memory[name] * factor) for name in parts}
        memory["peak_memory_bytes"] = sum(memory[name] for name in parts if name != "policy_resident_bytes")
    if steps:
        for name in ("wall_seconds", "forward_seconds", "cpu_seconds", "system_seconds"):
            steps[name] = [seconds * factor for seconds in steps[name]]
    return policy


if __name__ == "__main__":
    main()
