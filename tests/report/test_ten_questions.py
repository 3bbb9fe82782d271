"""Ten questions that a practitioner asks of a report, each answered in its first two screens: answer and limits."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.report import units
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.render import read_inputs
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.sourced import bare
from pages import whole
from rebuilt import rendered

from .conftest import STUDIES
from .test_answers import text_of

ROOT = Path(__file__).resolve().parents[2]

Answer = Callable[[ReportInputs], list[str]]


def shares(effect: Effect) -> tuple[str, str, float]:
    """What is left of none's memory and time, in words; and the upper end of the first."""
    assert effect.activation_ratio and effect.time_ratio
    memory, time = (units.percent(ratio.estimate) for ratio in (effect.activation_ratio, effect.time_ratio))
    return memory, time, effect.activation_ratio.high


def densest(inputs: ReportInputs, convolution: str, policy: str = "layers") -> Effect:
    """A policy's effect on the densest graphs."""
    own = [e for e in inputs.effects.generated if (e.convolution, e.policy) == (convolution, policy)]
    return max(own, key=lambda one: float(one.level))


def pays(convolution: str) -> Answer:
    def answer(inputs: ReportInputs) -> list[str]:
        memory, time, high = shares(densest(inputs, convolution))
        return [f"{'yes' if high < 0.95 else 'no'} {convolution}: {memory} in {time} of the time"]

    return answer


def cost(inputs: ReportInputs) -> list[str]:
    times = densest(inputs, "GATv2").time_ratio
    assert times
    return [f"takes {units.percent(times.estimate - 1)} longer", f"in {units.percent(times.estimate)} of the time"]


def blocks(inputs: ReportInputs) -> list[str]:
    found = (densest(inputs, name, "edge_blocks") for name in ("GCN", "SAGE", "GATv2"))
    return [f"edge_blocks: {shares(effect)[0]}" for effect in found]


def fastest(inputs: ReportInputs, convolution: str, level: str) -> Effect:
    own = [p for p in inputs.effects.points if (p.convolution, p.level) == (convolution, level) and p.time_ratio]
    own = [p for p in own if p.allocator == inputs.reference]
    # A policy that is beaten in both by another one is no candidate, and one that trains another model is none either.
    best = next(one for one in inputs.effects.pareto if (one.convolution, one.level) == (convolution, level))
    return min((p for p in own if p.policy in best.policies), key=lambda p: p.time_ratio.estimate)  # type: ignore[union-attr]


def rival(policy: str) -> Answer:
    def answer(inputs: ReportInputs) -> list[str]:
        wanted = ("GATv2", "128", policy, inputs.reference)
        (point,) = [p for p in inputs.effects.points if (p.convolution, p.level, p.policy, p.allocator) == wanted]
        return [f"{policy} needs {' and '.join(shares(point)[:2])}"]

    return answer


def winner(inputs: ReportInputs) -> list[str]:
    point = fastest(inputs, "GATv2", "128")
    memory, time, _ = shares(point)
    share = f"{memory} of plain training's activation memory and {time} of its time"
    return [f"{point.policy} wins for GATv2: {share}"]


def sizes(inputs: ReportInputs) -> list[str]:
    ends = [[int(str(row[name])) for row in inputs.rows] for name in ("num_nodes", "num_edges")]
    nodes, edges = (list(dict.fromkeys(f"{end(each):,}" for end in (min, max))) for each in ends)
    return [f"{' to '.join(nodes)} nodes", f"{' to '.join(edges)} directed edges"]


def model(inputs: ReportInputs) -> list[str]:
    row = inputs.rows[0]
    return [f"{row['num_layers']} layers with {row['hidden_channels']} channels"]


def said(*words: str) -> Answer:
    return lambda _: list(words)


BOTH: dict[str, Answer] = {
    "On what hardware?": lambda inputs: [f"Hardware: {inputs.machine.label}", "1 compute thread"],
    "Does it hold on a GPU?": said("Nothing was measured on a GPU", "depend on the device, and so does every second"),
    "How large were the graphs?": sizes,
}
QUESTIONS: dict[str, dict[str, Answer]] = {
    "default": {
        "Does it pay for GATv2?": pays("GATv2"),
        "Does it pay for GCN?": pays("GCN"),
        "Does it pay for SAGE?": pays("SAGE"),
        "What does it cost in time?": cost,
        "What else is there, and what does it leave?": blocks,
        "What should I do?": said("Do this: use edge_blocks from 16 edges per node on", "At degree 4 it leaves"),
        **BOTH,
        "How deep and wide were the models?": model,
    },
    "frontier": {
        "Who wins on dense graphs, and by how much?": winner,
        "Who wins at degree 8?": lambda inputs: [f"{fastest(inputs, 'GATv2', '8').policy} at"],
        "What does the compiler alone give?": rival("compiled"),
        "What does a memory budget give?": rival("memory_budget(0.5)"),
        "Does it pay for SAGE?": lambda inputs: ["yes SAGE-max:", f"{fastest(inputs, 'SAGE-max', '128').policy} at"],
        "Is there a case where nothing helps?": said("no GCN (spmm): plain training at every degree"),
        "What should I do?": said("Do this: take the fastest policy that fits"),
        **BOTH,
    },
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_first_two_screens_answer_ten_questions(name: str) -> None:
    assert len(QUESTIONS[name]) == 10
    page = whole(rendered(name) / "report.html")
    screens = page[page.index('<div class="answer">') : page.index("</section>", page.index('id="limits"'))]
    seen, inputs = squeezed(text_of(screens)), read(name)
    wanted = [(question, words) for question, answer in QUESTIONS[name].items() for words in answer(inputs)]
    assert [(question, words) for question, words in wanted if squeezed(bare(words)) not in seen] == []


def test_the_table_in_the_readme_is_of_the_published_winners() -> None:
    """By convolution: the fastest at 8 and 128 edges per node on the CPU, then on the GPU."""
    lines = (ROOT / "README.md").read_text().replace("\N{NO-BREAK SPACE}", " ").splitlines()
    head = lines.index("| convolution | CPU, 8 edges per node | CPU, 128 | GPU, 8 | GPU, 128 |")
    found = [line.strip("| ").split(" | ") for line in lines[head + 2 : lines.index("", head)]]
    winners = [(name, one) for name in ("frontier", "frontier-gpu") for one in Facts(read(name)).winners()]
    for convolution, *cells in found:
        for cell, place in zip(cells, product(("frontier", "frontier-gpu"), ("8", "128")), strict=True):
            own = [w.fastest for name, w in winners if (w.convolution, name, w.level) == (convolution, *place)]
            words = [f"`{one.policy}`: {', '.join(shares(one)[:2])}" for one in own] or ["not measured"]
            assert bare(words[0]).replace("\N{NO-BREAK SPACE}", " ") == cell, (convolution, place)
    assert {row[0] for row in found} == {w.convolution for _, w in winners} - {"GCN (spmm)"}


def read(name: str) -> ReportInputs:
    (folder,) = [one for one in STUDIES if one.name == name]
    return read_inputs(RunFolder(folder))


def squeezed(text: str) -> str:
    """A text without what only separates its words."""
    return "".join(text.replace("\N{NO-BREAK SPACE}", "").split())
