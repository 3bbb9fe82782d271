"""The examples in the docstrings of the library's public functions run as they are written."""

import doctest
import importlib

import pytest

MODULES = (
    "gnn_checkpointing",
    "gnn_checkpointing.checkpointing",
    "gnn_checkpointing.checkpointing.explanation",
    "gnn_checkpointing.checkpointing.policies",
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.failed == 0
    assert found.attempted >= 3


@pytest.mark.parametrize("function", ["apply", "edge_blocks", "explain", "remove"])
def test_every_public_function_has_an_example(function: str) -> None:
    package = importlib.import_module("gnn_checkpointing")
    assert set(package.__all__) == {"__version__", "apply", "edge_blocks", "explain", "remove"}
    assert ">>>" in getattr(package, function).__doc__
