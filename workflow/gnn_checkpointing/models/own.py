"""A user's own model, named `module:function`: the function takes numbers of features and classes, returns a model."""

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.refusal import Refusal, reason
from gnn_checkpointing.study.graph_entries import NeighbourBatches
from gnn_checkpointing.study.own_model import module_and_function, module_files
from gnn_checkpointing.study.study import Study

_TRIAL_NODES = 32


@dataclass(frozen=True)
class OwnSizes:
    """Sizes found in a model: layers that policy `layers` recomputes, channels of the widest layer, attention heads."""

    num_layers: int
    hidden_channels: int
    heads: int


@contextmanager
def refusing(name: str, what: str, remedy: str) -> Iterator[None]:
    """Turn any exception of a user's code into a `Refusal` that names the model; preserve the global random state."""
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    except (Refusal, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise Refusal(f"module {name}: {what} ({reason(error)}); {remedy}") from None


def build_own(name: str, num_features: int, num_classes: int, seed: int) -> nn.Module:
    """Build the model named by `name`, such as my_package.my_model:build; raises `Refusal` if it cannot be measured.

    The model is in training mode. The current folder is searched for the module first. The initial weights depend on
    `seed` alone; the global random state does not change.
    """
    build, function = imported_own(name), name.partition(":")[2]
    call = f"{function}({num_features}, {num_classes}) fails"
    with refusing(name, call, "it is called with the number of features and of classes"):
        torch.manual_seed(seed)
        model = build(num_features, num_classes)
        if not isinstance(model, nn.Module):
            raise Refusal(f"module {name}: {function} returns {type(model).__name__}, not a torch.nn.Module")
        messages = _messages(model.train())
    if not messages:
        raise Refusal(f"module {name}: the model has no PyG MessagePassing layer, so there is nothing to checkpoint")
    return model


def own_scores(model: nn.Module, name: str, x: Tensor, edge_index: Tensor, num_classes: int) -> Tensor:
    """Compute the model's class scores `[num_nodes, num_classes]`; raises `Refusal` for another shape."""
    scores = model(x, edge_index)
    shape = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
    if shape != (x.size(0), num_classes):
        raise Refusal(f"module {name}: the model returns {shape}, not class scores {(x.size(0), num_classes)}")
    return scores  # type: ignore[no-any-return]


@cache
def tried_own(name: str, num_features: int, num_classes: int) -> OwnSizes:
    """Find the model's sizes by a training step on a small graph; raises `Refusal` if it cannot be measured."""
    model, twin = (build_own(name, num_features, num_classes, seed=0) for _ in range(2))
    first, second = model.state_dict(), twin.state_dict()
    if first.keys() != second.keys() or not all(
        torch.equal(value, second[key]) for key, value in first.items() if isinstance(value, Tensor)
    ):
        raise Refusal(
            f"module {name}: two models from one random state differ; draw the initial weights by torch alone"
        )
    messages, widths = _messages(model), list[int]()
    for layer in messages:
        layer.register_forward_hook(lambda _, __, out: widths.append(_width(out)))
    x = torch.randn(_TRIAL_NODES, num_features, generator=torch.Generator().manual_seed(0))
    nodes = torch.arange(_TRIAL_NODES)
    edge_index = torch.stack([nodes.roll(1).repeat(2), torch.cat([nodes, nodes.roll(2)])])
    edge_index = edge_index[:, edge_index[1].argsort(stable=True)]
    call = f"it is called as model(x, edge_index) with {num_features} features"
    with refusing(name, "a training step of the model fails", call):
        torch.manual_seed(0)
        scores = own_scores(model, name, x, edge_index, num_classes)
        scores.sum().backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    heads = [one for layer in messages if isinstance(one := getattr(layer, "heads", 1), int)]
    blocks = getattr(model, "blocks", None)
    layers: Sized = blocks if isinstance(blocks, nn.ModuleList) else messages
    # The last layer often has the width of the number of classes, which belongs to the graph and not to the model.
    return OwnSizes(len(layers), max([*widths[: max(1, len(widths) - 1)], 1]), max([*heads, 1]))


@cache
def imported_own(name: str) -> Callable[..., Any]:
    """Import the function named by `name` from its source as it is now."""
    try:
        module_name, function_name = module_and_function(name)
    except ValueError as error:
        raise Refusal(str(error)) from None
    known = {path.resolve() for path in module_files(name).values()}
    with _searched():
        before = set(sys.modules)
        with refusing(name, "cannot be imported", "correct it"):
            build = getattr(importlib.import_module(module_name), function_name)
        _refuse_unseen(name, known, set(sys.modules) - before)
    if not callable(build):
        raise Refusal(f"module {name}: {function_name} is not a function; name one that returns the model")
    try:
        inspect.signature(build).bind(1, 1)
    except ValueError:
        pass  # written in C: it has no signature to look at
    except TypeError as error:
        raise Refusal(
            f"module {name}: {function_name} does not take two arguments, the numbers of features and of classes "
            f"({error}); change its parameters"
        ) from None
    return build  # type: ignore[no-any-return]


@contextmanager
def _searched() -> Iterator[None]:
    """Search the current folder first, and compile modules from source instead of reading compiled files.

    Python accepts a compiled file if the source's modification second and size match, so it may miss an edit.
    """
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    prefix, written = sys.pycache_prefix, sys.dont_write_bytecode
    sys.pycache_prefix, sys.dont_write_bytecode = os.devnull, True
    try:
        yield
    finally:
        sys.path.remove(folder)
        sys.pycache_prefix, sys.dont_write_bytecode = prefix, written


def _refuse_unseen(name: str, known: set[Path], loaded: set[str]) -> None:
    """Refuse a user's own modules that are not imported by an import statement."""
    apart = (Path(sys.prefix).resolve(), Path(__file__).resolve().parents[1])
    for one in sorted(loaded):
        file = getattr(sys.modules[one], "__file__", None)
        path = None if file is None else Path(file).resolve()
        if path is None or path in known or not path.is_relative_to(Path.cwd().resolve()):
            continue
        if not any(path.is_relative_to(folder) for folder in apart):
            raise Refusal(
                f"module {name}: it imports {path} in a way that cannot be seen in its source, so an edit of that file "
                "would go unnoticed; use an import statement"
            )


def _messages(model: nn.Module) -> list[Any]:
    return [part for part in model.modules() if isinstance(part, MessagePassing)]


def _width(out: Any) -> int:
    first = out[0] if isinstance(out, tuple | list) and out else out
    return int(first.size(-1)) if isinstance(first, Tensor) and first.dim() else 1


def tried_models(study: Study) -> Iterator[str]:
    """Yield the sizes of a study's own model, one line per pair of numbers of features and classes.

    Raises `Refusal` if the model cannot be measured. Features and classes of real graphs are not known yet; for these,
    the model is tried once the graph is known.
    """
    asked = study.architecture
    if asked.module is None:
        raise Refusal(f"study {study.name}: architecture.module names no model of your own; there is nothing to try")
    imported_own(asked.module)
    hops = any(isinstance(one, NeighbourBatches) for one in study.graphs.batches)
    drawn = {(grid.num_features, grid.num_classes) for grid in (*study.graphs.generated, *study.graphs.large)}
    first: OwnSizes | None = None
    for features, classes in sorted(drawn) or ([(study.graphs.num_features or 16, 4)] if hops else []):
        sizes = tried_own(asked.module, features, classes)
        first = first or sizes
        if sizes != first:
            raise Refusal(
                f"module {asked.module}: its layers, channels or heads depend on the numbers of features and classes "
                f"({first} and {sizes}), and a law is of one model; give all graphs the same num_features and "
                "num_classes"
            )
        if hops and sizes.num_layers != asked.num_layers:
            raise Refusal(
                f"graphs.batches draws as many hops as architecture.num_layers says, {asked.num_layers}, but module "
                f"{asked.module} has {sizes.num_layers} layers; set num_layers to that"
            )
        yield (
            f"{features} features, {classes} classes: {sizes.num_layers} layers, {sizes.hidden_channels} channels, "
            f"{sizes.heads} heads"
        )
