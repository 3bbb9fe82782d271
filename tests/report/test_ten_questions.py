"""Ten questions that a practitioner asks of a report, each answered in its first two screens: answer and limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from gnn_checkpointing.analysis.results import Effect, FrontierPoint
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.render import published_sources, read_inputs
from gnn_checkpointing.sourced import bare
from pages import whole
from rebuilt import rendered

from .conftest import STUDIES
from .test_answers import text_of

Answer = Callable[[ReportInputs], list[str]]


def effect(inputs: ReportInputs, convolution: str, policy: str = "layers") -> Effect:
    """A policy's effect on the densest graphs."""
    own = [e for e in inputs.effects.generated if (e.convolution, e.policy) == (convolution, policy)]
    return max(own, key=lambda one: float(one.level))


def left(inputs: ReportInputs, convolution: str, policy: str = "layers") -> str:
    ratio = effect(inputs, convolution, policy).activation_ratio
    assert ratio
    return units.percent(ratio.estimate)


def pays(convolution: str) -> Answer:
    def answer(inputs: ReportInputs) -> list[str]:
        ratio = effect(inputs, convolution).activation_ratio
        assert ratio
        return [f"{'yes' if ratio.high < 0.95 else 'no'} {convolution}: {left(inputs, convolution)} is left"]

    return answer


def fastest(inputs: ReportInputs, convolution: str, level: str) -> FrontierPoint:
    own = [p for p in inputs.frontier.points if (p.convolution, p.level) == (convolution, level) and p.time_ratio]
    own = [p for p in own if p.allocator == inputs.reference]
    # A policy that is beaten in both by another one is no candidate, and one that trains another model is none either.
    best = next(one for one in inputs.frontier.pareto if (one.convolution, one.level) == (convolution, level))
    return min((p for p in own if p.policy in best.policies), key=lambda p: p.time_ratio.estimate)  # type: ignore[union-attr]


def rival(policy: str) -> Answer:
    def answer(inputs: ReportInputs) -> list[str]:
        (point,) = [
            p
            for p in inputs.frontier.points
            if (p.convolution, p.level, p.policy, p.allocator) == ("GATv2", "128", policy, inputs.reference)
        ]
        assert point.activation_ratio and point.time_ratio
        shares = [units.percent(ratio.estimate) for ratio in (point.activation_ratio, point.time_ratio)]
        return [f"{policy}: {shares[0]}, {shares[1]}"]

    return answer


def cost(inputs: ReportInputs) -> list[str]:
    times = effect(inputs, "GATv2").time_ratio
    assert times
    return [
        f"{units.percent(times.estimate - 1)} more time",
        f"at {units.percent(1 / times.estimate)} of the throughput",
    ]


def blocks(inputs: ReportInputs) -> list[str]:
    return [f"edge_blocks: {left(inputs, name, 'edge_blocks')}" for name in ("GCN", "SAGE", "GATv2")]


def sizes(inputs: ReportInputs) -> list[str]:
    ends = [[int(str(row[name])) for row in inputs.rows] for name in ("num_nodes", "num_edges")]
    nodes, edges = (list(dict.fromkeys(f"{end(each):,}" for end in (min, max))) for each in ends)
    return [f"{' to '.join(nodes)} nodes", f"{' to '.join(edges)} directed edges"]


def model(inputs: ReportInputs) -> list[str]:
    row = inputs.rows[0]
    return [f"{row['num_layers']} layers with {row['hidden_channels']} channels"]


def wins(convolution: str, level: str) -> Answer:
    def answer(inputs: ReportInputs) -> list[str]:
        return [f"{fastest(inputs, convolution, level).policy} at degree"]

    return answer


def share_of_winner(inputs: ReportInputs) -> list[str]:
    point = fastest(inputs, "GATv2", "128")
    assert point.activation_ratio and point.time_ratio
    memory, time = (units.percent(ratio.estimate) for ratio in (point.activation_ratio, point.time_ratio))
    return [f"{point.policy} wins for GATv2: {memory} of plain training's activation memory and {time} of its time"]


def sage(inputs: ReportInputs) -> list[str]:
    return [f"yes SAGE-max: {fastest(inputs, 'SAGE-max', '128').policy}"]


def told(*words: str) -> Answer:
    return lambda _: list(words)


def hardware(inputs: ReportInputs) -> list[str]:
    return [f"Hardware: {inputs.machine.label}", "1 compute thread"]


BOTH: dict[str, Answer] = {
    "On what hardware?": hardware,
    "Does it hold on a GPU?": told("Nothing was measured on a GPU", "seconds will not"),
    "How large were the graphs?": sizes,
}
QUESTIONS: dict[str, dict[str, Answer]] = {
    "default": {
        "Does it pay for GATv2?": pays("GATv2"),
        "Does it pay for GCN?": pays("GCN"),
        "Does it pay for SAGE?": pays("SAGE"),
        "What does it cost in time and throughput?": cost,
        "What else is there, and what does it leave?": blocks,
        "What should I do?": told("Do this: use edge_blocks from 16 edges a node on", "at degree 4 it leaves"),
        **BOTH,
        "How deep and wide were the models?": model,
    },
    "frontier": {
        "Who wins on dense graphs, and by how much?": share_of_winner,
        "Who wins at degree 8?": wins("GATv2", "8"),
        "What does the compiler alone give?": rival("compiled"),
        "What does a memory budget give?": rival("memory_budget(0.5)"),
        "Does it pay for SAGE?": sage,
        "Is there a case where nothing helps?": told("no GCN (spmm): none at every degree"),
        "What should I do?": told("Do this: take the fastest policy that fits"),
        **BOTH,
    },
}


def test_there_are_ten_questions() -> None:
    assert {name: len(asked) for name, asked in QUESTIONS.items()} == {"default": 10, "frontier": 10}


@pytest.mark.parametrize(
    ("name", "question"), [(name, question) for name, asked in QUESTIONS.items() for question in asked]
)
def test_the_first_two_screens_answer(name: str, question: str) -> None:
    page = whole(rendered(name) / "report.html")
    screens = page[page.index('<div class="answer">') : page.index("</section>", page.index('id="limits"'))]
    seen = squeezed(text_of(screens))
    for answer in QUESTIONS[name][question](read(name)):
        assert squeezed(bare(answer)) in seen, answer


def folder_of(name: str) -> Path:
    (folder,) = [one for one in STUDIES if one.name == name]
    return folder


@cache
def read(name: str) -> ReportInputs:
    return read_inputs(published_sources(folder_of(name)), folder_of(name) / "analysis")


def squeezed(text: str) -> str:
    """A text without what only separates its words."""
    return "".join(text.replace("\N{NO-BREAK SPACE}", "").split())
