"""The planner's form, for any graph and memory, and its answers for one graph within the study's range."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from gnn_checkpointing import planning
from gnn_checkpointing.planning import Plan
from gnn_checkpointing.planning.knowledge import Limit
from gnn_checkpointing.report import plan_words, units
from gnn_checkpointing.report.inputs import PLANNER, ReportInputs
from gnn_checkpointing.report.page import Kind
from gnn_checkpointing.sourced import sourced

_OF_MODELS = {
    "num_layers": "Layers",
    "hidden_channels": "Channels",
    "heads": "Heads",
    "num_features": "Input features",
}


class Planner(Kind):
    """A form that answers for any graph, model and memory; `knowledge` is the content of planner.json.

    A field asks for a number: its name, label, initial value, minimum, and step.

    It is interactive, and so in the HTML only; the paragraph and table beside it give its answers too.
    """

    graphs: tuple[str, ...]
    fields: tuple[tuple[str, ...], ...]
    convolutions: tuple[str, ...]
    headings: tuple[str, ...]
    knowledge: Mapping[str, Any]


def planned(inputs: ReportInputs) -> tuple[float, Planner, list[Plan], str, bool]:
    """Plan for a graph in the laws' range: confidence level, form, a plan per convolution, warnings, if measured."""
    known = inputs.knowledge
    limits = {limit.size: limit for limit in known.limits}
    nodes = _within(limits["num_nodes"], 3 / 4)
    edges = min(_within(limits["num_edges"], 2 / 3), nodes * (nodes - 1))
    measured = any((row["num_nodes"], row["num_edges"]) == (nodes, edges) for row in inputs.rows)
    planner = planning.Planner(known)

    def plan(convolution: str, memory_gib: float) -> Plan:
        """A plan whose numbers have the question as their address: asking it again reproduces them."""
        question = {"num_nodes": nodes, "num_edges": edges, "convolution": convolution, "memory_gib": memory_gib}
        found = planner.plan(num_nodes=nodes, num_edges=edges, convolution=convolution, memory_gib=memory_gib)
        return sourced(found, f"{PLANNER}?{urlencode(question)}#")

    # An instructive memory: half of the highest predicted peak of all policies, to two digits.
    most = max(one.peak.estimate for name in known.convolutions for one in plan(name, 1.0).policies)
    memory = float(f"{most / 2 / units.GIB:.2g}")
    plans = [plan(convolution, memory) for convolution in known.convolutions]
    form = Planner(
        graphs=tuple(graph.label for graph in known.graphs),
        fields=(
            ("num_nodes", "Nodes", str(nodes), "1", "1"),
            ("num_edges", "Directed edges", str(edges), "0", "1"),
            *((name, label, str(getattr(known.measured, name)), "1", "1") for name, label in _OF_MODELS.items()),
            ("memory_gib", "Memory, GiB", f"{memory:g}", "0.001", "any"),
        ),
        convolutions=tuple(known.convolutions),
        headings=plan_words.HEADINGS,
        knowledge=known.model_dump(mode="json"),
    )
    warnings = dict.fromkeys(warning for plan in plans for warning in plan.warnings)
    level = sourced(known.confidence, f"{PLANNER}#/confidence")
    return level, form, plans, " ".join(warnings), measured


def _within(limit: Limit, share: float) -> int:
    """A size within the measured range, to two digits: about this share of the largest, which few studies measure."""
    size = int(share * limit.high)
    step = 10 ** max(0, len(str(size)) - 2)
    return max(limit.low, int(size // step * step))


def plan_rows(plans: Sequence[Plan]) -> list[tuple[str, ...]]:
    """Formatted rows: every policy of every plan."""
    return [(plan.convolution, *plan_words.cells(one)) for plan in plans for one in plan.policies]
