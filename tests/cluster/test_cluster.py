"""A whole study on two nodes, one of which dies in the middle of a measuring job: the report, and how it came about."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.artefacts import digest, sha256_of
from gnn_checkpointing.audit.validate import complaints
from gnn_checkpointing.records.measurements_table import hosts, read_table
from waiting import wait_for
from workflow.checkout import Checkout

from .slurm import CORES, MEMORY_MIB, Cluster, Finished, what_is_lacking

ROOT = Path(__file__).resolve().parents[2]
STUDY = Path(__file__).parent / "study.yaml"
GUIDE = (ROOT / "docs/how-to/cluster.md").read_text()
(README,) = re.findall(r"^ +(snakemake --workflow-profile .*)$", GUIDE, re.MULTILINE)
(SLUG,) = re.findall(r"slug: ([a-z0-9-]+)", README)
ALONE = ("measure", "hardware")
TWO_PROCESSES = ("collect", "analyse")
DYING, LIVING = "n1", "n2"
SUBMITTED = re.compile(r"SLURM jobid (\d+) .*/rule_(\w+)/")

pytestmark = pytest.mark.timeout(1500)


@dataclass
class Run:
    """What is left of the study's run: its folder, what Snakemake said, and the jobs that came to an end."""

    folder: Path
    said: str
    status: int
    half_measured: dict[Path, bytes]
    jobs: list[Finished]

    def rule(self, job: Finished) -> str:
        return dict(SUBMITTED.findall(self.said))[job.id]

    def of(self, *rules: str) -> list[Finished]:
        return [job for job in self.jobs if self.rule(job) in rules]

    @property
    def report(self) -> Path:
        return self.folder / "report" / SLUG / "cluster"

    @property
    def results(self) -> Path:
        return self.folder / "results" / SLUG / "cluster"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Where none can be started tests are skipped, or fail under `make test-slurm`, which sets REQUIRE_SLURM."""
    if reason := what_is_lacking():
        (pytest.fail if os.environ.get("REQUIRE_SLURM") else pytest.skip)(reason)
    with Cluster() as running:
        yield running


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project on the file system that the nodes share."""
    return Checkout(tmp_path_factory.mktemp("copy")).folder


def started(cluster: Cluster, folder: Path, line: str) -> subprocess.Popen[str]:
    """Start the small study by a line such as README's, and look after its jobs more often than on a real cluster."""
    words = [*shlex.split(line), "--configfile", str(STUDY), "--latency-wait", "10"]
    often = ["--slurm-init-seconds-before-status-checks", "5", "--seconds-between-status-checks", "3"]
    environment = cluster.environment | {
        "PATH": f"{Path(sys.executable).parent}:{cluster.environment['PATH']}",
        "PYTHONPATH": str(folder / "workflow"),
    }
    with (folder / "said").open("w") as said:
        return subprocess.Popen([*words, *often], cwd=folder, env=environment, text=True, stdout=said, stderr=said)


def half_measured(folder: Path) -> dict[Path, bytes]:
    """Return the finished records of a graph that the dying node is measuring just now; nothing where there are none.

    The node is known by the records themselves.
    """
    for mark in folder.glob("results/*/*/measurements/*/*/unfinished"):
        records = {path: path.read_bytes() for path in mark.parent.glob("*.json")}
        if records and all(measured_on(content) == digest(DYING, 8) for content in records.values()):
            return records
    return {}


def measured_on(record: bytes) -> str:
    values: dict[str, Any] = json.loads(record)
    return str(values["host"]["id"]) if "host" in values else ""


@pytest.fixture(scope="module")
def run(cluster: Cluster, copy: Path) -> Run:
    process = started(cluster, copy, README)
    try:
        assert wait_for(lambda: half_measured(copy) or process.poll() is not None, 300), "no half-measured graph"
        found = half_measured(copy)
        cluster.kill(DYING)
        process.wait(timeout=900)
    finally:
        process.kill()
    return Run(copy, (copy / "said").read_text(), process.returncode, found, cluster.finished())


def test_it_ends_in_a_valid_report(run: Run) -> None:
    assert run.status == 0, run.said[-6000:]
    assert (run.report / "report.pdf").read_bytes().startswith(b"%PDF")
    assert complaints(run.report) == []


def test_a_job_died_with_its_node_and_ran_again_on_the_other(run: Run) -> None:
    lost = {job.id for job in run.of("measure") if job.state != "COMPLETED"}
    assert lost
    ends = [(job.node, job.state) for job in run.jobs if job.id in lost]
    assert {node for node, state in ends if state != "COMPLETED"} == {DYING}
    assert [node for node, state in ends if state == "COMPLETED"] == [LIVING] * len(lost)


def test_finished_records_of_the_job_that_died_are_kept_bit_for_bit(run: Run) -> None:
    assert run.half_measured
    assert {path: path.read_bytes() for path in run.half_measured} == run.half_measured


def test_nothing_is_half_written(run: Run) -> None:
    assert not list(run.results.rglob("unfinished"))
    for path in [*run.results.rglob("*.json"), *run.report.rglob("*.json")]:
        json.loads(path.read_bytes())
    complete = list(run.results.glob("measurements/*/*/complete.json"))
    assert len(complete) == 6
    for path in complete:
        listed = json.loads(path.read_bytes())
        for name, expected in (listed["cells"] | listed["traces"]).items():
            assert sha256_of(path.parent / name) == expected


def test_both_nodes_measured_and_the_table_says_which_what(run: Run) -> None:
    rows = read_table(run.report / "measurements.csv")
    assert {host for row in rows for host in hosts(row)} == {digest(node, 8) for node in (DYING, LIVING)}


def test_what_measures_has_a_whole_node_to_itself(run: Run) -> None:
    """Every core and all memory are its own, and no other job of the node overlaps it by a second."""
    alone = run.of(*ALONE)
    assert {(job.cores, job.memory_mib) for job in alone} == {(CORES, MEMORY_MIB)}
    for one, other in combinations(run.jobs, 2):
        if one.node == other.node and (one in alone or other in alone):
            assert one.ended <= other.started or other.ended <= one.started, (one, other)


def test_everything_else_shares_nodes(run: Run) -> None:
    """Each has the cores its rule names and no more memory than a job gets, and two of them are on one node at once."""
    shared = [job for job in run.jobs if job not in run.of(*ALONE)]
    assert {job.memory_mib for job in shared} == {4000}
    for job in shared:
        assert job.cores == (2 if job in run.of(*TWO_PROCESSES) else 1), run.rule(job)
    assert any(
        one.node == other.node and one.started < other.ended and other.started < one.ended
        for one, other in combinations(shared, 2)
    )


def test_the_type_of_node_must_be_named(cluster: Cluster, copy: Path) -> None:
    """The machine that submits is not the one that measures, so its own name will not do."""
    process = started(cluster, copy, README.partition(" --config ")[0])
    assert process.wait(timeout=120) == 2
    (sentence,) = [line for line in (copy / "said").read_text().splitlines() if line.startswith("error:")]
    assert "--config hardware=" in sentence
