"""Modes, copies, files, threads and recordings of a model."""

import copy
import io
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from situations import OTHER_EDGES, OTHER_X, SITUATIONS, loss_of, situation, trained
from small_inputs import EDGES, NODES, C, X, different_edges, drawn
from torch import Tensor, nn


def after_a_look(mode: Callable[[], Any]) -> Callable[[nn.Module], Any]:
    """Validation on the same graph comes first; its tables of inference tensors must not reach the training step."""

    def run(model: nn.Module) -> Any:
        model.eval()
        with mode():
            assert not model(X, EDGES).requires_grad
            inside = model(X.clone(), EDGES.clone()).clone()  # edges made in the mode
        model.train()
        return inside, trained(model)

    return run


SITUATIONS |= {f"after a look in {mode.__name__}": after_a_look(mode) for mode in (torch.inference_mode, torch.no_grad)}


@situation
def edges_made_in_inference_mode(model: nn.Module) -> Any:
    with torch.inference_mode():
        edges = EDGES.clone()
    return trained(model, edges=edges)


@situation
def a_copy_has_weights_of_its_own(model: nn.Module) -> Any:
    trained(model)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    return trained(twin.eval())


@situation
def a_pickled_model_carries_no_graph(model: nn.Module) -> Any:
    """A graph of 20,000 edges would add 320,000 bytes; the model has a few hundred weights."""
    model.eval()
    small = len(pickle.dumps(model))
    trained(model, drawn(200, C, seed=81), different_edges(200, 200, 20_000, seed=80))
    model.zero_grad()
    file = io.BytesIO()
    torch.save(model, file)
    assert len(pickle.dumps(model)) < small + 2_000
    assert len(file.getvalue()) < 100_000
    file.seek(0)
    return [trained(twin) for twin in (pickle.loads(pickle.dumps(model)), torch.load(file, weights_only=False))]


@situation
def names_of_weights_and_modules_stay(model: nn.Module) -> Any:
    trained(model)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict({name: value * 2 for name, value in state.items()})
    names = [name for name, _ in model.named_modules()], [type(part).__name__ for part in model.modules()]
    return list(state), names, repr(model), trained(model)


@situation
def weights_drawn_again_and_moved_to_another_precision(model: nn.Module) -> Any:
    trained(model)
    for block in model.blocks:
        block.layer.reset_parameters()
    return trained(model.eval().double(), X.double())


@situation
def numbers_of_other_precisions(model: nn.Module) -> Any:
    out = model.eval().bfloat16()(X.bfloat16(), EDGES)
    return str(out.dtype), out.shape


@situation
def two_models_in_two_threads(model: nn.Module) -> Any:
    models = [model.eval(), copy.deepcopy(model).eval()]

    def run(at: int) -> Any:
        return [trained(models[at], X * (at + 1)) for _ in range(3)]

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(run, range(2)))


@situation
def one_model_in_four_threads(model: nn.Module) -> Any:
    """Each thread has graphs of its own."""
    model.eval()

    def run(thread: int) -> list[Tensor]:
        found = []
        for seed in range(6):
            x, edges = X.clone().requires_grad_(), different_edges(NODES, NODES, 20 + seed, seed=100 * thread + seed)
            found += torch.autograd.grad(loss_of(model, x, edges), x)
        return found

    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(run, range(4)))


@situation
def compiled_afterwards(model: nn.Module) -> Any:
    try:
        return trained(torch.compile(model.eval(), backend="aot_eager"))[1:]
    finally:
        torch._dynamo.reset()


SITUATIONS |= {
    "traced": lambda model: torch.jit.trace(model.eval(), (X, EDGES))(OTHER_X, OTHER_EDGES),
    "exported": lambda model: torch.export.export(model.eval(), (X, EDGES)).module()(X, EDGES),
    "exported by dynamo": lambda model: torch.export.export(model.eval(), (X, EDGES), strict=True).module()(X, EDGES),
    "symbolically traced": lambda model: torch.fx.symbolic_trace(model.eval())(OTHER_X, OTHER_EDGES),
}


@situation
def on_meta(model: nn.Module) -> Any:
    out = model.to("meta")(X.to("meta"), EDGES.to("meta"))
    out.sum().backward()
    return out.shape, [weight.grad.shape for weight in model.parameters()]
