"""Evidence is read as a reviewer would read it: by file, entry and field, with what is to be worked out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .addresses import values_at

LABEL = "SBM, 20 nodes, degree 4"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    entries = [
        {"base": LABEL, "level": "8", "chosen": True, "ratio": {"estimate": 0.5}, "points": [{"n": 3}, {"n": 4}]},
        {"base": "Cora", "level": "8", "chosen": False, "ratio": {"estimate": 2.0}, "points": []},
    ]
    (tmp_path / "a.json").write_text(json.dumps({"list": entries, "names": ["x", "y", "z"]}))
    return tmp_path


@pytest.mark.parametrize(
    ("evidence", "values"),
    [
        ("analysis/a.json: list[base=Cora].ratio", [2.0]),
        (f"analysis/a.json: list[base={LABEL},level=8].ratio", [0.5]),
        ("analysis/a.json: list[level=8].ratio", [0.5, 2.0]),
        ("analysis/a.json: list[chosen=true].points[].n", [3.0, 4.0]),
        ("analysis/a.json: list[level=8].points", [2.0, 0.0]),
        ("analysis/a.json: names", [3.0]),
        ("analysis/a.json: list[base=Cora].ratio / 4; analysis/a.json: names", [0.5, 3.0]),
        ("analysis/a.json: names / (1 + analysis/a.json: list[base=Cora].ratio)", [1.0]),
        ("analysis/a.json: names * analysis/a.json: list[base=Cora].ratio / 3", [2.0]),
    ],
)
def test_an_address_leads_to_its_numbers(folder: Path, evidence: str, values: list[float]) -> None:
    assert values_at(folder, evidence) == values


def test_an_address_that_leads_nowhere_is_noticed(folder: Path) -> None:
    with pytest.raises(AssertionError, match="nothing stands at"):
        values_at(folder, "analysis/a.json: list[base=Citeseer].ratio")
