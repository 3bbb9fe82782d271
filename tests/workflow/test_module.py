"""The workflow is taken as a module by another one, with nothing of it installed; and Snakemake reports on it."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .checkout import ROOT, SMOKE, Checkout, counts

pytestmark = pytest.mark.minutes

DEPLOYED = """
from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


# declare https://github.com/owner/gnn-checkpointing as a module
module gnn_checkpointing:
    snakefile:
        github("owner/gnn-checkpointing", path="workflow/Snakefile", tag="v1")
    config:
        config


# use all rules from https://github.com/owner/gnn-checkpointing
use rule * from gnn_checkpointing
"""
"""What snakedeploy 0.17 writes into workflow/Snakefile, beside copies of the folders config and profiles."""

PAGE = (ROOT / "docs/how-to/cluster.md").read_text().partition("## As part of another workflow")[2]
OTHER = PAGE.split("```text\n")[1].split("```")[0]


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The folder of another workflow, which has a study and takes all rules from a clone of this project."""
    clone = Checkout(tmp_path / "clone")
    folder = tmp_path / "other"
    (folder / "config").mkdir(parents=True)
    shutil.copy(clone.folder / SMOKE, folder / "config/config.yaml")
    assert "path/to/clone" in OTHER
    (folder / "Snakefile").write_text(OTHER.replace("path/to/clone", str(clone.folder)))
    return folder


def test_another_workflow_takes_every_rule(other: Path) -> None:
    done = snakemake(other, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    jobs = counts(done.stdout)
    assert jobs["checkpointing_measure"] == 8
    assert jobs["checkpointing_report"] == jobs["checkpointing_all"] == 1


def test_its_rules_run_the_code_of_the_clone(other: Path) -> None:
    """From a name that only the clone has: what is installed is another copy."""
    clone = other.parent / "clone"
    (clone / "workflow/gnn_checkpointing/__main__.py").write_text("print('from the clone'); raise SystemExit(3)")
    done = snakemake(other, "--until", "checkpointing_hardware", "--quiet", "rules")
    assert done.returncode != 0
    (log,) = other.glob("results/*/smoke/logs/hardware.log")
    assert "from the clone" in log.read_text()


def test_a_missing_library_is_one_sentence(other: Path) -> None:
    package = other.parent / "clone/workflow/gnn_checkpointing/study/reading.py"
    package.write_text("import a_library_that_is_not_there")
    done = snakemake(other, "--dry-run")
    assert done.returncode != 0
    assert "a_library_that_is_not_there is not installed; run `make setup`" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as `snakedeploy deploy-workflow` leaves it; what GitHub would have is in Snakemake's cache already."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    clone = Checkout(tmp_path / "clone").folder
    cached = tmp_path / "cache/snakemake/snakemake/source-cache/snakemake-git-cache/github.com/owner/gnn-checkpointing"
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (
        ("init", "--quiet"),
        ("add", "--all"),
        (*author, "commit", "--quiet", "--message", "One"),
        ("tag", "v1"),
        ("clone", "--quiet", "--bare", ".", str(cached)),
    ):
        subprocess.run(["git", *command], cwd=clone, check=True)
    folder = tmp_path / "deployed"
    (folder / "workflow").mkdir(parents=True)
    (folder / "workflow/Snakefile").write_text(DEPLOYED)
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    shutil.rmtree(clone)
    return folder


def test_a_deployed_workflow_measures_and_snakemakes_report_has_every_page_figure_and_table(deployed: Path) -> None:
    """The study that the folder `config` has is the default one."""
    planned = snakemake(deployed, "--dry-run", "--quiet", "rules")
    assert counts(planned.stdout)["measure"] > 36, planned.stderr
    shutil.copy(ROOT / SMOKE, deployed / "config/config.yaml")
    for arguments in ((), ("--report", "report.zip")):
        done = snakemake(deployed, *arguments)
        assert done.returncode == 0, done.stderr[-4000:]
    with zipfile.ZipFile(deployed / "report.zip") as archive:
        names = {Path(name).name for name in archive.namelist()}
    assert {"report.html", "report.pdf", "appendix.html", "appendix.pdf", "index.html"} <= names
    assert {"measurements.csv", "claims.json"} <= names
    (folder,) = deployed.glob("report/*/smoke")
    shown = (folder / "report.html").read_text() + (folder / "appendix.html").read_text()
    tables = set(re.findall(r'id="?(table-[\w-]+)-caption', shown))
    drawings = set(re.findall(r'data-name="?([\w-]+)', shown))
    assert len(tables) > 20 and len(drawings) > 10
    assert {f"{name}.csv" for name in tables} | {f"{name}.svg" for name in drawings} <= names
