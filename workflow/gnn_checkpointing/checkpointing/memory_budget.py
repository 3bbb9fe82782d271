"""Policy `memory_budget`: compiled, with a share of the activations kept and the rest recomputed (minimum cut).

The share is `torch._functorch.config.activation_memory_budget`: 1 keeps what `compiled` keeps, 0 the inputs alone.
"""

from __future__ import annotations

from torch import nn

from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.compilation import compile_model


def compile_within(model: nn.Module, changes: Changes, budget: float) -> None:
    """Compile `model` to keep at most about `budget` of what `compiled` keeps; the peak need not fall with it.

    Dropout is refused: below 1 gradients would be wrong in silence (pytorch#190758, #190717).
    """
    compile_model(model, changes, f"memory_budget({budget:g})", budget)
