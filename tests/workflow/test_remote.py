"""Jobs on machines that share no folder with the run: each takes inputs from a storage and leaves outputs in it."""

import io
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.audit.validate import complaints
from gnn_checkpointing.collecting import PACKED, pack_cells, unpack_cells
from gnn_checkpointing.measurement.supervise import COMPLETE, completed_records
from gnn_checkpointing.packed import packed_files
from gnn_checkpointing.refusal import Refusal

from .checkout import Checkout, counts

STUDY = """
name: remote
title: Study on machines that share no folder
seed: 3
graphs:
  generated:
    - {family: sbm, num_nodes: [120], average_degrees: [8], num_features: 16, num_classes: 3}
architecture: {convolutions: [GCN], num_layers: 3, hidden_channels: 16}
policies: [none, layers]
measurement: {device: cpu, processes: 1, rounds: {at_least: 3, at_most: 5}, seconds_per_cell: 0.05}
training: {epochs: 4, save_every: 2, graphs: {num_nodes: [120], average_degrees: [8]}}
"""

SUBMIT = """#!/bin/bash
# A node with a disk of its own: it has the clone and the storage, but not the folder of the run.
node=$(mktemp -d {nodes}/XXXXXX)
cp "$1" $node/jobscript
echo $node
( cd $node; bash ./jobscript > said 2>&1; echo $? > status ) > /dev/null 2>&1 &
"""

STATUS = """#!/bin/bash
[ -f $1/status ] || { echo running; exit; }
[ "$(cat $1/status)" = 0 ] && echo success || echo failed
"""


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def run(command: list[str], folder: Path, checkout: Checkout, nodes: Path) -> str:
    """What Snakemake says in the folder of the run."""
    done = subprocess.run(command, cwd=folder, env=checkout.environment, text=True, capture_output=True, timeout=600)
    logs = "".join(path.read_text()[-2000:] for path in nodes.glob("*/said"))
    assert done.returncode == 0, done.stderr[-4000:] + logs[-8000:]
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_study_runs_where_only_inputs_and_outputs_are_handed_on(tmp_path: Path) -> None:
    if shutil.which("rsync") is None:
        pytest.skip("the storage plugin copies by rsync, which is missing: on Debian, apt-get install rsync")
    folder, nodes, storage = (tmp_path / name for name in ("run", "nodes", "storage"))
    for place in (folder, nodes, storage):
        place.mkdir()
    checkout = Checkout(tmp_path / "clone")
    (folder / "study.yaml").write_text(STUDY)
    command = [
        *("snakemake", "--jobs", "2", "--snakefile", str(checkout.folder / "workflow/Snakefile")),
        *("--workflow-profile", str(checkout.folder / "profiles/default"), "--configfile", "study.yaml"),
        *("--config", "hardware={slug: elsewhere}", "--executor", "cluster-generic"),
        *("--cluster-generic-submit-cmd", str(script(tmp_path / "submit", SUBMIT.replace("{nodes}", str(nodes))))),
        *("--cluster-generic-status-cmd", str(script(tmp_path / "status", STATUS))),
        *("--default-storage-provider", "fs", "--default-storage-prefix", str(storage)),
        *("--shared-fs-usage", "sources", "source-cache", "--seconds-between-status-checks", "1"),
    ]
    said = run(command, folder, checkout, nodes)
    assert "15 of 15 steps" in said
    assert len(list(nodes.iterdir())) >= 10
    report = storage / "report/elsewhere/remote"
    assert complaints(report, 600) == []
    assert {"measurements.csv", "records.jsonl"} <= set(packed_files(report))
    index = (storage / "report/index.html").read_text()
    assert 'href="elsewhere/remote/report.html"' in index
    assert "Left out" not in index
    assert not list(folder.glob("results/elsewhere"))
    # After a change of the study what has no digest of its settings in its path is made again, but no cell is.
    (folder / "study.yaml").write_text(STUDY.replace("[8], num_features", "[6, 8], num_features"))
    said = run([*command, "--dry-run", "--quiet", "rules"], folder, checkout, nodes)
    planned = counts(said)
    assert {planned[rule] for rule in ("graph", "measure", "study", "collect", "report", "index")} == {1}
    assert "train" not in planned


def test_cells_come_out_of_their_pack_as_they_went_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the missing ones have just as many bytes as are allowed."""
    monkeypatch.setattr("gnn_checkpointing.collecting.MOST_BYTES", 256)
    here, there = tmp_path / "here", tmp_path / "there"
    write_json(here / COMPLETE, listing(traces={"one.npz": "0" * 64}))
    (here / "one.json").write_text("{}")
    (here / "one.npz").write_bytes(bytes(range(256)))
    pack_cells(here / COMPLETE)
    there.mkdir()
    for name in (PACKED, COMPLETE):
        shutil.copy(here / name, there)
    (there / "one.json").write_text("kept")
    unpack_cells(there / COMPLETE)
    assert (there / "one.npz").read_bytes() == bytes(range(256))
    assert (there / "one.json").read_text() == "kept"


def listing(**changes: object) -> dict[str, object]:
    cells = {"one.json": "0" * 64}
    return {"graph": "g", "settings": "s", "seconds": 1.0, "cells": cells, "traces": {}, **changes}


def pack(name: str = "one.json", content: bytes = b"{}", *places: int) -> bytes:
    """An archive of one file, some of its bytes turned over."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, content)
    found = bytearray(stream.getvalue())
    for place in places:
        found[place] ^= 0xFF
    return bytes(found)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        pack("other.json"),
        pack("one.json", b"{}", 6, pack().index(b"PK\x01\x02") + 8),  # as if it were encrypted
        pack("one.json", b"{}", 8, pack().index(b"PK\x01\x02") + 10),  # by a method that nobody knows
        pack("one.json", b"{}" * 100, 39, 40),
        lambda: pack("one.json", bytes(2**29 + 1)),  # takes seconds, and not wherever tests are collected
    ],
    ids=["empty", "none", "other", "encrypted", "method", "damaged", "bomb"],
)
def test_a_spoilt_pack_is_refused_in_one_sentence(content: bytes | Callable[[], bytes], tmp_path: Path) -> None:
    write_json(tmp_path / COMPLETE, listing())
    (tmp_path / PACKED).write_bytes(content if isinstance(content, bytes) else content())
    with pytest.raises(Refusal, match=r"cells\.zip: not readable .*; delete .* and measure again"):
        unpack_cells(tmp_path / COMPLETE)
    assert not (tmp_path / "one.json").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "field record"),
        (None, "field record"),
        ({}, "field graph"),
        (listing(cells=5), "field cells"),
        (listing(cells={"../../one.json": "0" * 64}), "field cells"),
        (listing(cells={"a/b.json": "0" * 64}), "field cells"),
        (listing(cells={"one.json": 5}), "field cells.one.json"),
        (listing(traces=None), "field traces"),
        (listing(seconds="long"), "field seconds"),
    ],
)
def test_a_spoilt_list_of_cells_is_refused_in_one_sentence(content: object, said: str, tmp_path: Path) -> None:
    write_json(tmp_path / COMPLETE, content)
    (tmp_path / PACKED).write_bytes(pack())
    for read in (unpack_cells, lambda path: list(completed_records(path))):
        with pytest.raises(Refusal, match=rf"complete\.json: {said}"):
            read(tmp_path / COMPLETE)
