"""What tests that compile need: a C++ compiler, or a reason not to run."""

import os
from collections.abc import Iterator

import pytest

from gnn_checkpointing.checkpointing.compilation import forget_compiled, require_compiler
from gnn_checkpointing.refusal import Unavailable


@pytest.fixture
def compiler() -> Iterator[None]:
    """Skip without a compiler, or fail where REQUIRE_COMPILER=1; leave no compiled code behind."""
    try:
        require_compiler("cpu")
    except Unavailable as reason:
        if os.environ.get("REQUIRE_COMPILER") == "1":
            raise
        pytest.skip(str(reason))
    yield
    forget_compiled()
