"""What Snakemake's users expect of it: studies checked by a schema; conda, environment modules, a container."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from .checkout import ROOT, SMOKE, Checkout

ENVIRONMENT = ROOT / "workflow/envs/gnn_checkpointing.yaml"
MODULES = ROOT / "workflow/envs/modules"

CONDA = """#!/bin/sh
case "$*" in
  *--version*) echo conda 25.9.0 ;;
  "info --json") echo '{"conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
  *channel_priority*) echo '{"get": {"channel_priority": "strict"}}' ;;
  *) echo "a dry run needs no: conda $*" >&2; exit 1 ;;
esac
"""
"""What a dry run asks of conda, which is not installed where tests run."""

MODULE = """
module() { echo "module $*" >> "$MODULES_LOG"; }
export -f module
"""


def project(name: str) -> str:
    """A package's name as `pip` compares names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!;\[ ]", name)[0]).lower()


def pinned(lines: list[str]) -> dict[str, str]:
    return {project(line): line.split("==")[1] for line in lines if "==" in line and not line.startswith("#")}


def test_the_conda_environment_pins_what_the_lock_pins() -> None:
    """Every library that the pipeline asks for, and nothing else; Snakemake runs outside of it."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {project(name) for name in asked["dependencies"] + asked["optional-dependencies"]["report"]}
    *conda, pip = yaml.safe_load(ENVIRONMENT.read_text())["dependencies"]
    assert all(re.fullmatch(r"[a-z]+=\d[\d.]*", one) for one in conda)
    found, locked = pinned(pip["pip"]), pinned((ROOT / "requirements.lock").read_text().splitlines())
    assert set(found) == wanted - {"snakemake"}
    assert found == {name: locked[name] for name in found}


def test_a_study_that_only_the_schema_refuses_is_one_sentence(tmp_path: Path) -> None:
    """Python would read the number between the quotes."""
    checkout = Checkout(tmp_path)
    checkout.edit(SMOKE, "seed: 7", 'seed: "7"')
    said = checkout.refused("--dry-run")
    assert "smoke.yaml: key seed: '7' is not of type 'integer' (by workflow/studies/schema.json" in said


def test_a_dry_run_with_conda(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    conda = tmp_path / "bin/conda"
    conda.parent.mkdir()
    conda.write_text(CONDA)
    conda.chmod(0o755)
    checkout.environment["PATH"] = f"{conda.parent}:{checkout.environment['PATH']}"
    said = checkout.run("--dry-run", "--software-deployment-method", "conda")
    assert said.count("Conda environment workflow/envs/gnn_checkpointing.yaml will be created") == 1


def test_every_command_loads_the_environment_module(tmp_path: Path) -> None:
    """Of the stub that a shell finds: the machine is described after the module is loaded."""
    checkout = Checkout(tmp_path)
    (tmp_path / "module.sh").write_text(MODULE)
    log = tmp_path / "modules.log"
    checkout.environment |= {"BASH_ENV": str(tmp_path / "module.sh"), "MODULES_LOG": str(log)}
    checkout.run("--software-deployment-method", "env-modules", "--until", "hardware")
    assert log.read_text().splitlines() == ["module purge", "module load gnn-checkpointing"]
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert rules.count("envmodules:") == rules.count("conda:") == rules.count("shell:")


def test_the_module_file_finds_the_projects_environment() -> None:
    bash = "/usr/share/modules/init/bash"
    if not Path(bash).exists():
        pytest.skip("no environment modules here: on Debian, apt-get install environment-modules")
    line = f". {bash}; module use {MODULES}; module load gnn-checkpointing; echo $PATH; echo $VIRTUAL_ENV"
    said = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].split(":")[0] == f"{ROOT}/.venv/bin"
    assert said[1] == f"{ROOT}/.venv"


def test_the_container_runs_the_commands_of_the_readme() -> None:
    recipe, readme = (ROOT / "Containerfile").read_text(), (ROOT / "README.md").read_text()
    runs = re.findall(r"^RUN (make .*)$", recipe, re.MULTILINE)
    (last,) = re.findall(r"^CMD \[(.*)\]$", recipe, re.MULTILINE)
    commands = [*runs, last.replace('"', "").replace(",", "")]
    assert commands == ["make setup", "make report"]
    assert all(re.search(rf"(^|\(`){command}\b", readme, re.MULTILINE) for command in commands)


def test_the_container_file_is_linted() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("no hadolint here: `make setup` installs it where there is one for the platform")
    done = subprocess.run([hadolint, "Containerfile"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
