"""BatchNorm under recomputation: running statistics are updated by the forward pass alone.

A recomputed forward pass would update them a second time (pytorch#96136): loss and gradients agree, the buffers do
not. With momentum 0 the update is running * 1 + batch * 0, which leaves finite values as they are, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def held_running_statistics(module: nn.Module) -> Iterator[None]:
    """Keep the running statistics of every BatchNorm in `module` unchanged inside the context."""
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]
    momenta = [norm.momentum for norm in norms]
    counts = [None if norm.num_batches_tracked is None else norm.num_batches_tracked.clone() for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum, count in zip(norms, momenta, counts, strict=True):
            norm.momentum = momentum
            if count is not None and norm.num_batches_tracked is not None:
                norm.num_batches_tracked.copy_(count)


def recompute_contexts(module: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Return the contexts of forward and of recomputation, as `torch.utils.checkpoint` wants them."""
    return nullcontext(), held_running_statistics(module)
