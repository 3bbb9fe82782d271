"""A user's own model, named by `module:function`: that function takes features and classes, and returns the model."""

from __future__ import annotations

import importlib
import os
import sys

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.refusal import Refusal


def build_own(name: str, num_features: int, num_classes: int, seed: int) -> nn.Module:
    """The model that `name`, such as my_package.my_model:build, builds; refused where it is none that can be measured.

    The folder where the command runs is searched for the module first. The initial weights depend on `seed` alone; the
    global random state is left as it was.
    """
    module_name, _, function_name = name.partition(":")
    if not (module_name and function_name):
        raise Refusal(f"module {name!r}: write it as my_package.my_model:build")
    if os.getcwd() not in sys.path:  # noqa: PTH109 - as `python -m` does
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        build = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:  # whatever a user's module does when it is imported
        raise Refusal(f"module {name}: cannot be imported ({type(error).__name__}: {error}); correct it") from None
    if not callable(build):
        raise Refusal(f"module {name}: {function_name} is not a function; name one that returns the model")
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = build(num_features, num_classes)
    except Exception as error:  # as above
        raise Refusal(
            f"module {name}: {function_name}({num_features}, {num_classes}) fails ({type(error).__name__}: {error}); "
            "it is called with the number of features and of classes"
        ) from None
    if not isinstance(model, nn.Module):
        raise Refusal(f"module {name}: {function_name} returns {type(model).__name__}, not a torch.nn.Module")
    if not any(isinstance(part, MessagePassing) for part in model.modules()):
        raise Refusal(f"module {name}: the model has no PyG MessagePassing layer, so there is nothing to checkpoint")
    return model


def own_scores(model: nn.Module, name: str, x: Tensor, edge_index: Tensor, num_classes: int) -> Tensor:
    """The model's class scores `[num_nodes, num_classes]`; another shape is refused."""
    scores = model(x, edge_index)
    shape = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
    if shape != (x.size(0), num_classes):
        raise Refusal(f"module {name}: the model returns {shape}, not class scores {(x.size(0), num_classes)}")
    return scores  # type: ignore[no-any-return]
