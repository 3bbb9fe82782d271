"""Stacks in practice are told beside the bare ones, large graphs are for the laws; neither moves anything else."""

import pytest

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.study.settings import PRACTICE
from synthetic.changes import changed
from synthetic.findings import analysed
from synthetic.graphs import generated_graphs
from synthetic.rows import Table, table

DEGREES, PLACE = (4.0, 32.0, 128.0), "sbm-n1000-d32-r0"
GRID = generated_graphs((500, 1000), DEGREES)
LARGE = generated_graphs((8000,), (128.0,), 1)
BARE = table(0, GRID, convolutions=["GATv2"])


def in_practice(kept: float = 1.2) -> Table:
    """The cell of one graph once more, with 3 times the bytes, of which layers keep `kept` times what it did."""
    own = [row for row in BARE if row["graph"] == PLACE]
    return [
        {
            **row,
            "cell": f"{row['cell']}-practice",
            "model": PRACTICE,
            "activation_bytes": 3 * float(row["activation_bytes"] or 0),
            "activation_ratio": float(row["activation_ratio"] or 0) * (kept if row["policy"] == "layers" else 1.0),
        }
        for row in own
    ]


def apart(findings: Findings) -> dict[str, object]:
    """Everything but what counts rows, and the comparison itself."""
    kept = {name: getattr(findings, name) for name in ("trends", "regressions", "predictions", "robustness")}
    return kept | {"effects": findings.effects.model_copy(update={"practice": []})}


def test_practice_is_compared_on_its_own_graph_and_moves_nothing_else() -> None:
    plain, both = analysed(BARE), analysed(BARE + in_practice())
    assert apart(both) == apart(plain)
    assert plain.effects.practice == []
    layers, blocks = both.effects.practice
    assert (layers.convolution, layers.policy, layers.num_nodes, layers.level) == ("GATv2", "layers", 1000, "32")
    assert layers.none_activation_bytes == pytest.approx(3)
    assert layers.activation_ratio.over(layers.bare_activation_ratio).estimate == pytest.approx(1.2)
    assert blocks.activation_ratio.over(blocks.bare_activation_ratio).estimate == pytest.approx(1.0)
    assert layers.time_ratio == layers.bare_time_ratio
    assert both.quality.cells == plain.quality.cells + 1


def test_a_policy_that_changes_what_is_computed_is_not_compared() -> None:
    added = in_practice()
    cell = str(added[0]["cell"])
    spoilt = analysed(BARE + changed(added, cell, "layers", same_gradients=False))
    assert [row.policy for row in spoilt.effects.practice] == ["edge_blocks"]


@pytest.mark.parametrize(("kept", "verdict"), [(1.05, "supported"), (1.2, "refuted")])
def test_the_answer_holds_where_layers_keep_at_most_a_tenth_more(kept: float, verdict: str) -> None:
    claims = {claim.id: claim for claim in judge(analysed(BARE + in_practice(kept)), "study", "machine").claims}
    judged = claims["layers-saves-in-practice:GATv2:layers"]
    assert (judged.verdict, judged.reason) == (verdict, "1,000 nodes, average degree 32")
    assert claims["edge-blocks-saves-in-practice:GATv2:edge_blocks"].verdict == "supported"
    assert "layers-saves-in-practice:GATv2:layers" not in {
        c.id for c in judge(analysed(BARE), "study", "machine").claims
    }


def test_large_graphs_are_in_the_laws_and_in_nothing_else() -> None:
    large = [{**row, "cell": f"{row['cell']}-large"} for row in table(1, LARGE, convolutions=["GATv2"])]
    plain, both = analysed(BARE), analysed(BARE + large, large_graphs=frozenset({LARGE[0].id}))
    kept, wider = apart(plain), apart(both)
    assert {name for name in kept if kept[name] != wider[name]} == {"predictions"}
    laws = {(law.policy, law.response): law for law in both.predictions.laws}
    assert laws["none", "step_time_seconds"].num_edges[1] == 8000 * 128
    assert {effect.num_nodes for effect in both.effects.at_sizes} == {500, 1000}
    assert both.quality.median_half_width == plain.quality.median_half_width
