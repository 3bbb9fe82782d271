"""For tests that compile: a C++ compiler or a reason to skip. Also makes PyG's layers independent of test order."""

import os
import sys
from collections.abc import Iterator

import pytest
from small_layers import always
from torch_geometric.nn import SAGEConv

from gnn_checkpointing.checkpointing.compilation import forget_compiled, require_compiler
from gnn_checkpointing.checkpointing.edge_blocks import cut_layers
from gnn_checkpointing.refusal import Unavailable

# PyG generates the `propagate` of a class for its first instance. If that has an aggregation without a sparse product,
# such as softmax, all later instances of the class refuse sparse matrices.
SAGEConv(1, 1)


@pytest.fixture(scope="session")
def reason_not_to_compile() -> str:
    """Reason why nothing can be compiled, or ""; found once per session, since it starts a compiler."""
    try:
        require_compiler("cpu")
    except Unavailable as reason:
        if os.environ.get("REQUIRE_COMPILER") == "1":
            raise
        return str(reason)
    return ""


@pytest.fixture
def always_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` leaves all layers alone on small graphs; here it treats every graph as large and dense."""
    monkeypatch.setattr(sys.modules[cut_layers.__module__], "worth", always)


@pytest.fixture
def compiler(reason_not_to_compile: str) -> Iterator[None]:
    """Skip without a compiler, or fail if REQUIRE_COMPILER=1; discards compiled code after the test."""
    if reason_not_to_compile:
        pytest.skip(reason_not_to_compile)
    yield
    forget_compiled()
