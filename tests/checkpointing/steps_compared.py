"""Training steps of a model as dictionaries of tensors, and their differences."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.refusal import Refusal

TOLERANCE = 1e-5
"""Largest relative difference in norm that counts as equal: float32 sums in another order."""

Step = dict[str, Tensor | None]


def seed_all(seed: int) -> None:
    # Without a GPU, torch.manual_seed records its caller for a later CUDA device, which takes longer than a small step.
    (torch if torch.cuda.is_available() else torch.default_generator).manual_seed(seed)
    random.seed(seed)
    numpy.random.seed(seed)


def without_zeros(model: nn.Module) -> nn.Module:
    """Replace the weights that PyG initialises to zero by small numbers: a zero bias hides mistakes."""
    with torch.no_grad():
        for weight in model.parameters():
            if not weight.any():
                weight.normal_(std=0.1)
    return model


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors of nested outputs, in order."""
    yield from (part for part in pytree.tree_leaves(value) if isinstance(part, Tensor))


def floating(change: Callable[[Tensor], Tensor], value: Any) -> Any:
    """Nested values with each dense floating tensor changed."""

    def changed(part: Any) -> Any:
        dense = isinstance(part, Tensor) and part.is_floating_point() and part.layout == torch.strided
        return change(part) if dense else part

    return pytree.tree_map(changed, value)


def scalar_of(outputs: list[Tensor]) -> Tensor:
    """A weighted sum of all outputs in which no two numbers have the same weight."""
    total = torch.zeros((), dtype=torch.float64)
    for out in outputs:
        if out.is_floating_point():
            weights = torch.arange(out.numel(), dtype=out.dtype).mul(0.7).cos().reshape(out.shape)
            total = total + (out * weights).sum()
    return total


def step(
    model: nn.Module,
    args: tuple = (),
    kwargs: dict | None = None,
    seed: int = 1,
    raw: bool = False,
    loss_of: Callable | None = None,
) -> Step:
    """Outputs, gradients of inputs (not of `raw` ones) and parameters, and buffers that one step leaves.

    `loss_of(model)` adds what a layer keeps for the loss.
    """
    given, named = floating(lambda t: t.detach().clone().requires_grad_(not raw), (args, kwargs or {}))
    model.zero_grad(set_to_none=True)
    seed_all(seed)
    outputs = list(tensors_in(model(*given, **named)))
    loss = scalar_of(outputs)
    kept = None if loss_of is None else loss_of(model)
    if kept is not None:
        loss = loss + kept
    if loss.requires_grad:
        loss.backward()
    found: Step = {f"output {i}": out.detach().clone() for i, out in enumerate(outputs)}
    found["loss that the layer keeps"] = None if kept is None else kept.detach()
    found |= {f"gradient of input {i}": leaf.grad for i, leaf in enumerate(tensors_in((given, named))) if leaf.is_leaf}
    found |= {f"gradient of {name}": weight.grad for name, weight in model.named_parameters()}
    return found | {f"buffer {name}": buffer.clone() for name, buffer in model.named_buffers()}


def last_step(model: nn.Module, args: tuple, kwargs: dict | None, steps: int, **options: Any) -> Step:
    """The last of several steps, so that it depends on state left by earlier ones."""
    return [step(model, args, kwargs, **options) for _ in range(steps)][-1]


def difference(expected: Step, found: Step) -> str:
    """Description of the largest difference; "" if the steps are the same.

    A gradient that is zero up to rounding is compared relative to the largest gradient of the step.
    """
    if expected.keys() != found.keys():
        return f"other tensors: {sorted(expected.keys() ^ found.keys())}"
    norms = [value.double().norm() for name, value in expected.items() if value is not None and "gradient" in name]
    largest = max(norms, default=torch.zeros(()))
    worst, where = 0.0, ""
    for name, value in expected.items():
        other = found[name]
        if value is None or other is None:
            if value is not other:
                return f"{name} is {'absent' if other is None else 'there'}, and plain it is not"
            continue
        if value.shape != other.shape or value.dtype != other.dtype:
            return f"{name} is {other.dtype} {tuple(other.shape)} instead of {value.dtype} {tuple(value.shape)}"
        if value.isnan().any() and torch.equal(value.isnan(), other.isnan()):
            value, other = value.nan_to_num(), other.nan_to_num()
        scale = value.double().norm() + (0.1 * largest if "gradient" in name else 1e-2)
        gap = (value.double() - other.double()).norm()
        part = (gap / scale).nan_to_num(float("inf")).item() if gap != 0 else 0.0
        if part > worst:
            worst, where = part, name
    return f"{where} differs by {worst:.1e} of its norm" if worst > TOLERANCE else ""


def alike(found: Any, expected: Any, scale: float) -> None:
    """Assert that nested results are the same; the absolute tolerance grows with `scale`, their largest number."""
    one, other = (pytree.tree_flatten(value) for value in (found, expected))
    assert one[1] == other[1]
    for value, wanted in zip(one[0], other[0], strict=True):
        if isinstance(wanted, Tensor):
            torch.testing.assert_close(value, wanted, rtol=1e-4, atol=2e-6 * max(scale, 1.0), equal_nan=True)
        else:
            assert value == wanted


def under(policy: str, model: nn.Module, **options: Any) -> nn.Module:
    """An independent copy of `model` under the policy."""
    return apply(copy.deepcopy(model), policy, **options)


def outcome(
    model: nn.Module,
    policy: str,
    args: tuple = (),
    kwargs: dict | None = None,
    steps: int = 2,
    expected: Step | None = None,
    **options: Any,
) -> str:
    """`exact`, or else `refused: …`, `refused late: …`, `crash: …` or `different: …`.

    The last of several steps is compared with `expected`, or with the last step of a copy without the policy.
    """
    expected = expected or last_step(copy.deepcopy(model), args, kwargs, steps, **options)
    when = ""
    try:
        wrapped, when = under(policy, model), " late"
        found = last_step(wrapped, args, kwargs, steps, **options)
    except Refusal as reason:
        return f"refused{when}: {reason}"
    except Exception as error:
        return f"crash{when}: {type(error).__name__}: {error}"
    return f"different: {difference(expected, found)}" if difference(expected, found) else "exact"


def is_exact_or_refused(found: str) -> bool:
    """Whether an outcome is acceptable if a policy may refuse, even as late as in the first step."""
    return found == "exact" or found.startswith(("refused: ", "refused late: "))


def slope_error(model: nn.Module, args: tuple = (), kwargs: dict | None = None, seed: int = 1) -> float:
    """Relative difference between the gradient and the function's slope along a random direction.

    In float64, by central differences with the same draws. It is of order one if the backward pass sees other masks
    than the forward pass.
    """
    model = model.double()
    leaves: list[Tensor] = []

    def doubled(tensor: Tensor) -> Tensor:
        leaves.append(tensor.detach().double().clone().requires_grad_())
        return leaves[-1]

    given, named = floating(doubled, (args, kwargs or {}))
    places = [*leaves, *(weight for weight in model.parameters() if weight.requires_grad)]
    generator = torch.Generator().manual_seed(5)
    directions = [torch.randn(place.shape, generator=generator, dtype=place.dtype) for place in places]

    def value() -> Tensor:
        seed_all(seed)
        return scalar_of(list(tensors_in(model(*given, **named))))

    model.zero_grad(set_to_none=True)
    value().backward()
    slope = sum((p.grad * d).sum().item() for p, d in zip(places, directions, strict=True) if p.grad is not None)
    sides = []
    with torch.no_grad():
        for shift in (1e-6, -2e-6):
            for place, direction in zip(places, directions, strict=True):
                place.add_(direction, alpha=shift)
            sides.append(value().item())
    expected = (sides[0] - sides[1]) / 2e-6
    return abs(slope - expected) / (abs(expected) + 1e-3)
