"""What README, tutorial and docstrings show runs as it stands, and a user's model computes what it computed."""

import doctest
import importlib
import re
from pathlib import Path

import pytest
import torch
from torch_geometric.nn import GAT

ROOT = Path(__file__).resolve().parents[2]
(LIBRARY,), (PLANNED,), (FIRST, *_) = (
    re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    for page in ("README.md", "docs/how-to/own-graph.md", "docs/tutorial.md")
)


def test_a_plan_is_applied_to_a_users_model_and_trains_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is imported aside: the planner, the plan, and the model under it; then one step of the user's own."""
    assert len([line for line in PLANNED.splitlines() if line and "import" not in line]) == 3
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(PLANNED, names)
    plan, model = names["plan"], names["model"]
    assert plan.recommended not in (None, "none")
    plain = GAT(16, 32, num_layers=4, out_channels=4, heads=4, v2=True, add_self_loops=False)
    plain.load_state_dict(model.state_dict())
    x, edge_index = torch.randn(50, 16), torch.randint(0, 50, (2, 400))
    out = model(x, edge_index)
    torch.testing.assert_close(out, plain(x, edge_index), rtol=1e-4, atol=1e-5)
    out.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_three_lines_put_a_policy_on_a_pyg_model() -> None:
    """Dropout is 0.5, so the models are compared as they evaluate."""
    assert len([line for line in LIBRARY.splitlines() if line]) == 3
    names: dict[str, object] = {}
    exec(LIBRARY, names)
    model = names["model"]
    plain = GAT(16, 32, num_layers=3, out_channels=4, heads=4, dropout=0.5)
    assert list(model.state_dict()) == list(plain.state_dict())
    plain.load_state_dict(model.state_dict())
    # Enough messages for `auto`: 131,072 edges times 32 channels times 4 bytes are 16 MiB.
    x, edge_index = torch.randn(1024, 16), torch.randint(0, 1024, (2, 131_072))
    out = model.eval()(x, edge_index)
    torch.testing.assert_close(out, plain.eval()(x, edge_index), rtol=1e-4, atol=1e-5)
    out.sum().backward()
    policies = [row.policy for row in names["explain"](model).layers]
    assert set(policies[:2]) <= {"fused_edge_blocks", "edge_blocks"}
    names["remove"](model)
    assert [row.policy for row in names["explain"](model).layers] == ["none"] * 3


def test_the_tutorials_model_gets_blocks_or_kernels_in_its_first_two_layers(capsys: pytest.CaptureFixture[str]) -> None:
    """64 edges a node were once said to be enough, and were 2 % too few."""
    exec(FIRST, {})
    policies = [line.split()[2] for line in capsys.readouterr().out.splitlines()[1:4]]
    assert set(policies[:2]) <= {"fused_edge_blocks", "edge_blocks"} and policies[2] == "none"


MODULES = (
    "gnn_checkpointing",
    "gnn_checkpointing.checkpointing",
    "gnn_checkpointing.checkpointing.explanation",
    "gnn_checkpointing.checkpointing.policies",
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.failed == 0
    assert found.attempted >= 3


@pytest.mark.parametrize("function", ["apply", "edge_blocks", "explain", "remove"])
def test_every_public_function_has_an_example(function: str) -> None:
    package = importlib.import_module("gnn_checkpointing")
    assert set(package.__all__) == {"__version__", "apply", "edge_blocks", "explain", "remove"}
    assert ">>>" in getattr(package, function).__doc__
