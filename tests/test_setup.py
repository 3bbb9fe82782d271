"""Set-up names what the machine lacks in one sentence; versions, README and lock agree with the publications."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata, version
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("fails_on", "words"),
    [
        ("sys.version_info", "older than Python 3.11"),
        ("ensurepip", "has no venv module"),
        ("", "is missing or older than Python 3.11"),
    ],
)
def test_a_python_that_will_not_do_is_refused_in_one_sentence(fails_on: str, words: str, tmp_path: Path) -> None:
    python = tmp_path / "python3"
    if fails_on:  # else there is none
        python.write_text(f'#!/bin/sh\ncase "$*" in *{fails_on}*) exit 1;; esac\n')
        python.chmod(0o755)
    command = ["make", "--no-print-directory", "setup", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode != 0
    (sentence,) = [line for line in found.stderr.splitlines() if line.startswith("error:")]
    assert words in sentence
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("name", ["nosuch", "smoke default", "a'b", "$$(touch hacked)", '"; touch hacked; "'])
def test_a_study_that_is_not_there_is_refused_with_those_that_are(name: str, tmp_path: Path) -> None:
    command = ["make", "-o", str(ROOT / ".venv/.ready"), "report", f"STUDY={name}"]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "MAKEFLAGS": "", "MAKELEVEL": "0"}
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert found.returncode != 0 and "Traceback" not in found.stderr
    (said,) = [line for line in found.stderr.splitlines() if not line.startswith("make: ")]
    shown = name.replace("$$", "$")
    assert f"error: no study {shown} in workflow/studies; leave STUDY out for the default, or name one of" in said
    assert " smoke " in said
    assert not (ROOT / "hacked").exists()


@pytest.mark.parametrize("content", [b"", b"- x", b"name:\n\ttabs: 1\n", "name: ü".encode("utf-16"), b"seed: one\n"])
def test_a_file_that_is_no_study_is_refused_before_snakemake_reads_it(content: bytes, tmp_path: Path) -> None:
    """Snakemake would say less, and of some with its own traceback."""
    (tmp_path / "workflow/studies").mkdir(parents=True)
    (tmp_path / "workflow/studies/mine.yaml").write_bytes(content)
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "-o", f"{tmp_path}/.venv/.ready", "report"]
    environment = os.environ | {
        "XDG_CACHE_HOME": str(tmp_path),
        "MAKEFLAGS": "",
        "MAKELEVEL": "0",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    found = subprocess.run([*command, "STUDY=mine"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert found.returncode == 2
    (said,) = [line for line in found.stderr.splitlines() if not line.startswith("make: ")]
    assert said.startswith("error: workflow/studies/mine.yaml: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["workflow"]


def test_the_answer_in_the_readme_is_the_published_one() -> None:
    """README quotes the headlines of the default and frontier studies word for word."""
    text = " ".join((ROOT / "README.md").read_text().replace("\n> ", " ").split())
    summaries = [json.loads(path.read_text()) for path in ROOT.glob("report/*/*/summary.json")]
    headlines = {one["study"]["name"]: " ".join(one["headline"].split()) for one in summaries}
    assert headlines["default"] in text
    assert headlines["frontier"] in text
    answer = text.split("**The answer**")[1].split("## Install")[0]
    shares = set(re.findall(r"[\d.]+ %", answer))
    assert shares and shares <= set(re.findall(r"[\d.]+ %", headlines["default"] + headlines["frontier"]))


def test_the_last_version_is_that_of_the_last_publication_everywhere() -> None:
    """A publication gives a version to the unreleased changes, in CHANGELOG.md, pyproject.toml and CITATION.cff."""
    (last, day), *_ = re.findall(r"^## \[([\d.]+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == last
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], str(citation["date-released"])) == (last, day)
    measured = [json.loads(path.read_text())["measured_on"] for path in ROOT.glob("report/*/*/summary.json")]
    assert max(measured) <= day


def test_the_lock_can_be_installed_by_every_python_that_is_asked_for() -> None:
    """Checks the packages installed here at their pinned versions; old systems have the first Python 3.11."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "3.11.0" in SpecifierSet(project["requires-python"])
    pins = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    found = {name: metadata(name) for name, pin in pins if version(name) == pin}
    assert len(found) > 0.9 * len(pins)
    needs = {name: one["Requires-Python"] for name, one in found.items() if one["Requires-Python"]}
    assert {name: said for name, said in needs.items() if "3.11.0" not in SpecifierSet(said)} == {}


def test_starting_the_workflow_imports_no_large_library() -> None:
    """Every run of Snakemake pays for what the rules import: with pandas and scipy two seconds more."""
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    imported = re.findall(r"^from gnn_checkpointing\S* import (?:\([^)]*\)|.*)", rules, re.MULTILINE)
    assert len(imported) > 10
    heavy = "set(sys.modules) & {'torch', 'pandas', 'scipy', 'matplotlib', 'typst'}"
    said = subprocess.run(
        [sys.executable, "-c", "\n".join(["import sys", *imported, f"print({heavy} or 'none')"])],
        capture_output=True,
        text=True,
    )
    assert said.stdout.strip() == "none", said.stderr
