"""Is it known what was measured, and on what: one run, graphs with checksums and sources, a machine with versions?"""

from __future__ import annotations

import re
from collections import Counter

from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.rubric import Answer, Named
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
"""How the words begin that stand for a source or licence that nobody has stated (`study/graph_entries.py`)."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def one_run(inputs: AuditInputs) -> Answer:
    machines = {inputs.machine.slug, inputs.ledger.hardware, *(str(row["hardware"]) for row in inputs.rows)}
    studies = {inputs.study.name, inputs.ledger.study, *(str(row["study"]) for row in inputs.rows)}
    found = f"machines: {', '.join(sorted(machines))}; studies: {', '.join(sorted(studies))}"
    return Answer(len(machines) == len(studies) == 1, found)


def graphs_checksummed(inputs: AuditInputs) -> Named:
    checksums = {graph.id: graph.sha256 for graph in inputs.graphs}
    measured = sorted({str(row["graph"]) for row in inputs.rows})
    return ((graph, not _SHA256.fullmatch(checksums.get(graph, ""))) for graph in measured)


def draws_differ(inputs: AuditInputs) -> Named:
    drawn = _drawn(inputs)
    times = Counter(graph.sha256 for graph in drawn)
    return ((graph.id, times[graph.sha256] > 1) for graph in drawn if len(drawn) > 1)


def edges_exact(inputs: AuditInputs) -> Named:
    return ((graph.id, graph.num_edges != _asked_edges(graph)) for graph in _drawn(inputs))


def real_documented(inputs: AuditInputs) -> Named:
    return ((graph.id, not _documented(graph)) for graph in inputs.graphs if graph.family == "real")


def machine_described(inputs: AuditInputs) -> Named:
    facts = {name: inputs.machine.facts.get(name, "") for name in NAMED}
    return ((name, not fact.strip() or fact.startswith("unknown")) for name, fact in facts.items())


def versions_recorded(inputs: AuditInputs) -> Named:
    return ((name, not inputs.machine.facts.get(name, "")[:1].isdigit()) for name in VERSIONS)


def control_trained(inputs: AuditInputs) -> Named:
    trained = {(job.graph, job.convolution) for job in inputs.findings.accuracy if job.policy == REORDERED}
    for spec in trained_graphs(inputs.study):
        for convolution in inputs.study.architecture.convolutions:
            yield f"{convolution} on {spec.id}", (spec.id, convolution) not in trained


def _drawn(inputs: AuditInputs) -> list[GraphFacts]:
    return [graph for graph in inputs.graphs if graph.requested_average_degree is not None]


def _asked_edges(graph: GraphFacts) -> int:
    # As `GeneratedGraph.num_edges`: twice the number of undirected edges, which is whole.
    return 2 * round(graph.num_nodes * (graph.requested_average_degree or 0.0) / 2)


def _documented(graph: GraphFacts) -> bool:
    known = graph.provenance
    return known is not None and all(
        text.strip() and not text.startswith(NOT_STATED) for text in (known.source, known.licence)
    )
