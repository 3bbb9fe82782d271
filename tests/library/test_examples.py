"""Each example runs on a laptop's CPU, says what it found, and trains the same model with and without a policy."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
CORA = ROOT.parent / "shared/data/Planetoid/Cora/raw"
SYNTHETIC = ("sage_on_sampled_pairs", "deepgcn", "heterogeneous", "molecules", "gps")
LINE = re.compile(r"^(\S+) +(\d+\.\d{4}) .*?(\d+\.\d) +\d+\.\d{3}$", re.MULTILINE)


Found = Callable[..., dict[str, tuple[float, float]]]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Found:
    """Function that runs an example in this process, which has torch; for each policy the last loss and peak."""
    monkeypatch.syspath_prepend(ROOT / "examples")

    def run(name: str, *arguments: object) -> dict[str, tuple[float, float]]:
        script = str(ROOT / f"examples/{name}.py")
        monkeypatch.setattr(sys, "argv", [script, "--quick", *map(str, arguments)])
        runpy.run_path(script, run_name="__main__")
        said = capsys.readouterr().out
        assert "messages at a time" in said
        return {policy: (float(loss), float(peak)) for policy, loss, peak in LINE.findall(said)}

    return run


@pytest.mark.parametrize("name", SYNTHETIC)
def test_an_example_trains_the_same_model_with_and_without(name: str, found: Found) -> None:
    lines = found(name)
    loss, _ = lines.pop("none")
    assert "auto" in lines
    # A few steps of Adam make of sums in another order, or of other masks of dropout, no more than this.
    assert all(other == pytest.approx(loss, rel=0.05) for other, _ in lines.values())


def test_gat_on_cora_trains_with_its_dropout_under_blocks_and_kernels(tmp_path: Path, found: Found) -> None:
    if not CORA.is_dir():
        pytest.skip("no Cora here")
    shutil.copytree(CORA, tmp_path / "Cora/raw")
    lines = found("gat_on_cora", "--root", tmp_path)
    assert {"none", "edge_blocks(2000)"} <= lines.keys()
    assert all(1.8 < loss < 1.96 for loss, _ in lines.values())  # the logarithm of seven classes is 1.946


def test_without_cora_and_network_the_example_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "https_proxy", "http://127.0.0.1:9")  # nobody listens there
    command = [sys.executable, str(ROOT / "examples/gat_on_cora.py"), "--quick", "--root", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "error: Cora is not in" in done.stderr.splitlines()[-1]
    assert "--root FOLDER" in done.stderr


def test_every_example_is_short_and_listed() -> None:
    listed = (ROOT / "examples/README.md").read_text()
    for path in (ROOT / "examples").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 80
        assert path.name in listed
