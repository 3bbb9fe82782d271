"""One way or several to spoil each check of the rubric: each changes one input, and that check alone should fail."""

from collections.abc import Callable
from typing import Any

from gnn_checkpointing.analysis.results import Effect, Spread
from gnn_checkpointing.records.graph_facts import Provenance
from gnn_checkpointing.records.jobs import REORDERED
from gnn_checkpointing.records.measurements_table import Value
from gnn_checkpointing.records.record import Machine
from gnn_checkpointing.report.run_folder import Row, RunFolder
from synthetic.changes import changed
from synthetic.results import about, made
from synthetic.rows import Table

from . import clean

Spoil = Callable[[RunFolder], RunFolder]


def row(policy: str, /, **values: Value) -> Spoil:
    """Change fields of the row of that policy in the first cell."""

    def spoil(found: RunFolder) -> RunFolder:
        cell = str(found.rows[0]["cell"])
        return found.but(rows=changed([dict(row) for row in found.rows], cell, policy, **values))

    return spoil


def rows(change: Callable[[Table], Table]) -> Spoil:
    """Change the table."""
    return lambda found: found.but(rows=change([dict(row) for row in found.rows]))


def everywhere(where: Callable[[Row], bool] = bool, **values: Value) -> Spoil:
    """Change fields of all rows that meet a condition."""
    return rows(lambda table: [{**each, **values} if where(each) else each for each in table])


def at(path: str, /, **changes: Any) -> Spoil:
    """Change fields of the part of the run at a path, such as "findings.robustness.drift.0"."""
    return lambda found: clean.updated(found, path, changes)


def overlapping(table: Table) -> Table:
    """Let the second cell begin a second before the first ends (cells take 3 s, 4 s apart)."""
    first, second = list(dict.fromkeys(row["cell"] for row in table))[:2]
    assert next(row["ended"] for row in table if row["cell"] == first) == "2026-01-01T00:00:03+00:00"
    return [{**row, "started": "2026-01-01T00:00:02+00:00"} if row["cell"] == second else row for row in table]


def sparse_to_dense(table: Table) -> Table:
    """Measure the graphs in the order of their density, each cell in a minute of its own."""
    cells = list(dict.fromkeys((float(row["average_degree"] or 0), str(row["cell"])) for row in table))
    place = {cell: f"2026-01-01T00:{number:02}" for number, (_, cell) in enumerate(sorted(cells))}
    return [
        {**row, "started": f"{place[str(row['cell'])]}:00+00:00", "ended": f"{place[str(row['cell'])]}:30+00:00"}
        for row in table
    ]


def added_form(found: RunFolder) -> RunFolder:
    """Add a form when the data have been seen."""
    laws = found.study.analysis.laws.model_copy(update={"added": ("additive",)})
    analysis = found.study.analysis.model_copy(update={"laws": laws})
    return found.but(study=found.study.model_copy(update={"analysis": analysis}))


def thinner_at_the_densest(column: str, value: Value, **grid: Any) -> Spoil:
    """Plan and measure degree 64 without the rows that have this value in the column."""

    def spoil(found: RunFolder) -> RunFolder:
        grids = ({**clean.GRID, "average_degrees": [4, 16]}, {**clean.GRID, "average_degrees": [64], **grid})
        kept = [row for row in found.rows if (row["requested_average_degree"], row[column]) != (64.0, value)]
        return found.but(study=clean.study(grids), rows=kept)

    return spoil


def unmarked_other_model(found: RunFolder) -> RunFolder:
    """Let `reversible` pass in one cell for the same model, compared and the same."""
    same = dict.fromkeys(("same_loss", "same_gradients", "same_buffers"), True)
    errors = dict.fromkeys(("loss_error", "gradient_error", "buffer_error"), 0.0)
    return row("reversible", other_model=False, **same, **errors)(found)


def fact(name: str, value: str) -> Spoil:
    return lambda found: found.but(machine=Machine(found.machine.slug, {**found.machine.facts, name: value}))


HALF = dict.fromkeys(("memory_ratio", "activation_ratio"), about(0.5, 0.1))

SPOILS: dict[str, tuple[Spoil, ...]] = {
    "cells-alone": (rows(overlapping),),
    "nothing-else-ran": (everywhere(warnings="load 2.4 with 1 measuring threads: the machine was shared"),),
    "everything-measured": (
        rows(lambda table: [each for each in table if each is not table[2]]),
        rows(lambda table: [*table, {**table[1], "policy": "segments(2)"}]),
        rows(lambda table: [*table, table[1]]),
    ),
    "design-balanced": (
        thinner_at_the_densest("replicate", 1, replicates=1),
        thinner_at_the_densest("convolution", "GATv2", convolutions=["GCN"]),
    ),
    "order-random": (rows(sparse_to_dense),),
    "outcomes-explained": (everywhere(lambda each: each["outcome"] != "completed", message=" "),),
    "second-reading": (row("layers", high_water_bytes=None, high_water_agrees=None),),
    "third-reading": (row("none", fake_tensor_bytes=None, fake_tensor_agrees=None),),
    "readings-agree": (row("layers", high_water_agrees=False), row("none", fake_tensor_agrees=False)),
    "known-step": (
        at("demonstration", high_water_bytes=900),
        at("demonstration", exact_bytes=0),
        lambda found: found.but(demonstration=None),
    ),
    # As the depth study's: a reading 130 KB off is nothing of a large peak, and more than half of a small one.
    "small-peaks": (
        lambda found: row("layers", high_water_bytes=round(1.11 * int(found.rows[1]["activation_bytes"] or 0)))(found),
    ),
    # An hour later the machine is 6 % slower with the policy, and each hour's interval says 1 %.
    "repeats-agree": (everywhere(lambda each: bool(each.get("visit")), time_ratio_low=1.6, time_ratio_high=9.0),),
    "growth-linear": (
        at("findings.predictions", laws=[clean.time_law("additive", constant=1e-3, edges=1e-7, edges_squared=1e-14)]),
        at("findings.predictions", laws=[clean.time_law("knee", constant=-9.0, log_nodes=0.3, log_edges=0.9)]),
    ),
    # A law with a knee for none and none for the policy: beyond the measured range the lines cross.
    "laws-ordered": (
        at(
            "findings.predictions",
            laws=[
                clean.time_law("knee", constant=1e-3, edges=1e-7, edges_over_knee=8e-8),
                clean.time_law(policy="layers", constant=1e-3, edges=1.4e-7),
            ],
        ),
    ),
    "real-bounds": (at("findings.predictions.summaries.0", inside=0.53),),
    "real-intervals": (at("findings.predictions.summaries.2", inside=0.8),),
    "everything-compared": (row("layers", gradient_error=None), row("edge_blocks", same_buffers=None)),
    "nothing-changed": (row("layers", gradient_error=1e-3), row("edge_blocks", same_buffers=False)),
    "other-models-apart": (
        unmarked_other_model,
        at(
            "findings.effects",
            rows=[made(Effect, policy="reversible", allocator="", requested_average_degree=4.0, **HALF)],
        ),
    ),
    "rounds-enough": (row("layers", rounds=9),),
    "processes-enough": (row("layers", processes=1), row("none", processes=None)),
    "usual-width": (at("findings.quality", median_half_width=0.031),),
    "worst-width": (at("findings.quality", worst_half_width=0.091),),
    "machine-steady": (at("findings.quality", sentinel_drift=Spread(values=26, median=0.051, worst=0.06)),),
    "no-page-faults": (everywhere(page_faults=1.0),),
    "candidates-fixed": (at("findings.predictions.leaderboard.0", form="quadratic"), added_form),
    "densest-predicted": (at("findings.predictions.leaderboard.0.errors.0", worst_relative_error=0.11),),
    "slopes-met": (at("findings.predictions.analytic.0", law=111.0),),
    "failures-foreseen": (at("findings.predictions.censored.0", foreseen=False),),
    "held-out-often": (at("findings.predictions.coverage.0", held_out=99),),
    "bytes-covered": (
        at("findings.predictions.coverage.0", inside=0.92),
        at("findings.predictions.coverage.1", inside=0.92),
    ),
    "time-covered": (at("findings.predictions.coverage.2", inside=0.92),),
    "bytes-narrow": (at("findings.predictions.coverage.1", median_half_width=0.051),),
    "time-narrow": (at("findings.predictions.coverage.2", median_half_width=0.26),),
    "real-bytes": (
        at("findings.predictions.summaries.0", median_error=0.021),
        at("findings.predictions.summaries.1", worst_error=0.051),
    ),
    "real-time": (at("findings.predictions.summaries.2", median_error=0.11, worst_error=0.2),),
    "no-graph-decides": (at("findings.robustness.left_out.0", changes=["sbm-n500"]),),
    "no-drift": (at("findings.robustness.drift.0", p_value=0.01),),
    "stopping-covers": (at("findings.robustness.stopping.0", covered=0.92),),
    "claims-enough": (
        lambda found: at("ledger", claims=found.ledger.claims[2:])(found),
        at("ledger.claims.0", id="c1"),
    ),
    "verdicts-estimated": (at("ledger.claims.0", estimate=None), at("ledger.claims.0", evidence="")),
    "untested-explained": (at("ledger.claims.-1", reason=" "),),
    "graphs-checksummed": (at("graphs.0", sha256="abc"), lambda found: found.but(graphs=found.graphs[1:])),
    "draws-differ": (lambda found: at("graphs.1", sha256=found.graphs[0].sha256)(found),),
    "real-documented": (
        at("graphs.6", provenance=None),
        at("graphs.6", provenance=Provenance(source="Yang et al. 2016", licence="not stated by the source")),
    ),
    "machine-described": (fact("kernel", ""), fact("processor", "unknown processor")),
    "versions-recorded": (fact("torch", "unknown"),),
    "control-trained": (
        lambda found: at(
            "findings",
            accuracy=[job for job in found.findings.accuracy if (job.policy, job.convolution) != (REORDERED, "GATv2")],
        )(found),
    ),
}
