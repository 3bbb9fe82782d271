"""A model of the user's own goes through the whole pipeline, and its results belong to what its files hold."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gnn_checkpointing.artefacts import read_json, sha256_of
from gnn_checkpointing.audit.validate import complaints
from gnn_checkpointing.records.measurements_table import read_table
from synthetic.studies import USERS_MODEL

from .checkout import Checkout

MODEL = USERS_MODEL.replace("import SAGEConv", "import SAGEConv\n\nfrom .widths import WIDTH").replace("8", "WIDTH")
GRID = {"family": "sbm", "num_nodes": [60], "average_degrees": [4, 8], "num_features": 6, "num_classes": 3}
STUDY: dict[str, Any] = {
    "name": "mine",
    "title": "A model of mine",
    "seed": 1,
    "graphs": {"generated": [GRID]},
    "architecture": {"module": "mine.models:build"},
    "policies": ["none", "layers", "edge_blocks", "reversible"],
    "measurement": {"rounds": {"at_least": 3, "at_most": 3}, "seconds_per_cell": 0.1, "processes": 1},
    "training": {"epochs": 4, "save_every": 2, "graphs": {"num_nodes": [60], "average_degrees": [8]}},
}


class Mine(Checkout):
    def study(self, **changes: Any) -> tuple[str, str]:
        """The option that names a study file, which it writes."""
        (self.folder / "study.yaml").write_text(yaml.safe_dump(STUDY | changes))
        return "--configfile", "study.yaml"

    def measured(self, width: int, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule ran for a model of that width; the results are of this width, and of no other."""
        (self.folder / "mine").mkdir(exist_ok=True)
        (self.folder / "mine/models.py").write_text(MODEL)
        (self.folder / "mine/widths.py").write_text(f"WIDTH = {width}\n")
        jobs = self.jobs(*self.study(), *arguments)
        (table,) = self.folder.glob("results/*/mine/measurements.csv")
        rows = read_table(table)
        assert {row["hidden_channels"] for row in rows} == {width}
        assert {row["convolution"] for row in rows} == {"models"}
        assert {row["outcome"] for row in rows if row["policy"] == "reversible"} == {"refused"}
        assert all(row["same_gradients"] for row in rows if row["policy"] != "reversible")
        return jobs


@pytest.mark.slow
def test_one_model_then_another_then_the_first_again(tmp_path: Path) -> None:
    """The width is in a file that the module imports; the two files that say it have one size and second of change."""
    mine = Mine(tmp_path)
    first = mine.measured(8, "--until", "collect")
    assert (first["measure"], first["train"]) == (2, 1)
    assert mine.measured(9, "--until", "collect")["measure"] == 2
    again = mine.measured(8)
    assert not {"measure", "train", "graph"} & again.keys()
    (report,) = tmp_path.glob("report/*/mine")
    assert "models" in (report / "report.html").read_text().split("</h2>")[1]
    listed = read_json(report / "study.json")["architecture"]["files"]
    assert sorted(listed) == ["mine/models.py", "mine/widths.py"]
    assert listed["mine/widths.py"] == sha256_of(tmp_path / "mine/widths.py")
    assert "SHA-256 of mine/widths.py" in (report / "appendix.html").read_text()
    assert complaints(report) == []

    # What cannot be measured stops the run before anything is.
    broken = mine.study(architecture={"module": "mine.models:Broken"})
    with (tmp_path / "mine/models.py").open("a") as stream:
        stream.write("\n\nclass Broken(Mine):\n    def forward(self, x):\n        return x\n")
    output = mine.refused(*broken)
    assert "a training step of the model fails (TypeError" in output
    assert not re.search(r"^rule \w+:$", output, re.MULTILINE)
