"""Three readings agree within the stated tolerances, and one that does not is told in one sentence."""

import pytest

from gnn_checkpointing.measurement.readings import agreement, disagreements
from gnn_checkpointing.records.policy import Readings

MIB = 2**20
PEAK = 100 * MIB


def read(high_water: int | None = None, fake: int | None = None) -> Readings:
    """A peak of 100 MiB on 2**20 edges and node maps of 3 MiB."""
    return agreement(PEAK, num_edges=2**20, node_map_bytes=3 * MIB, high_water=high_water, fake=fake, notes=[])


@pytest.mark.parametrize(
    ("above", "agrees"),
    # 2 % of 100 MiB and 2 MiB either way; above also 32 bytes an edge: the sort inside a scatter.
    [(0, True), (4 * MIB, True), (36 * MIB, True), (36 * MIB + 1, False), (-4 * MIB, True), (-4 * MIB - 1, False)],
)
def test_the_high_water_mark_may_be_higher_by_what_the_sort_of_a_scatter_takes(above: int, agrees: bool) -> None:
    assert read(high_water=PEAK + above).high_water_agrees is agrees


@pytest.mark.parametrize(
    ("above", "agrees"),
    # 1 % of 100 MiB and 256 KiB either way; above also one node map: the gradient of a gather.
    [(0, True), (MIB + MIB // 4, True), (4 * MIB + MIB // 4, True), (5 * MIB, False), (-2 * MIB, False)],
)
def test_fake_tensors_may_be_higher_by_a_node_map(above: int, agrees: bool) -> None:
    assert read(fake=PEAK + above).fake_tensor_agrees is agrees


def test_no_reading_is_no_verdict() -> None:
    readings = read()
    assert readings.high_water_agrees is None and readings.fake_tensor_agrees is None
    assert list(disagreements("layers", PEAK, readings)) == []


def test_a_disagreement_names_policy_instrument_and_both_values() -> None:
    (sentence,) = disagreements("layers", PEAK, read(high_water=PEAK, fake=7))
    assert sentence == f"memory readings of layers disagree: allocator events {PEAK} bytes, fake tensors 7 bytes"
