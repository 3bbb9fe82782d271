"""The whole analysis, from measured rows to one result per file; also writes and reads these files."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from pydantic import TypeAdapter

from gnn_checkpointing.analysis import results
from gnn_checkpointing.analysis.rounding import all_significant
from gnn_checkpointing.analysis.table import Protocol, Row, check_compared, completed, first_visits, policy_order, under
from gnn_checkpointing.artefacts import json_text, write_text
from gnn_checkpointing.records.graph_facts import EncodingCost, GraphFacts
from gnn_checkpointing.records.jobs import Explanations, TrainingRecord
from gnn_checkpointing.records.measurements_table import Value
from gnn_checkpointing.records.record import checked
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.sourced import sourced
from gnn_checkpointing.study.block_size import BYTES_PER_VALUE, SMALLEST_BYTES, block_edges
from gnn_checkpointing.study.convolutions import READS_FEATURES
from gnn_checkpointing.study.graph_design import derived_seed, large_graphs
from gnn_checkpointing.study.policy_names import EDGES_PER_NODE, parse_policy
from gnn_checkpointing.study.settings import PRACTICE
from gnn_checkpointing.study.study import Study


@dataclass(frozen=True)
class Findings:
    """Results of the analysis; each field is written to a file of the same name in the analysis folder."""

    effects: results.Effects
    trends: results.Trends
    regressions: results.Regressions
    predictions: results.Predictions
    explained: Explanations
    robustness: results.Robustness
    accuracy: list[results.Accuracy]
    quality: results.Quality


def analyse(
    rows: Sequence[Mapping[str, Value]],
    trainings: Sequence[TrainingRecord],
    protocol: Protocol,
    explained: Explanations | None = None,
    encodings: Sequence[EncodingCost] = (),
    graphs: Sequence[GraphFacts] = (),
) -> Findings:
    """All findings of one table; the same input gives the same output to every digit that is written.

    All results use the reference allocator alone, except the frontier's comparison of allocators. `explained` holds the
    measurements of trained models on images and `encodings` the cost of counting ego networks, where a study has them.
    Only the numbers of classes are read from `graphs`.
    """
    # Imported here because reading findings needs no statistics, and importing statsmodels takes a second.
    from gnn_checkpointing.analysis.effects import effects, practice
    from gnn_checkpointing.analysis.laws.predictions import predictions
    from gnn_checkpointing.analysis.laws.selection import at_one_speed
    from gnn_checkpointing.analysis.quality import quality
    from gnn_checkpointing.analysis.regression import interactions, laws
    from gnn_checkpointing.analysis.robustness import robustness
    from gnn_checkpointing.analysis.trends import throughput_laws, trends

    reference, confidence = protocol.reference_allocator, protocol.confidence
    # Later visits only show how far results differ in another hour and process.
    visits, rows = rows, first_visits(rows)
    classes = {graph.id: graph.num_classes for graph in graphs}
    everything = [of_hidden_layers(row).but(num_classes=classes.get(row.graph)) for row in completed(rows)]
    check_compared(rows, reference)
    in_practice = [row for row in everything if row.model == PRACTICE]
    # Predictive laws are fitted to bare stacks, large graphs included; all else uses the grid alone.
    bare = [row for row in everything if row.model != PRACTICE]
    at_speed, in_sentinels = at_one_speed(under(bare, reference))
    grid, grid_at_speed = ([row for row in some if row.graph not in protocol.large_graphs] for some in (bare, at_speed))
    gridded = under(grid, reference)
    once, repeated = ([row for row in some if row.get("model") != PRACTICE] for some in (rows, visits))

    measured, noise = effects(grid, reference, confidence, repeated, in_sentinels=in_sentinels)
    found, no_law = laws(grid_at_speed, confidence)
    tested, no_interaction = interactions(grid_at_speed, confidence)
    rates, no_rate = throughput_laws(grid_at_speed, confidence)
    more = {"encodings": list(encodings), "practice": practice(in_practice, gridded, noise)}
    return Findings(
        effects=measured.model_copy(update=more),
        trends=trends(gridded, measured, noise),
        regressions=results.Regressions(
            confidence=confidence,
            laws=found,
            interactions=tested,
            throughput=rates,
            not_fitted=no_law + no_interaction + no_rate,
        ),
        predictions=predictions(once, at_speed, protocol, np.random.default_rng(protocol.seed)),
        explained=explained or Explanations(),
        accuracy=accuracies(trainings),
        quality=quality(visits, [*grid, *in_practice], reference, protocol.ratio_half_width),
        robustness=robustness(gridded, protocol, noise),
    )


def protocol_of(study: Study) -> Protocol:
    """The study's settings of the analysis as plain values."""
    rounds = study.measurement.rounds
    return Protocol(
        reference_allocator=study.measurement.allocators[0],
        confidence=study.analysis.confidence,
        resamples=study.analysis.resamples,
        ratio_half_width=study.measurement.ratio_half_width,
        seed=derived_seed(study.seed, "analysis"),
        memory_forms=study.analysis.laws.memory,
        time_forms=study.analysis.laws.time,
        rounds=(rounds.at_least, rounds.at_most),
        processes=study.measurement.processes,
        timeout_seconds=study.measurement.timeout_seconds,
        capacity_gib=study.analysis.capacity_gib,
        large_graphs=large_graphs(study),
    )


def of_hidden_layers(row: Row) -> Row:
    """The row with the block size of a hidden layer, which decides the peak; records hold the largest of all layers.

    If the first layer gathers fewer features than there are channels, its blocks have more edges.
    """
    policy = parse_policy(row.policy)
    by_rule = row.edges_at_once is not None and policy.count is None and policy.kind in EDGES_PER_NODE
    few_features = row.convolution.split(" ")[0] in READS_FEATURES and row.num_features < row.hidden_channels
    if not by_rule or not few_features or row.device != "cpu":
        return row
    message = BYTES_PER_VALUE * row.hidden_channels
    block = block_edges(row.num_nodes, message, EDGES_PER_NODE[policy.kind], SMALLEST_BYTES, sys.maxsize)
    return row.but(edges_at_once=min(row.edges_at_once or block, block))


def accuracies(trainings: Sequence[TrainingRecord]) -> list[results.Accuracy]:
    """One result per training job, or refuse jobs that cannot be compared."""
    jobs: dict[tuple[str, str, str], TrainingRecord] = {}
    for job in trainings:
        key = (job.graph, job.convolution, job.policy)
        if key in jobs:
            raise _unusable(job, "trained twice; delete one of the records")
        if not job.losses:
            raise _unusable(job, "no losses in the record; train again")
        jobs[key] = job
    found: list[results.Accuracy] = []
    for job in sorted(jobs.values(), key=lambda job: (job.graph, job.convolution, policy_order(job.policy))):
        none = jobs.get((job.graph, job.convolution, "none"))
        if none is None:
            raise _unusable(job, "policy none was not trained there, so there is no curve to compare with")
        if len(job.losses) != len(none.losses):
            raise _unusable(job, f"{len(job.losses)} epochs, but {len(none.losses)} for none; train again")
        # Relative to the initial loss: late losses approach zero, and a ratio to them is meaningless.
        start = abs(none.losses[0]) or 1.0
        differences = [abs(loss - beside) / start for loss, beside in zip(job.losses, none.losses, strict=True)]
        names = ("graph", "convolution", "policy", "epochs", "train_accuracy", "test_accuracy")
        same = {name: getattr(job, name) for name in names}
        found.append(results.Accuracy(**same, final_loss=job.losses[-1], largest_loss_difference=max(differences)))
    return found


def _unusable(job: TrainingRecord, reason: str) -> Refusal:
    return Refusal(f"training of {job.convolution} with {job.policy} on {job.graph}: {reason}")


def analysis_files(findings: Findings) -> dict[str, str]:
    """Text of each finding's JSON file, with numbers rounded to their significant digits."""
    # Of `Findings` alone: the inputs of a report are findings with more fields.
    found, plain = {one.name: getattr(findings, one.name) for one in fields(Findings)}, TypeAdapter(Any).dump_python
    return {f"{name}.json": json_text(all_significant(plain(each, mode="json"))) for name, each in found.items()}


def write_analysis(folder: Path, findings: Findings) -> None:
    """Write the files of all findings, and delete other JSON files left by an older analysis."""
    files = analysis_files(findings)
    for name, text in files.items():
        write_text(folder / name, text)
    for path in folder.glob("*.json"):
        if path.name not in files:
            path.unlink()


def read_analysis(folder: Path) -> Findings:
    """Read what `write_analysis` wrote, or refuse naming the file and the field."""
    kinds = get_type_hints(Findings).items()
    remedy = "make it again with `analyse`"
    return Findings(**{name: checked(folder / f"{name}.json", kind, remedy) for name, kind in kinds})


def sourced_findings(found: Findings) -> dict[str, Any]:
    """The findings by name; every number carries the analysis file and the field that it comes from."""
    return {one.name: sourced(getattr(found, one.name), f"analysis/{one.name}.json#") for one in fields(Findings)}
