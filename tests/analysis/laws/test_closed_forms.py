"""The physical law against the published records, to the byte: three studies of other sizes, one of them of GAT."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.laws.closed_forms import BLOCK_FORMS, FORMS, closed_forms, value, with_state
from planning.published import measured

STUDIES = ("default", "prediction", "frontier")


@pytest.mark.parametrize("study", STUDIES)
def test_every_closed_form_is_what_was_measured_to_the_byte(study: str) -> None:
    found = closed_forms(measured(study), [])
    assert len(found) >= 12
    for one in found:
        place = one.convolution, one.policy, one.response
        if place in BLOCK_FORMS:  # degrees decide how full the second block is
            assert (one.exact_cells > one.cells / 3, one.worst_error < 0.01) == (True, True), place
        else:
            assert (one.exact_cells, one.worst_error) == (one.cells, 0.0), place


def test_every_form_is_tried_on_some_study() -> None:
    tried = {
        (one.convolution, one.policy, one.response) for study in STUDIES for one in closed_forms(measured(study), [])
    }
    assert tried == {*FORMS, *BLOCK_FORMS}


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
            missed[row.graph_label] = row.activation_bytes - max(value(with_state(form, 0), sizes) for form in forms)
        assert len(rows) == 11
        assert {name: bytes_ for name, bytes_ in missed.items() if bytes_} == {
            "amherst41, two-hop, degree 160": 4 * 32 * 2235
        }


def test_terms_of_random_state_are_in_figures_or_left_out() -> None:
    assert with_state("8 M N + R L - R + 4 F", 5056) == "8 M N + 5056 L - 5056 + 4 F"
    assert with_state("8 M N + R L - R + 4 F", 0) == "8 M N + 4 F"


def test_sums_of_products_are_worked_out() -> None:
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
