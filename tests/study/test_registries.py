"""A new policy, family or convolution is two files: what does it, and its row. All are measured and printed."""

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

POLICY_FILE = '''
"""Recompute every layer but the first."""

from torch import nn

from gnn_checkpointing.checkpointing.layers import checkpoint_layers
from gnn_checkpointing.study.policy_names import PolicyName


def wrap(model: nn.Module, name: PolicyName, lenient: bool) -> None:
    checkpoint_layers(model)
'''
POLICY_ROW = """
    "all_but_first": Policy(
        "recomputes every layer but the first", ("#123456", "s", ()), "whole layers or operators", eager=True,
        wrapper="gnn_checkpointing.checkpointing.all_but_first:wrap",
    ),
"""
FAMILY_FILE, FAMILY_ROW = (
    textwrap.dedent(text)
    for text in re.findall(
        r"^   ```text\n(.*?)^   ```",
        (ROOT / "docs/how-to/extend.md").read_text().split("## A family")[1].split("\n## ")[0],
        re.DOTALL | re.MULTILINE,
    )
)
"""As the documentation has them."""

CONVOLUTION_FILE = '''
"""A weighted sum of neighbours beside the node itself."""

from torch_geometric.nn import GraphConv


def graph_conv(before, after, architecture):
    return GraphConv(before, after)
'''
CONVOLUTION_ROW = '    "Graph": ConvolutionRow("sum of neighbours", "gnn_checkpointing.models.sums:graph_conv"),\n'


def with_row(path: Path, table: str, row: str) -> None:
    """Add a row at the top of a registry's table."""
    before, after = path.read_text().split(table)
    path.write_text(before + table + "\n" + row.strip("\n") + after)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with a policy, a family and a convolution more: two files touched for each."""
    workflow = tmp_path_factory.mktemp("workflow")
    copy = workflow / "gnn_checkpointing"
    shutil.copytree(ROOT / "workflow/gnn_checkpointing", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (workflow.parent / "templates").symlink_to(ROOT / "templates")
    (copy / "checkpointing/all_but_first.py").write_text(POLICY_FILE.lstrip())
    with_row(copy / "study/policy_names.py", "POLICIES: dict[str, Policy] = {", POLICY_ROW)
    (copy / "graphs/families/lattice.py").write_text(FAMILY_FILE)
    with_row(copy / "study/families.py", "FAMILIES: dict[str, FamilyRow] = {", FAMILY_ROW)
    (copy / "models/sums.py").write_text(CONVOLUTION_FILE.lstrip())
    with_row(copy / "study/convolutions.py", "CONVOLUTIONS: dict[str, ConvolutionRow] = {", CONVOLUTION_ROW)
    study = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())
    study["graphs"]["generated"][0] |= {"family": "lattice", "num_nodes": [60], "average_degrees": [4]}
    study["architecture"]["convolutions"] = ["Graph"]
    study["policies"] = ["none", "all_but_first"]
    study["training"].pop("graphs")
    (workflow / "study.yaml").write_text(yaml.safe_dump(study))
    return workflow


def run(package: Path, *command: str) -> str:
    """What a command prints that imports the copy."""
    surroundings = os.environ | {"PYTHONPATH": str(package), "GNN_CHECKPOINTING_LOCK": f"{package}/.lock"}
    found = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=package, env=surroundings)
    assert found.returncode == 0, found.stderr
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
    assert set(found) == {"none", "all_but_first"}
    assert all(one["outcome"] == "completed" for one in found.values())
    saved = {name: one["memory"]["saved_activation_bytes"] for name, one in found.items()}
    assert saved["all_but_first"] < saved["none"]


def test_all_are_printed_with_the_words_of_their_rows(package: Path) -> None:
    program = """
from gnn_checkpointing.report.figures.palette import family, looks
from gnn_checkpointing.report.sections import method, parts
from gnn_checkpointing.study.reading import study_schema
policy, schema = "all_but_first", str(study_schema())
print(parts.NAMES["lattice"], "|", method.POLICIES[policy].words, "|", looks([policy])[policy].colour)
print(family(policy), "|", "lattice (neighbours on a ring)" in schema, "|", policy in schema)
print("Graph (sum of neighbours)" in schema)
"""
    assert run(package, "-c", program).splitlines() == [
        "Lattice | recomputes every layer but the first | #123456",
        "whole layers or operators | True | True",
        "True",
    ]
