"""The physical law against the published records, to the byte, and an edge's tensors as worked out on paper."""

from functools import cache

import pytest

from gnn_checkpointing.analysis.laws.counts import FORMS, analytic, closed_forms, counted, terms, value
from gnn_checkpointing.analysis.laws.fit import fit_form
from gnn_checkpointing.analysis.results import ClosedForm, Response
from planning.published import measured
from synthetic.rows import table
from synthetic.tables import series

STUDIES = ("default", "prediction", "frontier", "ego")


@cache
def compared(study: str) -> dict[tuple[str, str, Response], ClosedForm]:
    return {(one.convolution, one.policy, one.response): one for one in closed_forms(measured(study), [])}


@pytest.mark.parametrize("study", STUDIES)
def test_every_closed_form_is_what_was_measured_to_the_byte(study: str) -> None:
    assert len(compared(study)) >= (9 if study == "ego" else 12)
    for place, one in compared(study).items():
        if place[1:] == ("edge_blocks", "activation_bytes"):  # degrees decide how full the second block is
            assert (one.exact_cells > one.cells / 3, one.worst_error < 0.01) == (True, True), place
        else:
            assert (one.exact_cells, one.worst_error) == (one.cells, 0.0), place


def test_every_form_is_tried_on_some_study() -> None:
    assert {place for study in STUDIES for place in compared(study)} == FORMS.keys()


def test_wide_features_make_the_first_layer_of_sage_the_peak_to_the_byte_in_ten_of_eleven_graphs() -> None:
    """Features of 64 on layers of 32 channels; where 160 edges reach a node, 4 F N bytes more are alive."""
    classes = {"Cora": 7, "amherst41": 2, "tolokers": 2}
    for policy in ("none", "layers"):
        rows = [row for row in measured("real") if (row.convolution, row.policy) == ("SAGE", policy)]
        missed = {}
        for row in rows:
            sizes = {"N": row.num_nodes, "E": row.num_edges, "M": row.num_features, "L": 3, "F": 32}
            sizes["C"] = next(count for name, count in classes.items() if row.graph_label.startswith(name))
            forms = FORMS["SAGE", policy, "activation_bytes"]
            missed[row.graph_label] = row.activation_bytes - max(value(form, sizes) for form in forms)
        assert len(rows) == 11
        assert {name: off for name, off in missed.items() if off} == {"amherst41, two-hop, degree 160": 4 * 32 * 2235}


def test_sums_of_products_are_worked_out() -> None:
    assert terms("4 L F N - 4 F N + 8") == [(4, ["L", "F", "N"]), (-4, ["F", "N"]), (8, [])]
    assert value("4 L F N - 4 F N + 8", {"L": 3, "F": 2, "N": 5}) == 120 - 40 + 8


@pytest.mark.parametrize(("study", "layers"), [("prediction", 3), ("default", 4), ("frontier", 9)])
def test_gatv2_with_whole_layers_keeps_two_of_one_more_than_its_layers(study: str, layers: int) -> None:
    """Whatever the density: 2 / (L + 1), less what the heads and nodes take of either."""
    rows = {(row.graph, row.policy): row for row in measured(study) if row.convolution == "GATv2" and row.is_drawn}
    dense = [row for (_, policy), row in rows.items() if policy == "layers" and row.average_degree >= 30]
    assert dense and {row.num_layers for row in dense} == {layers}
    for row in dense:
        kept = row.activation_bytes / rows[row.graph, "none"].activation_bytes
        assert kept == pytest.approx(2 / (layers + 1), rel=0.06)


@pytest.mark.parametrize(
    ("convolution", "policy", "response", "bytes", "words"),
    [
        # 4 layers of 3 x 32 + 3 x 4 values: 4 x 108 x 4 bytes; at the peak 3 x 32 + 4 more of one layer.
        ("GATv2", "none", "saved_activation_bytes", 1728, "12 L F + 12 L H"),
        ("GATv2", "none", "activation_bytes", 2128, "12 L F + 12 L H + 12 F + 4 H"),
        ("GATv2", "layers", "activation_bytes", 816, "24 F + 12 H"),
        ("GCN", "none", "activation_bytes", 256, "8 F"),
        ("SAGE", "layers", "activation_bytes", 132, "4 F + 4"),
        # The first of 4 layers keeps nothing: 3 x 32 x 4 bytes.
        ("SAGE-max", "none", "saved_activation_bytes", 384, "4 L F - 4 F"),
        ("GAT", "layers", "saved_activation_bytes", 0, "0"),
        ("EdgeConv", "edge_blocks", "activation_bytes", 0, "0"),
        # What nobody counted has no count.
        *((name, policy, "activation_bytes", 0, None) for name, policy in (("GCN (spmm)", "none"), ("GIN", "none"))),
        ("GATv2", "compiled", "activation_bytes", 0, None),
    ],
)
def test_an_edge_costs_what_its_tensors_weigh(
    convolution: str, policy: str, response: Response, bytes: int, words: str | None
) -> None:
    assert counted(convolution, policy, response) == words
    assert value(words or "0", {"L": 4, "F": 32, "H": 4}) == bytes


def test_three_slopes_stand_side_by_side() -> None:
    """2,000 bytes an edge in the table and its law; 4 layers of 16 channels and 4 heads: 4 (48 + 12) 4 + 208 = 1168."""
    one = series(table(0))
    found = analytic(one, fit_form("additive", one.sizes, one.values))
    assert (found.num_nodes, found.counted) == (2000, 1168.0)
    assert found.measured == pytest.approx(2000)
    assert found.law == pytest.approx(2000)
