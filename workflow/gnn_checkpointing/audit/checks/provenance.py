"""Is it known what was measured, and on what: one run, graphs with checksums and sources, a machine with versions?"""

from __future__ import annotations

import re
from collections import Counter

from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import Answer, asks, no_offender, not_applicable
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.study.design import trained_graphs

VERSIONS = ("torch", "torch-geometric", "numpy", "python")
NAMED = (
    "processor",
    "cores",
    "memory",
    "operating system",
    "kernel",
    "C library",
    "clock governor",
    "compute threads",
    "allocators",
)
NOT_STATED = "not stated"
"""How the words begin that stand for a source or licence that nobody has stated (`graphs/sources/known.py`)."""

_SHA256 = re.compile(r"[0-9a-f]{64}")

PLACE = 8


@asks(
    "one-run",
    "Are all files of one study on one machine?",
    "Table, claims and machine description name one machine; table, claims and study file one study.",
)
def one_run(inputs: AuditInputs) -> Answer:
    machines = {inputs.machine.slug, inputs.ledger.hardware, *(str(row["hardware"]) for row in inputs.rows)}
    studies = {inputs.study.name, inputs.ledger.study, *(str(row["study"]) for row in inputs.rows)}
    found = f"machines: {', '.join(sorted(machines))}; studies: {', '.join(sorted(studies))}"
    evidence = "hardware.json: slug; study.json: name; claims.json, measurements.csv: hardware, study"
    return Answer(len(machines) == len(studies) == 1, found, evidence)


@asks(
    "graphs-checksummed",
    "Does every graph have a checksum?",
    "Each measured graph stands in the list of graphs with the SHA-256 of its content.",
)
def graphs_checksummed(inputs: AuditInputs) -> Answer:
    checksums = {graph.id: graph.sha256 for graph in inputs.graphs}
    measured = sorted({str(row["graph"]) for row in inputs.rows})
    without = [graph for graph in measured if not _SHA256.fullmatch(checksums.get(graph, ""))]
    evidence = "measurements.csv: graph; graphs.json: sha256"
    return no_offender(without, len(measured), "measured graphs have no checksum", evidence)


@asks(
    "draws-differ",
    "Do the drawn graphs differ?",
    "No two generated graphs have the same content: replicates are draws of their own.",
)
def draws_differ(inputs: AuditInputs) -> Answer:
    drawn = [graph for graph in inputs.graphs if graph.requested_average_degree is not None]
    if len(drawn) < 2:
        return not_applicable("there are no two generated graphs")
    times = Counter(graph.sha256 for graph in drawn)
    same = [graph.id for graph in drawn if times[graph.sha256] > 1]
    return no_offender(same, len(drawn), "generated graphs equal another", "graphs.json: sha256")


@asks(
    "edges-exact",
    "Do drawn graphs have the edges asked for?",
    "Each generated graph has exactly the edges asked for: average degree times nodes, both directions counted.",
)
def edges_exact(inputs: AuditInputs) -> Answer:
    drawn = [graph for graph in inputs.graphs if graph.requested_average_degree is not None]
    off = [graph.id for graph in drawn if graph.num_edges != _asked_edges(graph)]
    evidence = "graphs.json: num_edges, num_nodes, requested_average_degree"
    return no_offender(
        off,
        len(drawn),
        "generated graphs have other edges than asked for",
        evidence,
        "the study has no generated graphs",
    )


@asks(
    "real-documented",
    "Are real graphs' sources and licences stated?",
    'Each real graph, and each made from one, names its source and its licence; "not stated" names none.',
)
def real_graphs_documented(inputs: AuditInputs) -> Answer:
    real = [graph for graph in inputs.graphs if graph.family == "real"]
    without = [graph.id for graph in real if not _documented(graph)]
    evidence = "graphs.json: provenance.source, provenance.licence"
    return no_offender(
        without, len(real), "real graphs have no stated source or licence", evidence, "the study has no real graphs"
    )


@asks(
    "machine-described",
    "Is the machine described?",
    "The machine's description has all that decides times: processor, memory, system, clock, threads, allocators.",
)
def machine_described(inputs: AuditInputs) -> Answer:
    missing = [name for name in NAMED if not _known(inputs.machine.facts.get(name, ""))]
    return no_offender(missing, len(NAMED), "facts of the machine are missing", "hardware.json: facts")


@asks(
    "versions-recorded",
    "Are the versions of libraries recorded?",
    "The versions of torch, torch-geometric, numpy and Python are recorded.",
)
def versions_recorded(inputs: AuditInputs) -> Answer:
    missing = [name for name in VERSIONS if not inputs.machine.facts.get(name, "")[:1].isdigit()]
    return no_offender(missing, len(VERSIONS), "versions are missing", "hardware.json: facts")


@asks(
    "control-trained",
    "Did the training jobs have their control?",
    "Each graph and convolution that the study trains was also trained without checkpointing, edges reordered.",
)
def control_trained(inputs: AuditInputs) -> Answer:
    asked = [
        (spec.id, convolution)
        for spec in trained_graphs(inputs.study)
        for convolution in inputs.study.architecture.convolutions
    ]
    trained = {(job.graph, job.convolution) for job in inputs.findings.accuracy if job.policy == REORDERED}
    missing = [f"{convolution} on {graph}" for graph, convolution in asked if (graph, convolution) not in trained]
    evidence = f"analysis/accuracy.json: policy={REORDERED}"
    return no_offender(missing, len(asked), "training jobs have no control", evidence, "the study asks for no training")


def _known(fact: str) -> bool:
    return bool(fact.strip()) and not fact.startswith("unknown")


def _asked_edges(graph: GraphFacts) -> int:
    # As `GeneratedGraph.num_edges`: twice the number of undirected edges, which is whole.
    return 2 * round(graph.num_nodes * (graph.requested_average_degree or 0.0) / 2)


def _documented(graph: GraphFacts) -> bool:
    known = graph.provenance
    return known is not None and all(
        text.strip() and not text.startswith(NOT_STATED) for text in (known.source, known.licence)
    )
