"""A step's trace has the form that Perfetto reads, exact bytes, and the layers that were kept and recomputed."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import GAT

from gnn_checkpointing import apply
from gnn_checkpointing.cli import main
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.step_trace import COUNTER, step_trace
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.reading import read_study

ROOT = Path(__file__).resolve().parents[2]
EVENT = {
    "type": "object",
    "required": ["name", "ph", "pid", "args"],
    "properties": {"ph": {"enum": ["X", "C", "M"]}, "ts": {"type": "number", "minimum": 0}},
    "allOf": [
        {"if": {"properties": {"ph": {"const": "X"}}}, "then": {"required": ["ts", "dur", "tid", "cat"]}},
        {
            "if": {"properties": {"ph": {"const": "C"}}},
            "then": {"required": ["ts"], "properties": {"args": {"additionalProperties": {"type": "integer"}}}},
        },
    ],
}
FORM = {"required": ["traceEvents"], "properties": {"traceEvents": {"type": "array", "items": EVENT}}}


def traced(policy: str) -> tuple[dict[str, Any], Any]:
    torch.manual_seed(0)
    x, edges = torch.randn(500, 16), torch.randint(500, (2, 20_000))
    model: nn.Module = apply(GAT(16, 32, num_layers=2, out_channels=4, heads=4), policy)

    def forward() -> Tensor:
        return model(x, edges).square().mean()

    forward().backward()
    model.zero_grad()
    trace = step_trace(model, forward)
    model.zero_grad()
    return trace, step_bytes(forward, x.device)


@pytest.mark.parametrize("policy", ["none", "layers", "edge_blocks"])
def test_the_counter_is_the_measured_bytes_and_the_layers_are_told_apart(policy: str) -> None:
    trace, found = traced(policy)
    jsonschema.validate(json.loads(json.dumps(trace)), FORM)
    assert trace["otherData"] == {"saved_activation_bytes": found.saved, "activation_bytes": found.peak}
    counts = [event["args"]["bytes"] for event in trace["traceEvents"] if event["name"] == COUNTER]
    assert max(counts) == found.peak
    slices = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    kinds = ("forward", "recompute", "backward")
    forwards, again, backwards = ([one["name"].split()[0] for one in slices if one["cat"] == kind] for kind in kinds)
    assert forwards == ["convs.0", "convs.1"]
    assert list(dict.fromkeys(backwards)) == ["convs.1", "convs.0"]
    assert set(again) == (set() if policy == "none" else {"convs.0", "convs.1"})
    forward = [one for one in slices if one["cat"] == "forward"]
    assert {one["args"]["policy"] for one in forward} == {policy}
    assert 0 < sum(one["args"]["saved_bytes"] for one in forward) <= found.saved


def drawn(study: str, file: Path) -> str:
    """Draw the first graph of a study that ships into a file; returns the graph's name."""
    path = ROOT / "workflow/studies" / study
    name = study_graphs(read_study(path))[0].id
    assert main(["graph", f"--study={path}", f"--graph={name}", f"--output={file}"]) == 0
    return name


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    file = tmp_path_factory.mktemp("graph") / "graph.npz"
    return drawn("smoke.yaml", file), file


@pytest.mark.parametrize("model", ["cell", "own"])
def test_the_command_traces_a_cell_or_a_users_model(
    graph: tuple[str, Path], model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(ROOT)
    name, file = graph
    cell = [f"--study={ROOT}/workflow/studies/smoke.yaml", f"--graph={name}", "--convolution=GATv2"]
    chosen = cell if model == "cell" else ["--module=examples.own_model:build"]
    output = tmp_path / "trace.json"
    assert main(["trace", f"--graph-file={file}", *chosen, "--policy=layers", f"--output={output}"]) == 0
    kinds = {event.get("cat") for event in json.loads(output.read_text())["traceEvents"]}
    assert {"forward", "recompute", "backward"} <= kinds
    first = capsys.readouterr().out.splitlines()[1].split()
    assert first[2] == "layers", "a stack's block is recomputed whole, the convolution in it"


FAILING = """
from torch_geometric.nn import GCN
class Failing(GCN):
    def forward(self, x, edges):
        raise RAISED
def build(features, classes): return Failing(features, 4, 2, classes)
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # As a study's own model is refused.
        ("def build(features): return None", "does not take two arguments, the numbers of features and of"),
        (FAILING.replace("RAISED", "IndexError('\\x1b[2J')"), "a training step of the model fails (IndexError: "),
        (FAILING.replace("RAISED", "SystemExit(3)"), "a training step of the model fails (SystemExit: "),
    ],
)
def test_a_users_model_that_cannot_be_or_fails_is_one_sentence(
    graph: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, text: str, said: str
) -> None:
    (tmp_path / f"{tmp_path.name}.py").write_text(text)  # Python imports a name once
    monkeypatch.syspath_prepend(str(tmp_path))
    command = ["trace", f"--graph-file={graph[1]}", f"--module={tmp_path.name}:build"]
    assert main([*command, f"--output={tmp_path}/trace.json"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "trace.json").exists()


def test_nodes_without_a_label_are_left_out_of_a_users_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    file, output = tmp_path / "graph.npz", tmp_path / "trace.json"
    drawn("own.yaml", file)
    assert (load_graph(file).labels < 0).any()
    assert main(["trace", f"--graph-file={file}", "--module=examples.own_model:build", f"--output={output}"]) == 0
