"""A model of the user's own is tried before anything is measured; what it lacks is one sentence."""

import os
import py_compile
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gnn_checkpointing.models.own import build_own, tried_models
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.reading import parse_study
from synthetic.studies import USERS_MODEL, small_values

GRID = {"family": "sbm", "num_nodes": [60], "average_degrees": [4], "num_features": 6, "num_classes": 3}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in a folder of its own, as the command would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "hidden.py").write_text("")
    return tmp_path


def tried(module: str, **graphs: Any) -> list[str]:
    values = {"graphs": {"generated": [GRID], **graphs}, "architecture": {"module": module}}
    return list(tried_models(parse_study({**small_values(), **values}, "study")))


WRONG = {
    "no function": ("make", "", "has no function make; name one that returns the model"),
    "syntax": ("build", "def build(:", ".py, line 19: invalid syntax; correct it"),
    "import": ("build", "raise OSError('x')", "cannot be imported (OSError: x); correct it"),
    "arity": ("one", "def one(features): pass", "one does not take two arguments"),
    "no function but a value": ("value", "value = 3", "value is not a function; name one"),
    "no module": ("none", "def none(f, c): return 3", "none returns int, not a torch.nn.Module"),
    "no layer": ("linear", "def linear(f, c): return nn.Linear(f, c)", "no PyG MessagePassing layer"),
    "fails": ("fails", "def fails(f, c): return 1 / 0", "fails(6, 3) fails (ZeroDivisionError"),
    "exit": ("ends", "def ends(f, c): raise GeneratorExit", "ends(6, 3) fails (GeneratorExit)"),
    "mode": ("odd", "class Odd(Mine):\n    train = None\n\n\ndef odd(f, c): return Odd(f, c)", "fails (TypeError"),
    "no text": (
        "mute",
        "class Mute(Exception):\n    __str__ = None\n\n\ndef mute(f, c): raise Mute",
        ".Mute: <exception str() failed>)",
    ),
    "forward": ("conv", "def conv(f, c): return SAGEConv(f + 1, c)", "a training step of the model fails"),
    "shape": ("wide", "def wide(f, c): return Mine(f, c + 1)", "returns (32, 4), not class scores (32, 3)"),
    "no gradient": (
        "fixed",
        "def fixed(f, c): return Mine(f, c).requires_grad_(False)",
        "a training step of the model fails (RuntimeError: element 0 of tensors does not require grad",
    ),
    "other random numbers": (
        "drawn",
        "import numpy as np\n\n\ndef drawn(f, c):\n    model = Mine(f, c)\n"
        "    nn.init.constant_(model.two.lin_l.bias, np.random.rand())\n    return model",
        "two models from one random state differ",
    ),
    "unseen import": (
        "build",
        "import importlib\nimportlib.import_module('hidden')",
        "hidden.py in a way that cannot be seen in its source",
    ),
}


@pytest.mark.parametrize(("function", "more", "sentence"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_measured_is_refused_in_one_sentence(
    function: str, more: str, sentence: str, here: Path, request: pytest.FixtureRequest
) -> None:
    name = "wrong_" + "_".join(request.node.callspec.id.split())  # Python imports a name once
    (here / f"{name}.py").write_text(f"{USERS_MODEL}\n\n{more}\n")
    with pytest.raises(Refusal) as refusal:
        tried(f"{name}:{function}")
    assert sentence in str(refusal.value)
    assert f"module {name}:{function}: " in str(refusal.value)


def test_a_module_that_is_nowhere_is_refused_with_the_folder(here: Path) -> None:
    with pytest.raises(Refusal, match=f"there is no nowhere.at_all in {here}, where the command runs"):
        tried("nowhere.at_all:build")


def test_its_sizes_are_counted_and_its_weights_are_the_seeds(here: Path) -> None:
    (here / "right.py").write_text(USERS_MODEL)
    assert tried("right:build") == ["6 features, 3 classes: 2 layers, 8 channels, 1 heads"]
    one, other, same = (build_own("right:build", 6, 3, seed).state_dict() for seed in (1, 2, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_batches_draw_as_many_hops_as_it_has_layers(here: Path) -> None:
    (here / "hops.py").write_text(USERS_MODEL)
    with pytest.raises(Refusal, match=r"architecture\.num_layers says, 1, but module hops:build has 2 layers"):
        tried("hops:build", batches=[{"sampler": "neighbours", "fan_outs": [3]}])


def test_an_edit_within_a_second_is_what_runs(here: Path) -> None:
    """Python's own compiled files are known by their source's second of change and size."""
    path = here / "edited.py"
    path.write_text(USERS_MODEL)
    py_compile.compile(str(path))
    before = path.stat()
    path.write_text(USERS_MODEL.replace("8", "9"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert "9 channels" in tried("edited:build")[0]
