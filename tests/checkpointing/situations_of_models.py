"""Modes, copies, files, threads and recordings of a model, and backward passes other than a single plain one."""

import copy
import io
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from situations import OTHER_EDGES, OTHER_X, SITUATIONS, Situation, loss_of, situation, trained
from small_inputs import EDGES, NODES, C, X, different_edges, drawn
from small_layers import gradients
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts


def after_a_look(mode: Callable[[], Any]) -> Situation:
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
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda at: [trained(models[at], X * (at + 1)) for _ in range(3)], range(2)))


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


# --- backward passes


@situation
def a_kept_graph_gives_its_gradient_twice(model: nn.Module) -> Any:
    loss = loss_of(model)
    loss.backward(retain_graph=True)
    loss.backward()
    return gradients(model)


@situation
def a_graph_that_is_not_kept_gives_it_once(model: nn.Module) -> Any:
    loss = loss_of(model)
    loss.backward()
    try:
        loss.backward()
    except RuntimeError:
        return gradients(model), "raises"
    return gradients(model), "gives"


@situation
def a_gradient_of_a_gradient(model: nn.Module) -> Any:
    """Forces are gradients of an energy, and a loss on forces needs gradients of them."""
    x = X.clone().requires_grad_()
    (force,) = torch.autograd.grad(loss_of(model, x), x, create_graph=True)
    (force.square().sum() + model(x, EDGES).sum()).backward()
    return [x.grad, *gradients(model)]


@situation
def gradients_of_two_batches_add_up(model: nn.Module) -> Any:
    for seed in (1, 2):
        loss_of(model, drawn(NODES, C, seed=seed)).backward()
    return gradients(model)


@situation
def two_forward_passes_before_one_backward_pass(model: nn.Module) -> Any:
    first, second = model(X, EDGES), model(X, different_edges(NODES, NODES, 30, seed=70))
    (first * second).sum().backward()
    return gradients(model)


@situation
def two_steps_of_an_optimiser_and_a_scaler(model: nn.Module) -> Any:
    optimizer, scaler = torch.optim.SGD(model.parameters(), lr=0.01), torch.amp.GradScaler("cpu", init_scale=64.0)
    for _ in range(2):
        optimizer.zero_grad()
        scaler.scale(loss_of(model)).backward()
        scaler.step(optimizer)
        scaler.update()
    return list(model.parameters())


@situation
def an_optimiser_inside_the_backward_pass(model: nn.Module) -> Any:
    """A layer's first weights are already stepped when it is recomputed for the gradients of its other weights."""

    def stepped(weight: Tensor) -> None:
        with torch.no_grad():
            weight -= 0.01 * weight.grad
        weight.grad = None

    for weight in model.eval().parameters():
        weight.register_post_accumulate_grad_hook(stepped)
    for _ in range(2):
        loss_of(model).backward()
    return list(model.parameters())


def checkpointed(**options: Any) -> Situation:
    """Two steps with PyTorch's own checkpoint around the model."""

    def run(model: nn.Module) -> Any:
        x = X.clone().requires_grad_()
        for _ in range(2):
            checkpoint(model, x, EDGES, **options).square().sum().backward()
        return [x.grad, *gradients(model)]

    return run


PRODUCTS = [torch.ops.aten.mm.default, torch.ops.aten.addmm.default]
SITUATIONS |= {
    # The second layer's input is recomputed for its backward pass, and so is not the tensor of its forward pass.
    "a checkpoint around the model": checkpointed(use_reentrant=False),
    # It counts the operators of each pass, which must not include one-time trials or tables of a policy.
    "a checkpoint around the model that keeps its products": checkpointed(
        use_reentrant=False, context_fn=partial(create_selective_checkpoint_contexts, PRODUCTS)
    ),
    "a reentrant checkpoint around the model": checkpointed(use_reentrant=True),
}
