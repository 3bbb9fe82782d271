"""My graph, my memory: what now? The planner's form, and its answer for the densest graphs of the study."""

from __future__ import annotations

from urllib.parse import urlencode

from gnn_checkpointing.planning import Plan, Planner
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import PLANNER, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Field, Note, Paragraph, Section, Table
from gnn_checkpointing.report.page import Planner as PlannerBlock
from gnn_checkpointing.report.plan_words import HEADINGS, advice, cells
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import sourced

_text = texts("planner")


def planner_section(inputs: ReportInputs) -> Section | None:
    """Return the section with the planner, None where no law tells a peak."""
    known = inputs.knowledge
    if not known.policies:
        return None
    nodes, edges = _shown(inputs)
    planner = Planner(known)
    memory = _memory(planner, nodes, edges)
    level = units.confidence(sourced(known.confidence, f"{PLANNER}#/confidence"))
    plans = [_plan(planner, nodes, edges, convolution, memory) for convolution in known.convolutions]
    blocks: list[Block] = [
        Paragraph(_text("the-laws-below-asked-for", level=level)),
        PlannerBlock(
            graphs=tuple(graph.label for graph in known.graphs),
            fields=_fields(inputs, nodes, edges, memory),
            convolutions=tuple(known.convolutions),
            headings=HEADINGS,
            knowledge=known.model_dump(mode="json"),
        ),
        _table(plans),
        Paragraph(" ".join(f"{plan.convolution}: {advice(plan)}" for plan in plans)),
    ]
    if any(plan.warnings for plan in plans):
        blocks.append(Note(" ".join(dict.fromkeys(warning for plan in plans for warning in plan.warnings))))
    return Section("planner", "My graph, my memory: what now?", tuple(blocks))


def _plan(planner: Planner, nodes: int, edges: int, convolution: str, memory: float) -> Plan:
    """Return an answer whose numbers have the question as their address, since asking it again is their derivation."""
    question = {"num_nodes": nodes, "num_edges": edges, "convolution": convolution, "memory_gib": memory}
    found = planner.plan(num_nodes=nodes, num_edges=edges, convolution=convolution, memory_gib=memory)
    return sourced(found, f"{PLANNER}?{urlencode(question)}#")


def _memory(planner: Planner, nodes: int, edges: int) -> float:
    """Return a memory in GiB that teaches something: half of what the hungriest policy of all takes, in two digits."""
    plans = [
        planner.plan(num_nodes=nodes, num_edges=edges, convolution=convolution, memory_gib=1.0)
        for convolution in planner.knowledge.convolutions
    ]
    most = max(one.peak.estimate for plan in plans for one in plan.policies)
    return float(f"{most / 2 / units.GIB:.2g}")


def _shown(inputs: ReportInputs) -> tuple[int, int]:
    """Return nodes and edges of the largest graph that all laws know, at its densest."""
    limits = {limit.size: limit for limit in inputs.knowledge.limits}
    return limits["num_nodes"].high, limits["num_edges"].high


def _fields(inputs: ReportInputs, nodes: int, edges: int, memory: float) -> tuple[Field, ...]:
    measured = inputs.knowledge.measured
    return (
        Field("num_nodes", "Nodes", str(nodes)),
        Field("num_edges", "Directed edges", str(edges), least="0"),
        Field("num_layers", "Layers", str(measured.num_layers)),
        Field("hidden_channels", "Channels", str(measured.hidden_channels)),
        Field("heads", "Heads", str(measured.heads)),
        Field("num_features", "Input features", str(measured.num_features)),
        Field("memory_gib", "Memory, GiB", f"{memory:g}", least="0.001", step="any"),
    )


def _table(plans: list[Plan]) -> Table:
    first = plans[0]
    return Table(
        id="table-plan",
        caption=_text(
            "table-plan", num_nodes=first.num_nodes, num_edges=first.num_edges, memory_bytes=first.memory_bytes
        ),
        columns=(
            Column("Convolution"),
            *(Column(heading, "", "text" if place in (0, 3) else "number") for place, heading in enumerate(HEADINGS)),
        ),
        rows=tuple((plan.convolution, *(text for text in cells(one))) for plan in plans for one in plan.policies),
        source=PLANNER,
    )
