"""Which cells a study has: every factor, in its order, and only where it says something."""

from gnn_checkpointing.design import graph_cells, study_graphs
from gnn_checkpointing.study import Study, parse_study


def study(**changes: object) -> Study:
    values = {
        "name": "test",
        "title": "Test",
        "seed": 3,
        "graphs": {"generated": [{"family": "erdos_renyi", "num_nodes": [50], "average_degrees": [4]}]},
        "architecture": {
            "convolutions": ["GCN", "GAT"],
            "aggregations": ["gather_scatter", "spmm"],
            "num_layers": 2,
            "hidden_channels": 8,
        },
        "policies": ["none"],
    }
    return parse_study(values | changes, "test")


def factors(chosen: Study) -> list[tuple[str, str, str]]:
    (spec,) = study_graphs(chosen)
    return [(cell.convolution, cell.aggregation, cell.allocator) for cell in graph_cells(chosen, spec.id)]


def test_attention_is_no_sparse_product_and_has_no_cell_of_it() -> None:
    assert sorted(factors(study())) == [
        ("GAT", "gather_scatter", "retaining"),
        ("GCN", "gather_scatter", "retaining"),
        ("GCN", "spmm", "retaining"),
    ]


def test_allocators_beside_the_reference_follow_it_for_the_named_convolutions() -> None:
    """One process an allocator: the reference's cells come first, then the others'."""
    measurement = {"allocators": ["retaining", "default"], "allocator_convolutions": ["GCN"]}
    found = factors(study(measurement=measurement))
    assert [allocator for _, _, allocator in found] == 3 * ["retaining"] + 2 * ["default"]
    assert {convolution for convolution, _, allocator in found if allocator == "default"} == {"GCN"}


def test_a_grid_that_is_not_timed_has_no_cells_beside_the_reference_allocator() -> None:
    grid = {"family": "erdos_renyi", "num_nodes": [50], "average_degrees": [4], "timed": False, "convolutions": ["GAT"]}
    chosen = study(graphs={"generated": [grid]}, measurement={"allocators": ["retaining", "default"]})
    assert factors(chosen) == [("GAT", "gather_scatter", "retaining")]


def test_ids_differ_by_every_factor_and_seeds_by_the_model_alone() -> None:
    """The same weights and the same dropout under either aggregation and allocator: their bytes are comparable."""
    chosen = study(measurement={"allocators": ["retaining", "default"]})
    (spec,) = study_graphs(chosen)
    cells = graph_cells(chosen, spec.id)
    assert len({cell.id for cell in cells}) == 6
    assert len({cell.seed for cell in cells if cell.convolution == "GCN"}) == 1
