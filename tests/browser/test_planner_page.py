"""The planner in the page gives the same numbers as Python and the command line, to the last digit shown."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.planning import Planner
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.plan_words import advice, cells

from .conftest import ROOT, Opener

SCRIPTS = [ROOT / "templates/html/scripts" / name for name in ("numbers.js", "elements.js", "planner.js")]
QUESTIONS = 200


def questions(planner: Planner, seed: int) -> list[dict[str, Any]]:
    """Return questions within and far beyond what was measured, and some that are impossible."""
    chosen = random.Random(seed)
    found = []
    for _ in range(QUESTIONS):
        nodes = round(10 ** chosen.uniform(0.5, 7))
        heads = chosen.choice([1, 2, 4, 8])
        found.append(
            {
                "num_nodes": nodes,
                "num_edges": min(
                    round(nodes * 10 ** chosen.uniform(-1, 3.5)), nodes * (nodes - 1) + chosen.choice([0, 1])
                ),
                "convolution": chosen.choice(planner.knowledge.convolutions),
                "memory_gib": chosen.choice([1, 8, 24, round(10 ** chosen.uniform(-3, 2), 3), 10**10]),
                "num_layers": chosen.choice([1, 2, 4, 7]),
                "hidden_channels": heads * chosen.choice([1, 8, 16, 31]) + chosen.choice([0, 0, 0, 1]),
                "heads": heads,
                "num_features": chosen.choice([1, 32, 500]),
                "self_loops": chosen.random() < 0.2,
                "attention_dropout": chosen.random() < 0.2,
            }
        )
    return found


def by_python(planner: Planner, question: dict[str, Any]) -> dict[str, Any]:
    try:
        plan = planner.plan(**question)
    except Refusal:
        return {"wrong": True}
    rows = [list(cells(one)) for one in plan.policies]
    return {"advice": advice(plan), "rows": rows, "warnings": list(plan.warnings)}


@pytest.mark.parametrize("study", ["default", "prediction", "frontier"])
def test_the_page_says_what_python_says(opened: Opener, study: str) -> None:
    (file,) = ROOT.glob(f"report/*/{study}/planner.json")
    planner = Planner.read(file)
    asked = questions(planner, seed=6)
    script = "\n".join(path.read_text() for path in SCRIPTS)
    page = opened(file.parent / "report.html")
    answers = page.evaluate(
        f"([knowledge, asked]) => {{ {script}; return asked.map((one) => answerTo(knowledge, one)); }}",
        [json.loads(file.read_text()), asked],
    )
    refused = 0
    for question, answer in zip(asked, answers, strict=True):
        expected = by_python(planner, question)
        if "wrong" in expected:
            assert "wrong" in answer, question
            refused += 1
            continue
        assert {name: answer[name] for name in expected} == expected, question
    assert 0 < refused < QUESTIONS // 2


def test_the_command_line_says_what_python_says() -> None:
    (file,) = ROOT.glob("report/*/default/planner.json")
    planner = Planner.read(file)
    for question in questions(planner, seed=7)[:5]:
        expected = by_python(planner, question)
        flags = {
            "nodes": "num_nodes",
            "edges": "num_edges",
            "convolution": "convolution",
            "memory-gib": "memory_gib",
            "layers": "num_layers",
            "channels": "hidden_channels",
            "heads": "heads",
            "features": "num_features",
        }
        asked = [part for flag, name in flags.items() for part in (f"--{flag}", str(question[name]))]
        asked += [f"--{name.replace('_', '-')}" for name in ("self_loops", "attention_dropout") if question[name]]
        command = [sys.executable, "-m", "gnn_checkpointing", "plan", "--planner", str(file), *asked]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if "wrong" in expected:
            assert said.returncode == 2
            continue
        assert said.returncode == 0, said.stderr
        for row in expected["rows"]:
            assert all(cell in said.stdout for cell in row)
        assert expected["advice"] in said.stdout


def test_the_form_answers_as_it_is_filled(opened: Opener, report: Path) -> None:
    page = opened(report)
    planner = Planner.read(report.parent / "planner.json")
    form = page.locator(".planner form")
    for name, value in {"num_nodes": 5000, "num_edges": 900_000, "memory_gib": 0.5, "num_layers": 3}.items():
        form.locator(f"[name={name}]").fill(str(value))
    form.locator("[name=convolution]").select_option("GATv2")
    plan = planner.plan(num_nodes=5000, num_edges=900_000, memory_gib=0.5, num_layers=3, convolution="GATv2")
    assert page.locator(".planner .advice").inner_text() == advice(plan)
    shown = page.locator(".planner tbody tr").all()
    assert [row.locator("th, td").all_inner_texts() for row in shown] == [list(cells(one)) for one in plan.policies]
    assert page.locator(".planner .warnings li").all_inner_texts() == list(plan.warnings)
    form.locator("[name=num_nodes]").fill("10")
    assert page.locator(".planner .advice").inner_text().startswith("edges: so many nodes have at most")
    assert page.locator(".planner .table").is_hidden()
