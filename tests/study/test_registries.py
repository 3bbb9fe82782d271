"""What the documentation adds as examples is measured, judged and printed: two files each, and no other."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

EXTEND = (ROOT / "docs/how-to/extend.md").read_text()


def section(title: str) -> tuple[str, list[str]]:
    """A section of the page that says how to add something, and its blocks as its reader copies them."""
    (text,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", EXTEND, re.DOTALL | re.MULTILINE)
    return text, [
        textwrap.dedent(one) for one in re.findall(r"^   ```\w+\n(.*?)^   ```", text, re.DOTALL | re.MULTILINE)
    ]


def follow(title: str, workflow: Path) -> None:
    """Write the file, and add its row at the end of the table."""
    text, (code, row) = section(title)
    ((file, table, registry),) = re.findall(
        r"1\. Write `workflow/(.*?)`.*2\. Add a row at the end of `(\w+)` in `workflow/(.*?)`", text, re.DOTALL
    )
    (workflow / file).write_text(code)
    place = workflow / registry
    before, rows, after = re.split(rf"^({table}: .*?\n)(?=\}})", place.read_text(), flags=re.MULTILINE | re.DOTALL)
    place.write_text(before + rows + textwrap.indent(row, "    ") + after)
    for command in (("check",), ("format", "--diff")):
        linter = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(ROOT / "workflow" / file), "-"]
        found = subprocess.run(linter, input=code, capture_output=True, text=True, cwd=ROOT)
        assert found.returncode == 0, found.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the documentation's policy, family, convolution and claim: two files for each."""
    workflow = tmp_path_factory.mktemp("workflow")
    copy = workflow / "gnn_checkpointing"
    shutil.copytree(ROOT / "workflow/gnn_checkpointing", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (workflow.parent / "templates").symlink_to(ROOT / "templates")
    for title in ("A policy", "A family of graphs", "A convolution"):
        follow(title, workflow)
    _, (entry, test) = section("A claim")
    theme = copy / "claims/catalogue/1_density.yaml"
    theme.write_text(f"{theme.read_text().rstrip()}\n{textwrap.indent(entry, '  ')}")
    (workflow / "test_double_time.py").write_text(test)
    study = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())
    study["graphs"]["generated"][0] |= {"family": "lattice", "num_nodes": [60], "average_degrees": [4]}
    study["architecture"]["convolutions"] = ["Graph"]
    study["policies"] = ["none", "alternate"]
    study["training"].pop("graphs")
    (workflow / "study.yaml").write_text(yaml.safe_dump(study))
    return workflow


def run(package: Path, *command: str) -> str:
    """What a command prints that imports the copy, and what tests share."""
    surroundings = os.environ | {
        "PYTHONPATH": f"{package}{os.pathsep}{ROOT / 'tests'}",
        "GNN_CHECKPOINTING_LOCK": f"{package}/.lock",
    }
    found = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=package, env=surroundings)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_a_new_policy_family_and_convolution_are_measured(package: Path) -> None:
    command, study = ("-m", "gnn_checkpointing"), ("--study", "study.yaml")
    graph = run(package, *command, "design", *study).splitlines()[1].split("\t")[1]
    assert graph.startswith("lattice-n60-d4")
    named = ("--graph", graph)
    run(package, *command, "graph", *study, *named, "--output", "graph.npz")
    run(package, *command, "measure", *study, *named, "--graph-file", "graph.npz", "--output", "out/complete.json")
    (record,) = [json.loads(path.read_text()) for path in (package / "out").glob("lattice*.json")]
    assert (record["graph"]["family"], record["convolution"]) == ("lattice", "Graph")
    found: dict[str, Any] = {one["policy"]: one for one in record["policies"]}
    assert set(found) == {"none", "alternate"}
    assert all(one["outcome"] == "completed" for one in found.values())
    saved = {name: one["memory"]["saved_activation_bytes"] for name, one in found.items()}
    assert saved["alternate"] < saved["none"]


def test_all_are_printed_with_the_words_of_their_rows(package: Path) -> None:
    program = """
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.sections import method, parts
from gnn_checkpointing.study.reading import study_schema
policy, schema = "alternate", str(study_schema())
print(parts.NAMES["lattice"], "|", method.POLICIES[policy].words, "|", looks([policy])[policy].colour)
print(looks([policy])[policy].marker, "|", "lattice (neighbours on a ring)" in schema, "|", policy in schema)
print("Graph (sum of neighbours beside the node)" in schema)
"""
    assert run(package, "-c", program).splitlines() == [
        "Lattice | recomputes every second layer | #8a6d00",
        "h | True | True",
        "True",
    ]


def test_a_new_claim_is_judged_both_ways(package: Path) -> None:
    said = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "test_double_time.py")
    assert "2 passed" in said
