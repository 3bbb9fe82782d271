"""Claims on depths, ego networks, families, grades and batches: made where measured, judged by their numbers."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from gnn_checkpointing.analysis.analyse import Findings, analyse
from gnn_checkpointing.claims.queries import Asked
from gnn_checkpointing.claims.queries.systems import most_saved
from synthetic.changes import changed
from synthetic.findings import analysed, claim, ledger, synthetic
from synthetic.graphs import batches, families, graded
from synthetic.rows import LAWS, RESIDENT_BYTES, table
from synthetic.tables import depth_table, ego_table, protocol

GROWS = "reversible-peak-hardly-grows-with-depth:reversible"
DENSER = "layers-save-less-when-a-real-graph-is-denser"


@cache
def depths(*layers: int, grown: bool = False) -> Findings:
    """Of stacks of several depths; `grown`: the peak of the deepest reversible one is twice as high."""
    rows = depth_table(layers=layers) if layers else depth_table()
    if grown:
        cell = next(str(row["cell"]) for row in rows if row["num_layers"] == 200)
        own = next(row for row in rows if (row["cell"], row["policy"]) == (cell, "reversible"))
        rows = changed(rows, cell, "reversible", activation_bytes=2 * int(own["activation_bytes"] or 0))
    return analyse(rows, [], protocol())


@cache
def egos() -> Findings:
    return analyse(ego_table(), [], protocol())


@cache
def of(
    graphs: Callable[[], Any], column: str = "", value: object = None, convolution: str = "", ratio: float = 1
) -> Findings:
    """Of layers on graphs; where a column has a value, the convolution's activation ratio is so many times as large."""
    rows = table(np.random.default_rng(0), graphs())
    for row in rows:
        if column and (row[column], row["convolution"], row["policy"]) == (value, convolution, "layers"):
            row["activation_ratio"] = ratio * float(row["activation_ratio"] or 0)
    return analysed(rows)


WORSE_FAMILY = partial(of, families, "family", "rmat", "GCN", 0.8)
WORSE_BATCHES = partial(of, batches, "derivation_size", 10.0, "SAGE", 3)
VERDICTS = [
    (depths, GROWS, "supported", ""),
    (lambda: depths(grown=True), GROWS, "refuted", "200 layers against 50 at average degree 3"),
    (lambda: depths(50, 100), GROWS, "untested", "4 times the other"),
    # Reversible keeps 4, layers 1 + 0.2 x 200 = 41: a tenth. Its step takes 1.5 of none's, not a thirtieth.
    (depths, "deep-reversible-peaks-below-layers:reversible", "supported", ""),
    (depths, "deep-reversible-peaks-below-edge-blocks:reversible", "untested", ""),
    (depths, "gsr-gnn-speed", "refuted", ""),
    (egos, "bags-peak-above-encodings:GCN", "supported", ""),
    (egos, "checkpointed-bags-peak-above-encodings:GCN:layers", "supported", ""),
    (egos, "bags-lose-more-when-dense:GCN", "supported", ""),
    (egos, "elene-memory", "supported", "radius 2"),
    (lambda: of(families), "family-leaves-memory:GATv2:layers", "supported", "against erdos_renyi"),
    # A family that saves more refutes it for its convolution.
    (WORSE_FAMILY, "family-leaves-memory:GCN:layers", "refuted", ""),
    (WORSE_FAMILY, "family-leaves-memory:SAGE:layers", "supported", ""),
    # By the tables' laws GCN keeps 71 % at degree 4 and 81 % at 64, GATv2 32 % and 26 %.
    (lambda: of(graded), f"{DENSER}:GCN:layers", "supported", ""),
    (lambda: of(graded), f"{DENSER}:GATv2:layers", "refuted", "X from average degree 4 to 64"),
    # Batches of every size decide together.
    (WORSE_BATCHES, "layers-lower-the-peak-of-batches:GCN:layers", "supported", ""),
    (WORSE_BATCHES, "layers-lower-the-peak-of-batches:SAGE:layers", "refuted", ""),
    (lambda: of(batches), "layers-cost-time-in-batches:GCN:layers", "supported", ""),
    (lambda: of(batches), "edge-blocks-peak-below-layers-in-batches:GATv2:edge_blocks", "supported", ""),
]


@pytest.mark.parametrize(("made", "id", "verdict", "words"), VERDICTS)
def test_a_claim_is_judged_where_it_was_measured(
    made: Callable[[], Findings], id: str, verdict: str, words: str
) -> None:
    found = claim(made(), id)
    assert found.verdict == verdict
    assert words in found.reason


def test_nothing_is_claimed_of_what_was_not_measured() -> None:
    ids = {one.id.partition(":")[0] for one in ledger(synthetic()).claims}
    names = ("famil", "batch", "real-graph-is", "reversible-peak-hardly", "deep-reversible", "bags-", "elene-")
    assert not [one for one in ids if any(name in one for name in names)]
    assert "workflow/studies/ego.yaml" in most_saved(Asked(synthetic())).note


def test_numbers_are_those_of_the_laws() -> None:
    """4 / 41 of the deepest; the densest graph at the larger radius; two other families at two densities."""

    def peak(nodes: int, edges: int) -> float:
        return RESIDENT_BYTES + int(LAWS["GCN", "none"][0].at(nodes, edges))

    deepest = claim(depths(), "deep-reversible-peaks-below-layers:reversible").estimate
    most = claim(egos(), "elene-memory").estimate
    assert deepest is not None and most is not None
    assert deepest.estimate == pytest.approx(4 / 41, abs=1e-3)
    assert most.estimate == pytest.approx(peak(65_000, 8000 * 65) / peak(1000, 8000))
    assert most.estimate >= 18.1
    assert "4 values" in claim(of(families), "family-leaves-memory:GATv2:layers").quantity
