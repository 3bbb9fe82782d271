"""ReportInputs made by a known law, with no measurement and no analysis behind them: what a report can be tried on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gnn_checkpointing.analysis.results import (
    Accuracy,
    Effect,
    Effects,
    Estimate,
    Explanations,
    HeldOut,
    Interaction,
    Law,
    Predictions,
    Quality,
    Reading,
    Regressions,
    Residual,
    Response,
    Robustness,
    Spread,
    Trends,
    views,
)
from gnn_checkpointing.analysis.turns import run
from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.audit.grades import Audit, Check, graded
from gnn_checkpointing.claims.ledger import Claim, Ledger
from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.records.cell import write_records
from gnn_checkpointing.records.demonstration import Demonstration
from gnn_checkpointing.records.graph_facts import GraphList
from gnn_checkpointing.records.measurements_table import COLUMNS, write_table
from gnn_checkpointing.records.traces import Trace, Traces
from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.inputs import Machine, ReportInputs, Row, in_series
from gnn_checkpointing.report.render import Sources, published_sources
from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.study import Study

DEGREES = (4, 8, 16, 32, 64, 128)
SIZES = (500, 1000, 2000)
CONVOLUTIONS = ("GCN", "SAGE", "GATv2")
POLICIES = ("none", "layers", "edge_blocks")
SLOPES = {
    ("GCN", "none"): (4000.0, 180.0),
    ("GCN", "layers"): (2600.0, 140.0),
    ("GCN", "edge_blocks"): (2500.0, 8.0),
    ("SAGE", "none"): (5000.0, 130.0),
    ("SAGE", "layers"): (3000.0, 128.0),
    ("SAGE", "edge_blocks"): (3100.0, 8.0),
    ("GATv2", "none"): (5000.0, 1500.0),
    ("GATv2", "layers"): (3000.0, 420.0),
    ("GATv2", "edge_blocks"): (3400.0, 12.0),
}
SECONDS = {"none": 1.0, "layers": 1.42, "edge_blocks": 1.27}


def study(title: str = "Gradient checkpointing across densities", **changes: Any) -> Study:
    """Return the default study's shape under any title."""
    generated = {"family": "sbm", "num_nodes": list(SIZES), "average_degrees": list(DEGREES), "replicates": 2}
    values: dict[str, Any] = {
        "name": "default",
        "title": title,
        "seed": 7,
        "graphs": {"generated": [generated]},
        "architecture": {"convolutions": list(CONVOLUTIONS), "num_layers": 4, "hidden_channels": 32, "heads": 4},
        "policies": list(POLICIES),
    }
    return parse_study({**values, **changes}, "synthetic")


def estimate(value: float, spread: float = 0.02) -> Estimate:
    """Return an estimate whose interval reaches that share to both sides."""
    reach = abs(value) * spread
    return Estimate(estimate=value, low=value - reach, high=value + reach)


def wave(*parts: object) -> float:
    """Return a number between -1 and 1 that looks random and never changes."""
    return math.sin(sum(ord(character) * (place + 1) for place, character in enumerate("/".join(map(str, parts)))))


def row(**values: Any) -> Row:
    """Return a completed row with every column; the given ones replace the defaults."""
    defaults: dict[str, Any] = {column.name: None if column.kind != "text" else "" for column in COLUMNS}
    common = {
        "hardware": "laptop",
        "study": "default",
        "outcome": "completed",
        "allocator": "retaining",
        "device": "cpu",
        "threads": 1,
        "aggregation": "gather_scatter",
        "rounds": 20,
        "loss_error": 0.0,
        "gradient_error": 3e-7,
        "buffer_error": 0.0,
        "started": "2026-11-24T10:00:00+00:00",
        "ended": "2026-11-24T10:00:05+00:00",
    }
    return {**defaults, **common, **values}


def policy_rows(cell: str, convolution: str, num_nodes: int, num_edges: int, **values: Any) -> list[Row]:
    """Return one completed row a policy."""
    made = []
    for policy in POLICIES:
        per_node, per_edge = SLOPES[convolution, policy]
        none_node, none_edge = SLOPES[convolution, "none"]
        activation = per_node * num_nodes + per_edge * num_edges
        plain = none_node * num_nodes + none_edge * num_edges
        seconds = (1e-3 + 2e-7 * num_nodes + 5e-8 * num_edges) * (1 + 0.03 * wave(cell, policy))
        ratio = SECONDS[policy] * (1 + 0.02 * wave(cell, policy, "ratio"))
        width = 0 if policy == "none" else 0.02 * (1.2 + wave(cell, policy, "width"))
        made.append(
            row(
                cell=cell,
                convolution=convolution,
                policy=policy,
                num_nodes=num_nodes,
                num_edges=num_edges,
                average_degree=num_edges / num_nodes,
                density=num_edges / num_nodes / (num_nodes - 1),
                activation_bytes=int(activation),
                resident_bytes=200_000,
                peak_memory_bytes=int(activation) + 200_000,
                saved_activation_bytes=int(activation * 0.8),
                step_time_seconds=seconds * SECONDS[policy],
                memory_ratio=(activation + 2e5) / (plain + 2e5),
                activation_ratio=activation / plain,
                time_ratio=ratio,
                time_ratio_low=ratio * (1 - width),
                time_ratio_high=ratio * (1 + width),
                **values,
            )
        )
    return made


def generated_rows() -> list[Row]:
    """Return the 324 rows of the default study's shape."""
    return [
        each
        for num_nodes in SIZES
        for degree in DEGREES
        for replicate in range(2)
        for convolution in CONVOLUTIONS
        for each in policy_rows(
            f"sbm-n{num_nodes}-d{degree}-r{replicate}-abc123-{convolution}-def456",
            convolution,
            num_nodes,
            num_nodes * degree,
            graph=f"sbm-n{num_nodes}-d{degree}-r{replicate}-abc123",
            graph_label=f"sbm n={num_nodes} d={degree}",
            family="sbm",
            requested_average_degree=float(degree),
            replicate=replicate,
        )
    ]


def real_rows(labels: Sequence[str] = ("Cora", "amherst41", "tolokers")) -> list[Row]:
    """Return rows on real graphs of plausible sizes."""
    sizes = [(2708, 10556), (2235, 181908), (11758, 1038000)]
    return [
        each
        for label, (num_nodes, num_edges) in zip(labels, sizes, strict=False)
        for convolution in CONVOLUTIONS
        for each in policy_rows(
            f"real-{label}-{convolution}",
            convolution,
            num_nodes,
            num_edges,
            graph_label=label,
            family="real",
            replicate=0,
        )
    ]


def effects(real: Sequence[str] = ()) -> Effects:
    """Return effects that follow the same law, none's own rows among them."""

    def effect(convolution: str, policy: str, label: str, degree: float) -> Effect:
        per_node, per_edge = SLOPES[convolution, policy]
        none_node, none_edge = SLOPES[convolution, "none"]
        share = (per_node + per_edge * degree) / (none_node + none_edge * degree)
        against = {
            "memory_ratio": estimate(0.05 + 0.95 * share),
            "activation_ratio": estimate(share),
            "time_ratio": estimate(SECONDS[policy] * (1 - 0.02 * math.log2(degree)), 0.04),
        }
        itself = dict.fromkeys(against, estimate(1.0, 0.0))
        return Effect(
            convolution=convolution,
            stack=convolution,
            policy=policy,
            allocator="retaining",
            kind="real" if label else "generated",
            label=label,
            num_layers=4,
            num_nodes=2000,
            num_edges=2000 * degree,
            requested_average_degree=None if label else degree,
            average_degree=degree,
            cells=6,
            timed_cells=6,
            activation_bytes=1e6 * degree * share,
            saved_activation_bytes=8e5 * degree * share,
            step_time_seconds=0.01 * degree * against["time_ratio"].estimate,
            system_time_seconds=0.0,
            page_faults=0.0,
            **(itself if policy == "none" else against),
        )

    pairs = [(convolution, policy) for convolution in CONVOLUTIONS for policy in POLICIES]
    return Effects(
        confidence=0.95,
        reference_allocator="retaining",
        rows=[effect(c, p, label, 10.0) for c, p in pairs for label in real]
        or [effect(c, p, "", degree) for c, p in pairs for degree in DEGREES],
    )


def law(convolution: str, policy: str, response: Response) -> Law:
    """Return the law behind the rows, with residuals that look like noise."""
    per_node, per_edge = SLOPES[convolution, policy]
    factor = SECONDS[policy]
    constant, node, edge = (
        (1e-3 * factor, 2e-7 * factor, 5e-8 * factor) if response == "step_time_seconds" else (6e3, per_node, per_edge)
    )
    residuals = [
        Residual(
            graph=f"sbm-n{num_nodes}-d{degree}",
            num_nodes=num_nodes,
            num_edges=num_nodes * degree,
            observed=1.0,
            fitted=1.0,
            relative=0.04 * wave(convolution, policy, response, num_nodes, degree),
            started="2026-11-24T10:00:00+00:00",
        )
        for num_nodes in SIZES
        for degree in DEGREES
    ]
    return Law(
        convolution=convolution,
        policy=policy,
        response=response,
        weights="relative",
        covariance="HC3",
        cells=36,
        constant=Estimate(estimate=constant, low=-constant, high=3 * constant),
        per_node=estimate(node),
        per_edge=estimate(edge, 0.01),
        r_squared=0.9987,
        median_relative_residual=0.012,
        worst_relative_residual=0.08,
        reset_p=0.4,
        condition_number=4.0,
        breusch_pagan_p=0.0004,
        held_out=HeldOut(
            level=128, cells=6, median_relative_error=0.021, worst_relative_error=0.06, inside_interval=1.0
        ),
        residuals=residuals,
    )


def regressions() -> Regressions:
    """Return every law and interaction, and one that could not be fitted."""
    responses: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes", "step_time_seconds")
    return Regressions(
        confidence=0.95,
        laws=[law(c, p, response) for response in responses for c in CONVOLUTIONS for p in POLICIES],
        interactions=[
            Interaction(
                convolution=c,
                policy=p,
                response=response,
                none_per_edge=law(c, "none", response).per_edge,
                difference_per_edge=Estimate(
                    estimate=law(c, p, response).per_edge.estimate - law(c, "none", response).per_edge.estimate,
                    low=(law(c, p, response).per_edge.estimate - law(c, "none", response).per_edge.estimate) * 1.1
                    - 1e-9,
                    high=(law(c, p, response).per_edge.estimate - law(c, "none", response).per_edge.estimate) * 0.9
                    + 1e-9,
                ),
                slope_ratio=law(c, p, response).per_edge.estimate / law(c, "none", response).per_edge.estimate,
                p_value=0.0002,
                clusters=36,
            )
            for response in responses
            for c in CONVOLUTIONS
            for p in POLICIES[1:]
        ],
        not_fitted=[],
    )


def quality(rows: Sequence[Row]) -> Quality:
    """Return a run's own quality, honest about noise."""
    outcomes = {str(each["outcome"]): sum(r["outcome"] == each["outcome"] for r in rows) for each in rows}
    return Quality(
        cells=len({each["cell"] for each in rows}),
        rows=len(rows),
        outcomes=outcomes,
        failures=[],
        refused=[],
        unavailable=[],
        other_models=[],
        readings=[
            Reading(
                instrument="high_water_bytes",
                read=len(rows),
                judged=len(rows),
                agree=len(rows),
                median_difference=0.004,
                worst_difference=0.012,
                worst_bytes=1_400_000.0,
                worst_at="sbm-n2000-d128-r0-GATv2, none",
            )
        ],
        disagreements=[],
        sentinel_drift=Spread(values=108, median=0.011, worst=0.062),
        involuntary_switches=Spread(values=len(rows), median=0.0, worst=3.0),
        measured_share=0.62,
        measured_seconds=310.0,
        wall_seconds=500.0,
        overlapping_cells=0,
        median_half_width=0.021,
        worst_half_width=0.044,
        within_target=0.81,
        not_the_same=[],
        warnings=[],
        run=run(rows),
    )


def ledger() -> Ledger:
    """Return claims of every verdict."""
    made = [
        Claim(
            id="flat-memory",
            sentence="With edge_blocks the activation memory of GATv2 no longer grows with density.",
            source="this study",
            rule="supported where the interval of bytes per edge lies within ±16",
            quantity="bytes per edge",
            unit="bytes",
            estimate=estimate(12.0, 0.1),
            evidence="analysis/regressions.json: laws[GATv2, edge_blocks].per_edge",
            verdict="supported",
            reason="12.0 lies within the bound",
        ),
        Claim(
            id="a-third",
            sentence="Checkpointing costs a third of the step time.",
            source="folk knowledge",
            rule="refuted where the interval excludes 1.33",
            quantity="time ratio",
            unit="",
            estimate=estimate(1.42, 0.02),
            evidence="analysis/effects.json: generated",
            verdict="refuted",
            reason="the interval lies above 1.33",
        ),
        Claim(
            id="noise",
            sentence="edge_blocks is faster than layers.",
            source="this study",
            rule="supported where the interval of the difference excludes 0",
            quantity="difference of time ratios",
            unit="",
            estimate=Estimate(estimate=-0.02, low=-0.08, high=0.05),
            evidence="analysis/effects.json: generated",
            verdict="inconclusive",
            reason="the interval contains 0",
        ),
        Claim(
            id="cuda",
            sentence="The saving is the same on a GPU.",
            source="SAR, MLSys 2022",
            rule="needs a CUDA machine",
            quantity="",
            unit="",
            estimate=None,
            evidence="",
            verdict="untested",
            reason="this machine has no CUDA device",
        ),
    ]
    return Ledger(study="default", hardware="laptop", confidence=0.95, claims=made)


def audit() -> Audit:
    """Return an audit with a check that passed, one that failed and one that does not apply."""
    passed = Check(
        id="cells-alone",
        question="Was each cell alone on the machine?",
        rule="No cell began before an earlier one had ended.",
        passed=True,
        found="0 of 108 cells overlapped another",
        evidence="measurements.csv: started, ended",
        needs="",
    )
    failed = {
        "id": "machine-steady",
        "question": "Was the machine steady?",
        "rule": "In the median cell a fixed workload drifted by at most 5 %.",
        "passed": False,
        "found": "median drift: 5.607 %, at most 5 % allowed",
        "evidence": "analysis/quality.json: sentinel_drift.median",
    }
    left_out = {
        "id": "real-time",
        "question": "Is time on real graphs predicted?",
        "rule": "The laws of step time are at most 10 % off in the median.",
        "passed": None,
        "found": "",
        "evidence": "",
        "needs": "no real graph lies within what a law was fitted on",
    }
    checks = [passed, passed.model_copy(update=failed), passed.model_copy(update=left_out)]
    return graded("default", "laptop", checks)


def accuracy() -> list[Accuracy]:
    """Return training jobs that agree up to rounding."""
    return [
        Accuracy(
            graph="sbm n=1000 d=16",
            convolution=convolution,
            policy=policy,
            epochs=50,
            final_loss=0.1234,
            train_accuracy=0.981,
            test_accuracy=0.934,
            largest_loss_difference=0.0 if policy == "none" else 2.1e-6,
        )
        for convolution in CONVOLUTIONS
        for policy in POLICIES
    ]


def trace(convolution: str, policy: str, aggregation: str = "gather_scatter", peak: float = 2e6) -> Trace:
    """Return a step that fills up to its peak and empties again, with a tooth a layer where it recomputes."""
    teeth = 1 if policy == "none" else 4
    shape = []
    for number in range(300):
        share = number / 299
        slope = share / 0.4 if share < 0.4 else (1 - share) / 0.6
        tooth = (share * 9) % 1 if teeth > 1 else 0.0
        shape.append(int(peak * max(0.0, slope * (1.0 if teeth == 1 else 0.6) + 0.4 * tooth * (teeth > 1))))
    return Trace(
        graph="sbm-n2000-d32-r0",
        graph_label="SBM, 2000 nodes, degree 32",
        num_nodes=2000,
        num_edges=64000,
        average_degree=32.0,
        convolution=convolution,
        aggregation=aggregation,
        policy=policy,
        events=1234,
        forward_ended_seconds=0.04,
        resident_bytes=600_000,
        saved_activation_bytes=int(0.7 * max(shape)),
        peak_bytes=max(shape),
        seconds=[0.1 * number / 299 for number in range(300)],
        live_bytes=shape,
    )


def traces() -> list[Trace]:
    """Return a step of each convolution and policy; the policies' peaks lie decades apart."""
    return [
        trace(convolution, policy, peak=8e7 / 7**place)
        for convolution in CONVOLUTIONS
        for place, policy in enumerate(POLICIES)
    ]


def demonstration() -> Demonstration:
    """Return what other instruments make of a step that takes 609 MiB."""
    return Demonstration(
        workload="GATv2, 9 layers, 2,000 nodes, average degree 32",
        held_bytes=500 * 2**20,
        step_seconds=0.8,
        exact_bytes=609 * 2**20,
        high_water_bytes=611 * 2**20,
        process_high_water_bytes=930 * 2**20,
        child_maxrss_bytes=1130 * 2**20,
        benchmark_max_rss_bytes=12 * 2**20,
        benchmark_seconds=4.2,
    )


def machine(label: str = "Laptop, 2 cores", slug: str = "laptop") -> Machine:
    """Return a machine."""
    return Machine(
        slug,
        label,
        (
            Fact("Processor", "Some Processor 3000 @ 2.1 GHz"),
            Fact("Cores", "2"),
            Fact("Memory", "16 GiB"),
            Fact("Operating system", "Linux 6.1"),
            Fact("Python", "3.11.7"),
            Fact("torch", "2.13.0+cpu"),
            Fact("torch-geometric", "2.8.1"),
            Fact("numpy", "2.4.1"),
        ),
    )


def predictions() -> Predictions:
    """Return that no law predicts anything."""
    return Predictions(
        confidence=0.95,
        candidates={},
        laws=[],
        resident=[],
        leaderboard=[],
        coverage=[],
        knees=[],
        analytic=[],
        scorecard=[],
        summaries=[],
        censored=[],
        capacities=[],
        not_fitted=[],
    )


def knowledge(**changes: Any) -> Knowledge:
    """Return that a planner knows nothing."""
    sizes = {"num_layers": 4, "hidden_channels": 32, "heads": 4, "num_features": 32}
    nothing = {"limits": [], "graphs": [], "policies": []}
    values = {"hardware": "laptop", "machine": "Laptop, 2 cores", "study": "default", "confidence": 0.95}
    return Knowledge.model_validate({**values, "measured": sizes, **nothing, **changes})


def robustness() -> Robustness:
    """Return that nothing was tried against the answer."""
    return Robustness(families=[], replicates=[], drift=[], influence=[], left_out=[], stopping=[], not_tried=[])


def inputs(rows: list[Row] | None = None, **changes: Any) -> ReportInputs:
    """Return inputs on generated graphs; the given parts replace the made ones, and views are of the effects."""
    known = changes.get("effects") or effects()
    rows = generated_rows() if rows is None else rows
    parts: dict[str, Any] = {
        "study": study(),
        "machine": machine(),
        "rows": rows,
        "effects": known,
        "trends": Trends(confidence=0.95, bands=[], break_evens=[]),
        "regressions": regressions(),
        "predictions": predictions(),
        **{name: getattr(views, name)(known) for name in ("frontier", "variants", "depths", "ego")},
        "explained": Explanations(),
        "robustness": robustness(),
        "graphs": [],
        "accuracy": accuracy(),
        "quality": quality(rows),
        "ledger": ledger(),
        "audit": audit(),
        "knowledge": knowledge(),
        "traces": traces(),
        "demonstration": demonstration(),
    }
    return ReportInputs(**{**parts, **changes})


def real_inputs(labels: Sequence[str] = ("Cora", "amherst41", "tolokers")) -> ReportInputs:
    """Return inputs of a study that has real graphs only: no laws, no effects along degrees."""
    real = {"real": [{"class": "Planetoid", "name": "Cora"}]}
    return inputs(
        real_rows(labels),
        study=study(name="real", graphs=real, data_root="data"),
        effects=effects(labels),
        regressions=Regressions(
            confidence=0.95,
            laws=[],
            interactions=[],
            not_fitted=["No law is fitted: no comparable cell of a generated graph was measured."],
        ),
        accuracy=[],
    )


def frontier_inputs(**changes: Any) -> ReportInputs:
    """Return what a frontier study gives: many policies, two allocators, two aggregations, by the real analysis.

    `changes` go to `analysis.tables.frontier_table`.
    """
    # Not on top: the tests of rendering alone must not import statistics.
    from analysis import tables
    from gnn_checkpointing.analysis.analyse import analyse
    from gnn_checkpointing.claims.judge import judge

    rows = tables.frontier_table(**changes)
    rows = tables.changed(rows, str(rows[0]["cell"]), "layers", high_water_agrees=False)
    found = analyse(rows, [], tables.protocol())
    ledger = judge(found, "frontier", "laptop")
    convolutions = list(dict.fromkeys(str(row["convolution"]) for row in rows))
    policies = list(dict.fromkeys(str(row["policy"]) for row in rows))
    degrees = sorted({float(row["requested_average_degree"] or 0) for row in rows})
    generated = {"family": "sbm", "num_nodes": [2000], "average_degrees": degrees}
    run = [row for row in rows if row["outcome"] == "completed" and row["allocator"] == "retaining"]
    traced = [row for row in run if row["requested_average_degree"] == degrees[len(degrees) // 2]]
    return inputs(
        in_series(rows),
        study=study(
            "Frontier of policies",
            name="frontier",
            graphs={"generated": [generated]},
            architecture={
                "convolutions": convolutions,
                "aggregations": ["gather_scatter", "spmm"],
                "num_layers": 9,
                "hidden_channels": 64,
                "heads": 4,
            },
            policies=policies,
            measurement={"allocators": list(dict.fromkeys(str(row["allocator"]) for row in rows))},
        ),
        effects=found.effects,
        trends=found.trends,
        regressions=found.regressions,
        predictions=found.predictions,
        explained=found.explained,
        robustness=found.robustness,
        accuracy=[],
        quality=found.quality,
        ledger=ledger,
        traces=[
            trace(
                str(row["convolution"]),
                str(row["policy"]),
                str(row["aggregation"]),
                float(row["activation_bytes"] or 0),
            )
            for row in traced
        ],
    )


def data_files(folder: Path, made: ReportInputs) -> Sources:
    """Write the files that belong to the inputs."""
    write_table(folder / "measurements.csv", made.rows)
    written = {
        "claims.json": made.ledger.model_dump(mode="json"),
        "audit.json": made.audit.model_dump(mode="json"),
        "planner.json": made.knowledge.model_dump(mode="json"),
        "graphs.json": GraphList(graphs=made.graphs).model_dump(mode="json"),
        "traces.json": Traces(traces=made.traces).model_dump(mode="json"),
        "demonstration.json": made.demonstration.model_dump(mode="json"),
        "trainings.json": [],
        "hardware.json": {"slug": "laptop"},
        "study.json": made.study.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    for name, value in written.items():
        write_json(folder / name, value)
    write_records(folder / "records.jsonl", [])
    return published_sources(folder)
