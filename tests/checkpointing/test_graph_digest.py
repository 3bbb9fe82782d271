"""A graph on a GPU is recognised part by part, as one on CPU is whole: by every value and its place."""

import pytest
import torch

from gnn_checkpointing.checkpointing import graph_tables
from gnn_checkpointing.checkpointing.graph_tables import _in_parts


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 40])
def test_every_value_and_its_place_count(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(graph_tables, "_PART", 8)
    flat = torch.arange(100, 100 + count)
    first = _in_parts(flat)
    assert _in_parts(flat.to(torch.int32)) == first
    changed = [flat.clone() for _ in range(count)]
    for place, other in enumerate(changed):
        other[place] += 1
    moved = [flat.roll(shift) for shift in range(1, count)]
    assert len({first, *map(_in_parts, [*changed, *moved])}) == 1 + len(changed) + len(moved)
