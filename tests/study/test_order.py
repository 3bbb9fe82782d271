"""The order of measurement: balanced against density and size by construction, with a few graphs visited again."""

from itertools import pairwise

import pytest

from gnn_checkpointing.study.order import LARGEST_CORRELATION, imbalance, measuring_order, visits
from gnn_checkpointing.study.study import Study
from synthetic.studies import small_study


def study_of(seed: int, repeats: int = 0, sizes: tuple[int, ...] = (400, 800, 1600)) -> Study:
    grid = {"num_nodes": sizes, "average_degrees": [4, 8, 16, 32, 64, 128], "replicates": 2}
    return small_study(["GCN"], grid=grid, seed=seed, measurement={"repeats": repeats})


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_random_and_unrelated_to_density_and_size(seed: int) -> None:
    order = measuring_order(study_of(seed))
    assert imbalance(order) < LARGEST_CORRELATION
    assert order == measuring_order(study_of(seed)) != measuring_order(study_of(seed + 1))
    assert len({spec.id for spec in order}) == 36


def test_an_ordered_design_counts_as_unbalanced() -> None:
    ordered = sorted(measuring_order(study_of(0)), key=lambda spec: spec.average_degree)  # type: ignore[union-attr]
    assert imbalance(ordered) > 0.9


def test_repeated_graphs_come_first_in_the_middle_and_last() -> None:
    found = visits(study_of(3, repeats=2))
    names = [visit.name for visit in found]
    assert len(set(names)) == 40
    first = [visit.graph for visit in found[:2]]
    places = {number: [at for at, visit in enumerate(found) if visit.number == number] for number in (1, 2)}
    assert places == {1: [18, 19], 2: [38, 39]}
    assert all([found[at].graph for at in those] == first for those in places.values())


@pytest.mark.parametrize("repeats", [0, 1, 5, 40])
def test_no_graph_is_visited_again_before_its_own_turn(repeats: int) -> None:
    found = visits(study_of(3, repeats, sizes=(400,)))
    turns: dict[str, list[int]] = {}
    for visit in found:
        turns.setdefault(visit.graph.id, []).append(visit.number)
    assert all(first < second for those in turns.values() for first, second in pairwise(those))
    assert sum(len(those) == 3 for those in turns.values()) == min(repeats, 12)
