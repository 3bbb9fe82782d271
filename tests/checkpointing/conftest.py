"""What tests that compile need: a C++ compiler, or a reason not to run; and layers whatever test comes first."""

import os
from collections.abc import Iterator

import pytest
from torch_geometric.nn import SAGEConv

from gnn_checkpointing.checkpointing.compilation import forget_compiled, require_compiler
from gnn_checkpointing.refusal import Unavailable

# PyG writes the `propagate` of a class for its first instance. After one with an aggregation that has no sparse
# product, as softmax, every other of the class refuses sparse matrices.
SAGEConv(1, 1)


@pytest.fixture(scope="session")
def reason_not_to_compile() -> str:
    """Asked once: a compiler is started to find out."""
    try:
        require_compiler("cpu")
    except Unavailable as reason:
        if os.environ.get("REQUIRE_COMPILER") == "1":
            raise
        return str(reason)
    return ""


@pytest.fixture
def compiler(reason_not_to_compile: str) -> Iterator[None]:
    """Skip without a compiler, or fail where REQUIRE_COMPILER=1; leave no compiled code behind."""
    if reason_not_to_compile:
        pytest.skip(reason_not_to_compile)
    yield
    forget_compiled()
