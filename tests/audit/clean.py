"""A small synthetic study on which every check of the rubric applies and passes: what the tests spoil, one by one."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gnn_checkpointing.analysis import results as kinds
from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.quality import quality
from gnn_checkpointing.analysis.table import completed
from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.audit.checks.run import NAMED, VERSIONS
from gnn_checkpointing.claims.ledger import Ledger
from gnn_checkpointing.records.graph_facts import GraphFacts, Provenance
from gnn_checkpointing.records.jobs import REORDERED, Demonstration, Explanations
from gnn_checkpointing.records.measurements_table import Value
from gnn_checkpointing.records.record import Machine
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import GeneratedGraph, LoadedGraph, study_graphs
from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.study import Study
from synthetic.changes import without
from synthetic.graphs import Graph
from synthetic.results import about, censored, count, coverage, made, summary
from synthetic.rows import Table, table

CONVOLUTIONS = ("GCN", "GATv2")
POLICIES = ("none", "layers", "edge_blocks", "reversible")
GRID: dict[str, Any] = {"family": "sbm", "num_nodes": [500, 1000], "average_degrees": [4, 16, 64], "replicates": 2}
DEMONSTRATION: dict[str, Any] = {
    **{"workload": "a step", "step_seconds": 0.8, "benchmark_seconds": 4.2},
    **{"held_bytes": 500, "exact_bytes": 1000, "high_water_bytes": 1010, "process_high_water_bytes": 2000},
    **{"child_maxrss_bytes": 3000, "benchmark_max_rss_bytes": 12},
}
TRAINED = {"epochs": 3, "final_loss": 0.5, "train_accuracy": 0.9, "test_accuracy": 0.8, "largest_loss_difference": 0.0}
CLAIM: dict[str, Any] = {
    **{"id": "c", "sentence": "It saves.", "source": "this study", "rule": "supported if below 1"},
    **{"quantity": "ratio", "unit": "ratio", "estimate": {"estimate": 0.5, "low": 0.4, "high": 0.6}},
    **{"evidence": "analysis/effects.json: generated", "verdict": "supported", "reason": ""},
}
UNTESTED = {"id": "u", "estimate": None, "evidence": "", "verdict": "untested", "reason": "needs CUDA"}
UNCOMPARED = ("loss_error", "gradient_error", "buffer_error", "same_loss", "same_gradients", "same_buffers")


def study(generated: tuple[dict[str, Any], ...] = (GRID,), **changes: Any) -> Study:
    """A study of two sizes, three densities, two draws and one real graph, with one policy of another model."""
    values: dict[str, Any] = {
        "name": "synthetic",
        "title": "Synthetic",
        "seed": 7,
        "data_root": "data",
        "graphs": {"generated": list(generated), "real": [{"class": "Planetoid", "name": "Cora"}]},
        "architecture": {"convolutions": list(CONVOLUTIONS), "num_layers": 4, "hidden_channels": 16, "heads": 4},
        "policies": list(POLICIES),
        "training": {"graphs": {"num_nodes": [500], "average_degrees": [4]}},
        "analysis": {"laws": {"memory": ["additive", "blocks"], "time": ["additive", "knee"]}},
    }
    return parse_study({**values, **changes}, "synthetic")


@cache
def inputs() -> RunFolder:
    """What passes every check."""
    made = study()
    rows = measured(made)
    return RunFolder(
        Path("synthetic"),
        study=made,
        rows=[*rows, *again(rows)],
        findings=findings(made, rows),
        ledger=ledger(),
        graphs=graphs(made),
        machine=Machine("test-machine", {name: f"some {name}" for name in NAMED} | dict.fromkeys(VERSIONS, "2.1.0")),
        demonstration=Demonstration.model_validate(DEMONSTRATION),
    )


def drawn(made: Study) -> list[Graph]:
    """The study's graphs: the first draws from sparse to dense, the second back, and Cora between them.

    So the rank correlation of order and density is near 0.
    """
    specs = [spec for spec in study_graphs(made) if isinstance(spec, GeneratedGraph)]
    (real,) = [spec for spec in study_graphs(made) if isinstance(spec, LoadedGraph)]
    there = sorted((spec for spec in specs if spec.replicate == 0), key=lambda spec: spec.average_degree)
    back = sorted((spec for spec in specs if spec.replicate == 1), key=lambda spec: -spec.average_degree)
    generated = [
        Graph(spec.id, spec.id, spec.family, spec.num_nodes, spec.num_edges, spec.average_degree, spec.replicate)
        for spec in (*there, *back)
    ]
    cora = Graph(real.id, "Cora", "real", 2708, 10556, None)
    return [*generated[: len(there)], cora, *generated[len(there) :]]


def measured(made: Study) -> Table:
    """The study's table: `reversible` beside the policies of known laws, and one policy out of memory."""
    rows: Table = []
    cells = {(spec.id, cell.convolution): cell.id for spec in study_graphs(made) for cell in graph_cells(made, spec)}
    for row in table(np.random.default_rng(0), drawn(made), convolutions=CONVOLUTIONS, noise=0.0):
        named = {**row, "cell": cells[str(row["graph"]), str(row["convolution"])], "rounds": 12}
        rows.append(named)
        if row["policy"] == "layers":
            rows.append({**named, "policy": "reversible", "other_model": True, **dict.fromkeys(UNCOMPARED)})
    return without(rows, out_of_memory(rows), "layers", "out_of_memory", "needed 9 GiB")


def again(rows: Table, **changes: Value) -> Table:
    """The rows of the first cell, measured again in another hour."""
    return [{**row, "visit": 1, **changes} for row in rows if row["cell"] == rows[0]["cell"]]


def out_of_memory(rows: Table) -> str:
    """The cell in which `layers` runs out of memory: GATv2 on a graph of degree 16."""
    return next(str(row["cell"]) for row in rows if (row["convolution"], row["average_degree"]) == ("GATv2", 16.0))


def findings(asked: Study, rows: Table) -> Findings:
    """Findings whose parts are made by hand, but for the quality of the run."""
    return Findings(
        effects=kinds.Effects(confidence=0.95, rows=[]),
        trends=made(kinds.Trends),
        regressions=made(kinds.Regressions),
        predictions=predictions(),
        explained=Explanations(),
        robustness=robustness(),
        accuracy=[
            kinds.Accuracy.model_validate({"graph": spec.id, "convolution": convolution, "policy": policy, **TRAINED})
            for spec in study_graphs(asked)
            if isinstance(spec, GeneratedGraph) and (spec.num_nodes, spec.average_degree, spec.replicate) == (500, 4, 0)
            for convolution in CONVOLUTIONS
            for policy in ("none", REORDERED)
        ],
        quality=quality(rows, completed(rows), "retaining", 0.03),
    )


def time_law(form: str = "additive", policy: str = "none", **terms: float) -> kinds.PredictiveLaw:
    """The chosen law of step time of GCN under a policy."""
    pieces = [terms or {"constant": 1e-3, "nodes": 1e-6, "edges": 1e-7}]
    return made(kinds.PredictiveLaw, convolution="GCN", policy=policy, form=form, pieces=pieces)


def tried(form: str, worst: float, response: str = "activation_bytes", *, chosen: bool = True) -> kinds.Candidate:
    """A form of law with its worst error on the densest level."""
    error = {"place": "densest", "level": 64, "cells": 4, "median_relative_error": 0.01, "worst_relative_error": worst}
    return made(kinds.Candidate, convolution="GCN", response=response, form=form, chosen=chosen, errors=[error])


def predictions() -> kinds.Predictions:
    """Chosen laws, their coverage and scores, and a failure that they foresaw."""
    return made(
        kinds.Predictions,
        laws=[time_law(), time_law(policy="layers", constant=1e-3, nodes=1e-6, edges=1.4e-7)],
        leaderboard=[
            tried("blocks", 0.02),
            tried("additive", 0.5, chosen=False),  # far off, but not chosen
            tried("knee", 0.3, "step_time_seconds"),  # off by more than bytes may be, but in seconds
        ],
        coverage=[
            coverage("activation_bytes", 0.96, 0.02),
            coverage("saved_activation_bytes", 1.0, 0.01),
            coverage("step_time_seconds", 0.95, 0.2),
            # Least squares' intervals are compared, not published.
            coverage("step_time_seconds", 0.76, 0.4, "least_squares"),
        ],
        # A flat peak: 5 bytes an edge are ten times the measured half byte, and less than one index.
        analytic=[count("layers", 100.0, 104.0, None), count("layers", 0.5, 5.0, None)],
        summaries=[
            summary("activation_bytes", 0.01, 0.03),
            summary("saved_activation_bytes", 0.0, 0.0),
            summary("step_time_seconds", 0.06, 0.4),
        ],
        censored=[censored("sbm", 9e9, 8e9), censored("another model has no law", None)],
    )


def robustness() -> kinds.Robustness:
    """Statements that depend on no single graph, and drifts that are too uncertain or too small."""
    drift = [made(kinds.RunDrift, change=about(by, 0.1), p_value=p) for by, p in ((0.03, 0.4), (0.001, 0.0001))]
    return made(kinds.Robustness, drift=drift, left_out=[made(kinds.LeftOut)], stopping=[made(kinds.StoppingRule)])


def ledger() -> Ledger:
    """30 supported claims and an untested one."""
    claims = [*({**CLAIM, "id": f"c{number}"} for number in range(30)), {**CLAIM, **UNTESTED}]
    about = {"study": "synthetic", "hardware": "test-machine", "confidence": 0.95}
    return Ledger.model_validate({**about, "claims": claims})


def graphs(made: Study) -> list[GraphFacts]:
    """What is written down of the study's graphs."""
    return [
        GraphFacts(
            id=graph.id,
            label=graph.label,
            family=graph.family,
            sha256=digest(graph.id, 64),
            num_nodes=graph.num_nodes,
            num_edges=graph.num_edges,
            num_features=32,
            num_classes=4,
            requested_average_degree=graph.requested,
            average_degree=graph.num_edges / graph.num_nodes,
            density=graph.num_edges / graph.num_nodes / (graph.num_nodes - 1),
            replicate=graph.replicate,
            provenance=Provenance(source="Yang et al. 2016", licence="MIT") if graph.requested is None else None,
        )
        for graph in drawn(made)
    ]


def updated(whole: Any, path: str, changes: dict[str, Any]) -> Any:
    """A copy with some fields changed of what lies at a path of fields and of positions in lists."""
    step, _, rest = path.partition(".")
    if isinstance(whole, list):
        place = range(len(whole))[int(step)]
        return [updated(one, rest, changes) if at == place else one for at, one in enumerate(whole)]
    values = {step: updated(getattr(whole, step), rest, changes)} if step else changes
    if isinstance(whole, RunFolder):
        return whole.but(**values)
    return replace(whole, **values) if isinstance(whole, Findings) else whole.model_copy(update=values)
