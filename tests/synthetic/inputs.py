"""ReportInputs made by a known law, with no measurement and no analysis behind them: what a report can be tried on."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gnn_checkpointing.analysis import results as found
from gnn_checkpointing.analysis.quality import run
from gnn_checkpointing.analysis.results import Effect, Effects, Estimate, Interaction, Law, Quality, Response, Trends
from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.claims.ledger import Claim, Ledger
from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.records.cell import write_records
from gnn_checkpointing.records.demonstration import Demonstration
from gnn_checkpointing.records.graph_facts import GraphList
from gnn_checkpointing.records.measurements_table import write_table
from gnn_checkpointing.records.traces import Trace, Traces
from gnn_checkpointing.report.grades import Audit, Check, graded
from gnn_checkpointing.report.inputs import Machine, ReportInputs, Row, in_series
from gnn_checkpointing.report.page import Fact
from gnn_checkpointing.report.render import Sources, published_sources
from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.study import Study

from . import rows as table_rows
from .graphs import Graph
from .results import about, made
from .results import within as estimate

DEGREES = (4, 8, 16, 32, 64, 128)
SIZES = (500, 1000, 2000)
CONVOLUTIONS = ("GCN", "SAGE", "GATv2")
POLICIES = ("none", "layers", "edge_blocks")
PAIRS = [(convolution, policy) for convolution in CONVOLUTIONS for policy in POLICIES]
RESPONSES: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes", "step_time_seconds")
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
UNREAD = [
    *("again_started", "again_ended"),
    *(f"{instrument}_{what}" for instrument in ("high_water", "fake_tensor") for what in ("bytes", "agrees")),
]
"""Columns that the table of a default study once lacked, and its report does without."""
REAL = {"Cora": (2708, 10556), "amherst41": (2235, 181908), "tolokers": (11758, 1038000)}


def study(title: str = "Gradient checkpointing across densities", **changes: Any) -> Study:
    """The default study's shape under any title."""
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


def wave(*parts: object) -> float:
    """A number between -1 and 1 that looks random and never changes."""
    return math.sin(sum(ord(character) * (place + 1) for place, character in enumerate("/".join(map(str, parts)))))


def policy_rows(graph: Graph, convolution: str, number: int) -> Iterator[Row]:
    """One completed row per policy."""
    nodes, edges = graph.num_nodes, graph.num_edges
    cell = f"{graph.id}-{convolution}-def456"
    seconds = 1e-3 + 2e-7 * nodes + 5e-8 * edges
    bytes_of = {
        policy: SLOPES[convolution, policy][0] * nodes + SLOPES[convolution, policy][1] * edges for policy in POLICIES
    }
    for policy in POLICIES:
        ratio = SECONDS[policy] * (1 + 0.02 * wave(cell, policy, "ratio"))
        width = 0 if policy == "none" else 0.02 * (1.2 + wave(cell, policy, "width"))
        own = seconds * SECONDS[policy] * (1 + 0.03 * wave(cell, policy))
        costs = table_rows.Costs(bytes_of[policy], 0.8 * bytes_of[policy], bytes_of["none"], own, own / ratio)
        yield {
            **table_rows.row(number, graph, convolution, policy, costs),
            **{"cell": cell, "hardware": "laptop", "study": "default", "rounds": 20, "gradient_error": 3e-7},
            **{"time_ratio_low": ratio * (1 - width), "time_ratio_high": ratio * (1 + width)},
            **{"started": "2026-11-24T10:00:00+00:00", "ended": "2026-11-24T10:00:05+00:00"},
            **dict.fromkeys(UNREAD),
        }


def generated_rows() -> list[Row]:
    """The 324 rows of the default study's shape."""
    places = [(nodes, degree, draw) for nodes in SIZES for degree in DEGREES for draw in range(2)]
    return rows_of(
        [Graph(f"sbm-n{n}-d{d}-r{draw}-abc123", f"sbm n={n} d={d}", "sbm", n, n * d, d, draw) for n, d, draw in places]
    )


def real_rows(labels: Sequence[str] = tuple(REAL)) -> list[Row]:
    """Rows on real graphs of plausible sizes."""
    named = zip(labels, REAL.values(), strict=False)
    return rows_of([Graph(f"real-{label}", label, "real", *size, None) for label, size in named])


def rows_of(graphs: Sequence[Graph]) -> list[Row]:
    """Rows of every convolution and policy on graphs."""
    cells = [(graph, convolution) for graph in graphs for convolution in CONVOLUTIONS]
    return [row for number, cell in enumerate(cells) for row in policy_rows(*cell, number)]


def effects(real: Sequence[str] = ()) -> Effects:
    """Effects that follow the same law, none's own rows among them."""

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
        return made(
            Effect,
            convolution=convolution,
            stack=convolution,
            policy=policy,
            kind="real" if label else "generated",
            label=label,
            num_layers=4,
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

    reals = [effect(*pair, label, 10.0) for pair in PAIRS for label in real]
    return made(Effects, rows=reals or [effect(*pair, "", degree) for pair in PAIRS for degree in DEGREES])


def law(convolution: str, policy: str, response: Response) -> Law:
    """The law behind the rows, with residuals that look like noise."""
    factor = SECONDS[policy]
    constant, (node, edge) = 6e3, SLOPES[convolution, policy]
    if response == "step_time_seconds":
        constant, node, edge = 1e-3 * factor, 2e-7 * factor, 5e-8 * factor
    own: dict[str, Any] = {"convolution": convolution, "policy": policy, "response": response}
    residuals = [
        made(
            found.Residual,
            graph=f"sbm-n{num_nodes}-d{degree}",
            num_nodes=num_nodes,
            num_edges=num_nodes * degree,
            observed=1.0,
            fitted=1.0,
            relative=0.04 * wave(*own.values(), num_nodes, degree),
            started="2026-11-24T10:00:00+00:00",
        )
        for num_nodes in SIZES
        for degree in DEGREES
    ]
    errors = {"median_relative_error": 0.021, "worst_relative_error": 0.06, "inside_interval": 1.0}
    return made(
        Law,
        **own,
        constant=about(constant, 2 * constant),
        per_node=estimate(node),
        per_edge=estimate(edge, 0.01),
        held_out=made(found.HeldOut, level=128, cells=6, **errors),
        residuals=residuals,
    )


def interaction(convolution: str, policy: str, response: Response) -> Interaction:
    """How many bytes or seconds per edge a policy adds to none's: known to a tenth, for certain not nothing."""
    own, none = (law(convolution, one, response).per_edge for one in (policy, "none"))
    difference = own.estimate - none.estimate
    return made(
        Interaction,
        convolution=convolution,
        policy=policy,
        response=response,
        none_per_edge=none,
        difference_per_edge=Estimate(estimate=difference, low=difference * 1.1 - 1e-9, high=difference * 0.9 + 1e-9),
        slope_ratio=own.estimate / none.estimate,
        p_value=0.0002,
        clusters=36,
    )


def regressions() -> found.Regressions:
    """Every law and interaction."""
    asked = [(*pair, response) for response in RESPONSES for pair in PAIRS]
    compared = [one for one in asked if one[1] != "none"]
    return made(
        found.Regressions, laws=[law(*one) for one in asked], interactions=[interaction(*one) for one in compared]
    )


def quality(rows: Sequence[Row]) -> Quality:
    """A run's own quality, honest about noise."""
    outcomes = [str(each["outcome"]) for each in rows]
    off = {"median_difference": 0.004, "worst_difference": 0.012, "worst_bytes": 1_400_000.0}
    counts = dict.fromkeys(("read", "judged", "agree"), len(rows))
    return made(
        Quality,
        cells=len({each["cell"] for each in rows}),
        rows=len(rows),
        outcomes={each: outcomes.count(each) for each in outcomes},
        readings=[made(found.Reading, **counts, **off, worst_at="sbm-n2000-d128-r0-GATv2, none")],
        sentinel_drift={"values": 108, "median": 0.011, "worst": 0.062},
        involuntary_switches={"values": len(rows), "median": 0.0, "worst": 3.0},
        **{"measured_share": 0.62, "measured_seconds": 310.0, "wall_seconds": 500.0},
        **{"median_half_width": 0.021, "worst_half_width": 0.044, "within_target": 0.81},
        setting={},
        run=run(rows),
    )


def ledger() -> Ledger:
    """Claims of every verdict."""
    effects_file, of_time = "analysis/effects.json: generated", "difference of time ratios"
    flat, third, noise = estimate(12.0, 0.1), estimate(1.42, 0.02), Estimate(estimate=-0.02, low=-0.08, high=0.05)
    rows: list[tuple[Any, ...]] = [
        ("flat-memory", "supported", "With edge_blocks the activation memory of GATv2 no longer grows with density.",
         "supported where the interval of bytes per edge lies within ±16", "12.0 lies within the bound", "this study",
         "bytes per edge", flat, "analysis/regressions.json: laws[GATv2, edge_blocks].per_edge", "bytes"),
        ("a-third", "refuted", "Checkpointing costs a third of the step time.",
         "refuted where the interval excludes 1.33", "the interval lies above 1.33", "folk knowledge",
         "time ratio", third, effects_file),
        ("noise", "inconclusive", "edge_blocks is faster than layers.",
         "supported where the interval of the difference excludes 0", "the interval contains 0", "this study",
         of_time, noise, effects_file),
        ("cuda", "untested", "The saving is the same on a GPU.",
         "needs a CUDA machine", "this machine has no CUDA device", "SAR, MLSys 2022"),
    ]  # fmt: skip
    keys = ("id", "verdict", "sentence", "rule", "reason", "source", "quantity", "estimate", "evidence", "unit")
    claims = [claim(**dict(zip(keys, row, strict=False))) for row in rows]
    return Ledger(study="default", hardware="laptop", confidence=0.95, claims=claims)


def claim(id: str, verdict: str, **fields: Any) -> Claim:
    """A claim of the whole study."""
    return made(Claim, id=id, verdict=verdict, **{"source": "this study", "convolution": "", "policy": "", **fields})


def audit() -> Audit:
    """An audit with a check that passed, one that failed and one that does not apply."""
    passed = {
        "id": "cells-alone",
        "question": "Was each cell alone on the machine?",
        "rule": "No cell began before an earlier one had ended.",
        "passed": True,
        "found": "0 of 108 cells overlapped another",
        "evidence": "measurements.csv: started, ended",
    }
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
        "needs": "no real graph lies within what a law was fitted on",
    }
    return graded("default", "laptop", [made(Check, **fields) for fields in (passed, failed, left_out)])


def accuracy() -> list[found.Accuracy]:
    """Training jobs that agree up to rounding."""
    same = {"graph": "sbm n=1000 d=16", "epochs": 50, "final_loss": 0.1234}
    same |= {"train_accuracy": 0.981, "test_accuracy": 0.934}
    off = {"none": 0.0}
    return [
        made(found.Accuracy, convolution=c, policy=p, largest_loss_difference=off.get(p, 2.1e-6), **same)
        for c, p in PAIRS
    ]


def trace(convolution: str, policy: str, aggregation: str = "gather_scatter", peak: float = 2e6) -> Trace:
    """A step that fills up to its peak and empties again, with a tooth a layer where it recomputes."""
    recomputes = policy != "none"
    shape = []
    for share in (number / 299 for number in range(300)):
        slope = share / 0.4 if share < 0.4 else (1 - share) / 0.6
        tooth = (share * 9) % 1 if recomputes else 0.0
        shape.append(int(peak * max(0.0, slope * (0.6 if recomputes else 1.0) + 0.4 * tooth)))
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
    """A step of each convolution and policy; the policies' peaks lie decades apart."""
    return [trace(*pair, peak=8e7 / 7 ** POLICIES.index(pair[1])) for pair in PAIRS]


def demonstration() -> Demonstration:
    """What other instruments make of a step that takes 609 MiB."""
    mib = {"held": 500, "exact": 609, "high_water": 611, "process_high_water": 930}
    mib |= {"child_maxrss": 1130, "benchmark_max_rss": 12}
    return Demonstration(
        workload="GATv2, 9 layers, 2,000 nodes, average degree 32",
        **{f"{name}_bytes": number * 2**20 for name, number in mib.items()},
        step_seconds=0.8,
        benchmark_seconds=4.2,
    )


def machine(label: str = "Laptop, 2 cores", slug: str = "laptop") -> Machine:
    """A machine."""
    facts = {"Processor": "Some Processor 3000 @ 2.1 GHz", "Cores": "2", "Memory": "16 GiB"}
    facts |= {"Operating system": "Linux 6.1", "Python": "3.11.7", "torch": "2.13.0+cpu"}
    facts |= {"torch-geometric": "2.8.1", "numpy": "2.4.1"}
    return Machine(slug, label, tuple(Fact(*fact) for fact in facts.items()))


def trends() -> Trends:
    """Bands that reach 10 % to both sides of the effects' ratios, and a break-even of most courses."""
    along = effects().generated
    bands = []
    for convolution, policy in (pair for pair in PAIRS if pair[1] != "none"):
        own = [one for one in along if (one.convolution, one.policy) == (convolution, policy)]
        for quantity in ("activation_ratio", "time_ratio"):
            points = [
                {"degree": one.degree, "average_degree": one.average_degree, "cells": one.cells}
                | {"ratio": estimate(getattr(one, quantity).estimate, 0.1)}
                for one in own
            ]
            bands.append(made(found.Band, convolution=convolution, policy=policy, quantity=quantity, points=points))
    crossing = Estimate(estimate=41.2, low=33.1, high=52.4)
    evens = [
        *({"convolution": "GCN", "policy": policy} for policy in POLICIES[1:]),
        {"convolution": "SAGE", "course": "rises", "average_degree": crossing},
        {"convolution": "SAGE", "policy": "edge_blocks"},
        *({"policy": policy} for policy in POLICIES[1:]),
        {"convolution": "GCN", "quantity": "time_ratio", "threshold": 1.0, "course": "above"},
    ]
    return made(Trends, bands=bands, break_evens=[made(found.BreakEven, **even) for even in evens])


def knowledge(**changes: Any) -> Knowledge:
    """That a planner knows nothing."""
    sizes = {"num_layers": 4, "hidden_channels": 32, "heads": 4, "num_features": 32}
    nothing = {"limits": [], "graphs": [], "policies": []}
    values = {"hardware": "laptop", "machine": "Laptop, 2 cores", "study": "default", "confidence": 0.95}
    return Knowledge.model_validate({**values, "measured": sizes, **nothing, **changes})


def inputs(rows: list[Row] | None = None, **changes: Any) -> ReportInputs:
    """Inputs on generated graphs; the given parts replace the made ones."""
    rows = generated_rows() if rows is None else rows
    own = (study, machine, effects, regressions, accuracy, ledger, audit, knowledge, traces, demonstration)
    parts: dict[str, Any] = {
        **{make.__name__: make() for make in own if make.__name__ not in changes},
        **{"rows": rows, "quality": quality(rows), "graphs": [], "explained": found.Explanations()},
        **{"trends": made(Trends), "predictions": made(found.Predictions), "robustness": made(found.Robustness)},
    }
    return ReportInputs(**{**parts, **changes})


def real_inputs(labels: Sequence[str] = tuple(REAL)) -> ReportInputs:
    """Inputs of a study that has real graphs only: no laws, no effects along degrees."""
    real = {"real": [{"class": "Planetoid", "name": "Cora"}]}
    no_law = ["No law is fitted: no comparable cell of a generated graph was measured."]
    return inputs(
        real_rows(labels),
        study=study(name="real", graphs=real, data_root="data"),
        effects=effects(labels),
        regressions=made(found.Regressions, not_fitted=no_law),
        accuracy=[],
    )


def frontier_inputs(**changes: Any) -> ReportInputs:
    """What a frontier study gives, by the real analysis; `changes` go to `frontier_table`."""
    # Not on top: the tests of rendering alone must not import statistics.
    from gnn_checkpointing.analysis.analyse import analyse
    from gnn_checkpointing.claims.judge import judge

    from . import tables
    from .changes import changed
    from .frontier import frontier_table

    rows = frontier_table(**changes)
    rows = changed(rows, str(rows[0]["cell"]), "layers", high_water_agrees=False)
    analysed = analyse(rows, [], tables.protocol())
    convolutions, policies, allocators = (
        [*dict.fromkeys(str(row[name]) for row in rows)] for name in ("convolution", "policy", "allocator")
    )
    degrees = sorted({float(row["requested_average_degree"] or 0) for row in rows})
    sizes = {"num_layers": 9, "hidden_channels": 64, "heads": 4}
    aggregations = ["gather_scatter", "spmm"]
    run = [row for row in rows if row["outcome"] == "completed" and row["allocator"] == "retaining"]
    traced = [row for row in run if row["requested_average_degree"] == degrees[len(degrees) // 2]]
    names = ("convolution", "policy", "aggregation")
    return inputs(
        in_series(rows),
        study=study(
            "Frontier of policies",
            name="frontier",
            graphs={"generated": [{"family": "sbm", "num_nodes": [2000], "average_degrees": degrees}]},
            architecture={"convolutions": convolutions, "aggregations": aggregations, **sizes},
            policies=policies,
            measurement={"allocators": allocators},
        ),
        **vars(analysed),
        ledger=judge(analysed, "frontier", "laptop"),
        traces=[trace(*(str(row[name]) for name in names), float(row["activation_bytes"])) for row in traced],
    )


def data_files(folder: Path, made: ReportInputs) -> Sources:
    """Write the files that belong to the inputs."""
    write_table(folder / "measurements.csv", made.rows)
    written = {
        "claims.json": made.ledger,
        "audit.json": made.audit,
        "planner.json": made.knowledge,
        "graphs.json": GraphList(graphs=made.graphs),
        "traces.json": Traces(traces=made.traces),
        "demonstration.json": made.demonstration,
    }
    for name, value in written.items():
        write_json(folder / name, value.model_dump(mode="json"))
    write_json(folder / "trainings.json", [])
    write_json(folder / "hardware.json", {"slug": "laptop"})
    write_json(folder / "study.json", made.study.model_dump(mode="json", by_alias=True, exclude_none=True))
    write_records(folder / "records.jsonl", [])
    return published_sources(folder)
