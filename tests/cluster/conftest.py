"""A cluster for the tests; where none can be started a test is skipped, or fails where clusters are required."""

import os
from collections.abc import Iterator

import pytest

from .slurm import Cluster, what_is_lacking

REQUIRED = "REQUIRE_SLURM"
"""Set by `make test-slurm`: there a missing SLURM is a failure."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    reason = what_is_lacking()
    if reason and os.environ.get(REQUIRED):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with Cluster() as running:
        yield running
