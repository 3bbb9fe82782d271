"""The workflow is taken as a module by another one, from a clone, with nothing of it installed; and it reports."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .checkout import SMOKE, Checkout, counts

pytestmark = pytest.mark.minutes

OTHER = """
configfile: "settings/config.yaml"

module checkpointing:
    snakefile: "{clone}/workflow/Snakefile"
    config: config

use rule * from checkpointing as checkpointing_*

rule all:
    default_target: True
    input: rules.checkpointing_all.input
"""


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The folder of another workflow, which has a study and takes all rules from a clone of this project."""
    clone = Checkout(tmp_path / "clone")
    folder = tmp_path / "other"
    (folder / "settings").mkdir(parents=True)
    shutil.copy(clone.folder / SMOKE, folder / "settings/config.yaml")
    (folder / "Snakefile").write_text(OTHER.format(clone=clone.folder))
    return folder


def test_another_workflow_takes_every_rule(other: Path) -> None:
    done = snakemake(other, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    jobs = counts(done.stdout)
    assert jobs["checkpointing_measure"] == 8
    assert jobs["checkpointing_report"] == jobs["all"] == 1


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


@pytest.mark.minutes
def test_snakemakes_own_report_has_pages_tables_and_figures(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.run()
    checkout.run("--report", "report.zip")
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        names = {Path(name).name: name for name in archive.namelist()}
        data = archive.read(names["data.tar.xz"])
    assert {"report.html", "report.pdf", "appendix.html", "appendix.pdf", "index.html"} <= set(names)
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        packed_names = packed.getnames()
    assert "measurements.csv" in packed_names
    assert any(name.startswith("figures/figure-") for name in packed_names)
