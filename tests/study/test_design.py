"""Which cells a study has: every factor, in its order, and only where it says something."""

from itertools import pairwise
from typing import Any

import pytest

from gnn_checkpointing.study.design import LARGEST_CORRELATION, graph_cells, imbalance, measuring_order, visits
from gnn_checkpointing.study.graph_design import DerivedGraph, large_graphs, study_graphs
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.settings import PRACTICE
from gnn_checkpointing.study.study import Study
from synthetic.studies import ROOT, small_study


def study(**changes: object) -> Study:
    grid = {"num_nodes": [50], "average_degrees": [4]}
    sizes = {"aggregations": ["gather_scatter", "spmm"], "num_layers": 2, "hidden_channels": 8}
    return small_study(("GCN", "GAT"), grid=grid, **{"architecture": sizes, **changes})


GRID = {"family": "erdos_renyi", "num_nodes": [50], "average_degrees": [4]}
READ_BY_GAT = {**GRID, "convolutions": ["GAT"]}
IMAGES = {"family": "images", "num_nodes": [392], "average_degrees": [9]}
TWO = ["retaining", "default"]
ALL = [("GAT", "gather_scatter"), ("GCN", "gather_scatter"), ("GCN", "spmm")]


@pytest.mark.parametrize(
    ("changes", "reference", "beside"),
    [
        ({}, ALL, []),  # attention is no sparse product
        ({"measurement": {"allocators": TWO, "allocator_convolutions": ["GCN"]}}, ALL, ALL[1:]),
        ({"graphs": {"generated": [{**READ_BY_GAT, "timed": False}]}, "measurement": {"allocators": TWO}}, ALL[:1], []),
    ],
)
def test_a_cell_for_each_factor_where_it_says_something(changes: Any, reference: Any, beside: Any) -> None:
    """One process an allocator: the cells of the reference come first, then the others, where steps are timed."""
    chosen = study(**changes)
    (spec,) = study_graphs(chosen)
    found = [(cell.convolution, cell.aggregation, cell.allocator) for cell in graph_cells(chosen, spec)]
    assert [allocator for _, _, allocator in found] == ["retaining"] * len(reference) + ["default"] * len(beside)
    assert sorted(one[:2] for one in found[: len(reference)]) == reference
    assert sorted(one[:2] for one in found[len(reference) :]) == beside


def test_ids_differ_by_every_factor_and_seeds_by_the_model_alone() -> None:
    """The same weights and the same dropout under either aggregation and allocator: their bytes are comparable."""
    chosen = study(measurement={"allocators": ["retaining", "default"]})
    (spec,) = study_graphs(chosen)
    cells = graph_cells(chosen, spec)
    assert len({cell.id for cell in cells}) == 6
    assert len({cell.seed for cell in cells if cell.convolution == "GCN"}) == 1


REAL = {
    "real": [{"class": "KarateClub", "name": "karate", "graded": {"thinned": [2], "capped": [3], "two_hop": [6, 8]}}]
}


def test_a_real_graph_brings_its_grades_and_they_change_nothing_of_it() -> None:
    graded = study_graphs(study(graphs=REAL))
    names = [spec.id for spec in graded]
    assert [name.removeprefix(names[0]) for name in names] == [
        "", "-thinned-2", "-capped-3", "-two-hop-6", "-two-hop-8",
    ]  # fmt: skip
    plain = {"real": [{"class": "KarateClub", "name": "karate"}]}
    assert [spec.id for spec in study_graphs(study(graphs=plain))] == names[:1]


def test_batches_are_made_of_every_whole_graph_and_read_as_it_is() -> None:
    sampled = [{"sampler": "neighbours", "fan_outs": [2, 5], "draws": 2}, {"sampler": "clusters", "parts": [3]}]
    chosen = study(graphs={"generated": [READ_BY_GAT], **REAL, "batches": sampled})
    specs = study_graphs(chosen)
    # Two whole graphs and four grades; five batches of each whole graph.
    assert len(specs) == 2 + 4 + 2 * 5
    batch = next(spec for spec in specs if "neighbours-5-b1" in spec.id and spec.id.startswith("erdos"))
    assert [cell.convolution for cell in graph_cells(chosen, batch)] == ["GAT"]
    assert len({spec.seed for spec in specs}) >= len(specs) - 2  # the clusters of one graph share METIS' cut


def test_features_are_projected_to_the_hidden_channels_unless_the_study_says_otherwise() -> None:
    assert study_graphs(study(graphs=REAL))[0].num_features == 8
    assert study_graphs(study(graphs={**REAL, "num_features": 30}))[0].num_features == 30


def test_each_depth_has_cells_of_its_own_and_leaves_the_first_ones_as_they_were() -> None:
    architecture = {"convolutions": ["GCN"], "num_layers": 2, "hidden_channels": 8}
    deep = study(architecture={**architecture, "depths": [4, 8]})
    (spec,) = study_graphs(deep)
    cells = graph_cells(deep, spec)
    assert {(cell.model, cell.architecture.num_layers) for cell in cells} == {
        ("2 layers", 2), ("4 layers", 4), ("8 layers", 8),
    }  # fmt: skip
    assert len({cell.id for cell in cells}) == len({cell.seed for cell in cells}) == 3
    (alone,) = graph_cells(study(architecture=architecture), spec)
    same = next(cell for cell in cells if cell.architecture.num_layers == 2)
    assert (alone.id, alone.seed, alone.model) == (same.id, same.seed, "")


def test_images_are_read_by_vision_gnns_alone_each_with_its_own_shape() -> None:
    architecture = {
        "convolutions": ["GCN", "ViG-Ti", "ViG-S"],
        "tasks": ["patches", "images"],
        "num_layers": 2,
        "hidden_channels": 8,
    }
    chosen = study(graphs={"generated": [GRID, IMAGES]}, architecture=architecture)
    plain, images = study_graphs(chosen)
    assert {cell.convolution for cell in graph_cells(chosen, plain)} == {"GCN"}
    found = {
        (cell.convolution, cell.model, cell.architecture.num_layers, cell.architecture.hidden_channels)
        for cell in graph_cells(chosen, images)
    }
    assert found == {
        ("ViG-Ti", "", 12, 192), ("ViG-Ti", "images", 12, 192), ("ViG-S", "", 16, 320), ("ViG-S", "images", 16, 320),
    }  # fmt: skip
    assert (images.num_features, images.num_classes) == (768, 2)


def test_ego_networks_come_beside_every_whole_graph_and_are_read_as_it_is() -> None:
    chosen = study(graphs={"generated": [READ_BY_GAT], **REAL, "ego": {"radii": [1, 2], "channels": 8}})
    specs = study_graphs(chosen)
    egos = [spec for spec in specs if isinstance(spec, DerivedGraph) and spec.method in ("encodings", "ego_networks")]
    # Two whole graphs, two forms, two radii; grades have none.
    assert len(egos) == 8
    assert {(spec.method, spec.size, spec.channels) for spec in egos} == {
        ("encodings", 1, 8), ("encodings", 2, 8), ("ego_networks", 1, 0), ("ego_networks", 2, 0),
    }  # fmt: skip
    drawn = next(spec for spec in egos if spec.id.startswith("erdos"))
    assert [cell.convolution for cell in graph_cells(chosen, drawn)] == ["GAT"]
    more = study(graphs={"generated": [READ_BY_GAT], **REAL, "ego": {"radii": [1], "channels": 99}})
    bags = {spec.id for spec in egos if (spec.method, spec.size) == ("ego_networks", 1)}
    assert bags <= {spec.id for spec in study_graphs(more)}  # a bag does not depend on the encodings' channels


BARE = {"convolutions": ["GCN", "GATv2"], "num_layers": 2, "hidden_channels": 8, "heads": 2}


def test_stacks_in_practice_are_measured_beside_the_bare_ones_which_stay_as_they_were() -> None:
    grid = {**GRID, "average_degrees": [4, 6], "replicates": 2}
    asked: dict[str, Any] = {
        "graphs": {"generated": [grid]},
        "architecture": BARE,
        "measurement": {"allocators": ["retaining", "default"]},
    }
    plain = study(**asked)
    chosen = study(**asked, practice={"graphs": {"num_nodes": [50], "average_degrees": [6]}, "norm": "layer"})
    found = {spec.id: graph_cells(chosen, spec) for spec in study_graphs(chosen)}
    added = {name: [cell for cell in cells if cell.model == PRACTICE] for name, cells in found.items()}
    # Replicate 0 of degree 6 alone, and the reference allocator alone.
    assert {name.rpartition("-")[0] for name, cells in added.items() if cells} == {"erdos-renyi-n50-d6-r0"}
    (cells,) = filter(None, added.values())
    assert {(cell.convolution, cell.allocator) for cell in cells} == {("GATv2", "retaining"), ("GCN", "retaining")}
    architecture = cells[0].architecture
    assert (architecture.norm, architecture.dropout, architecture.residual) == ("layer", 0.5, True)
    assert (architecture.self_loops, architecture.attention_dropout) == (True, 0.5)
    bare = {name: [cell for cell in cells if cell.model != PRACTICE] for name, cells in found.items()}
    assert bare == {spec.id: graph_cells(plain, spec) for spec in study_graphs(plain)}


def test_large_graphs_have_their_own_rounds_and_nothing_is_made_of_them() -> None:
    large = {**GRID, "num_nodes": [90], "convolutions": ["GCN"], "rounds": {"at_least": 3, "at_most": 4}}
    batches = [{"sampler": "clusters", "parts": [3]}]
    chosen = study(graphs={"generated": [GRID], "large": [large], "batches": batches}, measurement={"repeats": 3})
    small, big, batch = study_graphs(chosen)
    assert large_graphs(chosen) == {big.id}
    assert batch.id.startswith(small.id)
    cells = graph_cells(chosen, big)
    assert {(cell.convolution, cell.rounds) for cell in cells} == {("GCN", (3, 4))}
    assert {cell.rounds for cell in graph_cells(chosen, small)} == {None}
    assert {visit.graph.id for visit in visits(chosen) if visit.number} == {small.id, batch.id}
    same = study(graphs={"generated": [GRID, {**GRID, "num_nodes": [90]}]})
    assert [spec.id for spec in study_graphs(same)] == [small.id, big.id]


def test_cells_of_published_reports_keep_their_ids() -> None:
    """Keys that an architecture got later are part of an id only where they are not as they always were."""
    published = read_study(ROOT / "report/amd-epyc-2c-24gib/default/study.json")
    spec = next(spec for spec in study_graphs(published) if spec.id == "sbm-n1600-d128-r0-1fa18a")
    assert "sbm-n1600-d128-r0-1fa18a-GATv2-2c7f68" in {cell.id for cell in graph_cells(published, spec)}
    changed = published.model_copy(
        update={"architecture": published.architecture.model_copy(update={"attention_dropout": 0.1})}
    )
    assert not {cell.id for cell in graph_cells(changed, spec)} & {cell.id for cell in graph_cells(published, spec)}


def measured_study(seed: int, repeats: int = 0, sizes: tuple[int, ...] = (400, 800, 1600)) -> Study:
    grid = {"num_nodes": sizes, "average_degrees": [4, 8, 16, 32, 64, 128], "replicates": 2}
    return small_study(["GCN"], grid=grid, seed=seed, measurement={"repeats": repeats})


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_random_and_unrelated_to_density_and_size(seed: int) -> None:
    order = measuring_order(measured_study(seed))
    assert imbalance(order) < LARGEST_CORRELATION
    assert order == measuring_order(measured_study(seed)) != measuring_order(measured_study(seed + 1))
    assert len({spec.id for spec in order}) == 36


def test_an_ordered_design_counts_as_unbalanced() -> None:
    drawn = measuring_order(measured_study(0))
    ordered = sorted(drawn, key=lambda spec: spec.average_degree)  # type: ignore[union-attr]
    assert imbalance(ordered) > 0.9


def test_repeated_graphs_come_first_in_the_middle_and_last() -> None:
    found = visits(measured_study(3, repeats=2))
    names = [visit.name for visit in found]
    assert len(set(names)) == 40
    first = [visit.graph for visit in found[:2]]
    places = {number: [at for at, visit in enumerate(found) if visit.number == number] for number in (1, 2)}
    assert places == {1: [18, 19], 2: [38, 39]}
    assert all([found[at].graph for at in those] == first for those in places.values())


@pytest.mark.parametrize("repeats", [0, 1, 5, 40])
def test_no_graph_is_visited_again_before_its_own_turn(repeats: int) -> None:
    found = visits(measured_study(3, repeats, sizes=(400,)))
    turns: dict[str, list[int]] = {}
    for visit in found:
        turns.setdefault(visit.graph.id, []).append(visit.number)
    assert all(first < second for those in turns.values() for first, second in pairwise(those))
    assert sum(len(those) == 3 for those in turns.values()) == min(repeats, 12)
