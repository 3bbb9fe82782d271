"""`compiled` and `memory_budget(b)`: one graph, no shared code, nothing silently uncompiled, budgets kept."""

import re
from contextlib import nullcontext

import pytest
import torch
import torch._inductor.config as kernels
from small_models import CHANNELS, FEATURES, NODES, adjacency, assert_same, built, bytes_of, stepped
from torch import nn
from torch._dynamo.utils import counters
from torch_geometric.nn import GATConv

from gnn_checkpointing.checkpointing import apply, compilation
from gnn_checkpointing.checkpointing.compilation import forget_compiled, require_compiler
from gnn_checkpointing.refusal import Refusal, Unavailable

pytestmark = pytest.mark.usefixtures("compiler")


def graphs_compiled() -> int:
    return counters["stats"]["unique_graphs"]


class Scaled(nn.Module):
    """The smallest model: one multiplication."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale


def test_a_step_is_nones_and_keeps_less() -> None:
    """One graph for training, compiled once for two steps; BatchNorm is updated once per step; names stay.

    The plain maximum keeps every message for the backward pass; the kernels gather them again.
    """
    graph = adjacency("SAGE-max")
    options = {"num_layers": 2, "norm": "batch"}
    plain, model = built("SAGE-max", "none", **options), built("SAGE-max", "compiled", **options)
    assert list(model.state_dict()) == list(plain.state_dict())
    before = graphs_compiled()
    assert_same(stepped(model, graph, steps=2), stepped(plain, graph, steps=2))
    assert bytes_of(model, graph).saved < bytes_of(plain, graph).saved
    assert graphs_compiled() == before + 1
    # Evaluation of a trained model: another graph, without gradients and with running statistics.
    plain.eval(), model.eval()
    with torch.no_grad():
        torch.testing.assert_close(
            model(FEATURES, graph.edge_index), plain(FEATURES, graph.edge_index), rtol=1e-4, atol=1e-5
        )


def test_more_models_of_a_class_than_dynamos_limit_are_all_compiled() -> None:
    """Dynamo caches code by code object and silently gives up after 8 versions; here each model has its own."""
    before = graphs_compiled()
    for _ in range(10):
        apply(Scaled(), "compiled")(torch.ones(3)).sum().backward()
    assert graphs_compiled() == before + 10


def test_graphs_of_every_density_run_one_compilation() -> None:
    """The number of edges is dynamic, in `edge_index` [2, E] and the weights [E]; nodes and channels are static."""
    model, plain = built("GCN", "compiled", num_layers=1), built("GCN", "none", num_layers=1)
    graph = adjacency("GCN")
    before = graphs_compiled()
    for edges in (100, 200, 300):
        part = (graph.edge_index[:, :edges].contiguous(), graph.edge_weight[:edges])
        torch.testing.assert_close(model(FEATURES, *part), plain(FEATURES, *part), rtol=1e-4, atol=1e-5)
    assert graphs_compiled() == before + 1


def test_more_sizes_than_the_limit_end_in_an_error_not_in_eager() -> None:
    model = apply(Scaled(), "compiled")
    with torch._dynamo.config.patch(recompile_limit=2):
        model(torch.ones(2, 5))
        model(torch.ones(3, 5))
        with pytest.raises(torch._dynamo.exc.FailOnRecompileLimitHit):
            model(torch.ones(4, 5))


def test_what_cannot_be_one_graph_ends_in_an_error_not_in_eager() -> None:
    class Broken(Scaled):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch._dynamo.graph_break()
            return x * self.scale

    with pytest.raises(Refusal, match=r"compiled: Broken cannot be compiled as one graph \(.*add_self_loops=False"):
        apply(Broken(), "compiled")(torch.ones(3))


def test_verification_compares_a_compiled_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference copy of a compiled model must not be compiled, or the model would be compared with itself."""
    monkeypatch.setattr(compilation, "_for_any_edges", lambda compiled, what, x: compiled(x) * 2)
    with pytest.raises(Refusal, match="policy compiled changes the loss of Scaled"):
        apply(Scaled(), "compiled", verify=(torch.ones(3),))


def test_a_compiling_process_starts_no_pool_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """It uses one compile thread: with more, TorchInductor starts as many workers, as processes on CUDA."""
    seen: list[int] = []

    def compile_fx(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]):
        seen.append(kernels.compile_threads)
        return graph.forward

    monkeypatch.setattr("torch._inductor.compile_fx.compile_fx", compile_fx)
    apply(Scaled(), "compiled")(torch.ones(3))
    assert seen == [1]


def test_forgotten_code_is_compiled_again() -> None:
    model, before = apply(Scaled(), "compiled"), graphs_compiled()
    model(torch.ones(3))
    model(torch.ones(3))
    assert graphs_compiled() == before + 1
    forget_compiled()
    before = graphs_compiled()
    model(torch.ones(3))
    assert graphs_compiled() == before + 1


@pytest.mark.parametrize("policy", ["compiled", "memory_budget(1)", "memory_budget(0.5)", "memory_budget(0)"])
def test_dropout_is_refused_because_generated_kernels_draw_other_masks(policy: str) -> None:
    with pytest.raises(Refusal, match=r"blocks\.0\.dropout drops at random"):
        built("SAGE", policy, dropout=0.5)
    with pytest.raises(Refusal, match="GATConv drops at random"):
        apply(GATConv(8, 4, add_self_loops=False, dropout=0.1), policy)


@pytest.mark.parametrize("policy", ["compiled", "memory_budget(0.5)"])
def test_without_a_cpp_compiler_the_policy_is_unavailable_and_says_what_it_needs(policy: str) -> None:
    with (
        kernels.patch({"cpp.cxx": (None, "no-such-compiler")}),
        pytest.raises(Unavailable, match=rf"policy {re.escape(policy)} needs a C\+\+ compiler .*: apt-get install g"),
    ):
        built("SAGE", policy)


FOUND = {"importlib.util.find_spec": lambda name: object(), "shutil.which": lambda name: "/usr/bin/gcc"}
CAPABILITY = "torch.cuda.get_device_capability"


@pytest.mark.parametrize(
    ("device", "machine", "said"),
    [
        ("cpu", {"sysconfig.get_path": lambda name: "/none"}, "needs Python's headers .*: apt-get install python3-dev"),
        ("cuda", {"importlib.util.find_spec": lambda name: None}, "needs triton on CUDA"),
        ("cuda", {**FOUND, "shutil.which": lambda name: None}, "needs a C compiler"),
        ("cuda", {**FOUND, CAPABILITY: lambda: (6, 1)}, r"compute capability 7\.0 for triton; this one has 6\.1"),
        ("cuda", {**FOUND, CAPABILITY: lambda: (7, 0)}, ""),
    ],
)
def test_what_a_machine_lacks_is_named(device, machine, said, monkeypatch, tmp_path) -> None:
    (tmp_path / "Python.h").touch()
    for function, found in {"sysconfig.get_path": lambda name: str(tmp_path), **machine}.items():
        monkeypatch.setattr(function, found)
    with pytest.raises(Unavailable, match=said) if said else nullcontext():
        require_compiler(device)


def test_before_torch_2_13_models_share_compiled_code_and_its_limit_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "ISOLATES", False)
    monkeypatch.delitem(compilation.COMPILING, "isolate_recompiles", raising=False)
    graph = adjacency("SAGE")
    expected = stepped(built("SAGE", "none", num_layers=2), graph)
    with torch._dynamo.config.patch(recompile_limit=1):
        for _ in range(3):
            assert_same(stepped(built("SAGE", "compiled", num_layers=2), graph), expected)


def test_each_budget_is_compiled_for_itself_and_keeps_its_share() -> None:
    """Two models of one class in one process share no compiled code, so that each budget has its own bytes.

    At 0 the model keeps only its inputs, which are resident: the rest is the scores, N x 3, that the loss's `square`
    keeps, and the loss, 4 bytes. At 1 it keeps what `compiled` keeps.
    """
    graph = adjacency("SAGE-max")
    options = {"num_layers": 2}
    reference = stepped(built("SAGE-max", "none", **options), graph)
    before, saved = graphs_compiled(), {}
    for policy in ("memory_budget(1)", "memory_budget(0.5)", "memory_budget(0)"):
        model = built("SAGE-max", policy, **options)
        assert_same(stepped(model, graph), reference)
        saved[policy] = bytes_of(model, graph).saved
    assert graphs_compiled() == before + 3
    assert saved["memory_budget(0)"] == NODES * 3 * 4 + 4
    assert saved["memory_budget(0.5)"] <= 0.5 * saved["memory_budget(1)"] + NODES * CHANNELS * 4
    assert saved["memory_budget(1)"] > 4 * saved["memory_budget(0)"]
