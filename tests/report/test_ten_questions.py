"""Ten questions of a practitioner, each answered in a report's first two screens and on its first two printed pages."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pypdfium2
import pytest

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.report import units
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.render import read_inputs
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.report.texts import percents
from gnn_checkpointing.sourced import bare
from pages import whole
from rebuilt import rendered

from .conftest import STUDIES
from .test_answers import text_of

ROOT = Path(__file__).resolve().parents[2]

Answer = Callable[[ReportInputs], list[str]]


def shares(effect: Effect) -> tuple[str, str, float]:
    """Fractions of none's memory and time as texts, and the upper end of the first."""
    assert effect.activation_ratio and effect.time_ratio
    memory, time = (units.percent(ratio.estimate) for ratio in (effect.activation_ratio, effect.time_ratio))
    return memory, time, effect.activation_ratio.high


def densest(inputs: ReportInputs, convolution: str, policy: str = "layers") -> Effect:
    """A policy's effect on the densest graphs."""
    own = [e for e in inputs.effects.generated if (e.convolution, e.policy) == (convolution, policy)]
    return max(own, key=lambda one: float(one.level))


def throughput(effect: Effect) -> str:
    assert effect.time_ratio
    return units.percent_estimate(effect.time_ratio.inverse)


def spans(effects: list[Effect], *names: str) -> str:
    """Ranges of the fractions of none's memory and throughput, with or without `names`."""
    memory, time = ([getattr(e, f"{name}_ratio") for e in effects] for name in ("activation", "time"))
    parts = ("".join(percents(memory)), "".join(percents([one.inverse for one in time])))
    return ", ".join(" ".join(part) for part in (zip(names, parts, strict=True) if names else zip(parts, strict=True)))


NAMED = ("memory", "throughput")


def answer(effects: list[Effect], name: str) -> str:
    """Answer to whether each of the effects saves, with the convolution it is about."""
    highest = max(e.activation_ratio.high for e in effects if e.activation_ratio)
    return f"{'yes' if highest < 0.95 else 'no'} {name}: "


def pays(convolution: str) -> Answer:
    def found(inputs: ReportInputs) -> list[str]:
        own, none = (point(inputs, convolution, "128", policy) for policy in ("layers", "none"))
        assert none.nodes_per_second
        cost = f"{throughput(own)} (plain: {units.significant(none.nodes_per_second.estimate)} nodes/s)"
        return [f"{answer([own], convolution)}memory {shares(own)[0]}, throughput {cost}"]

    return found


def cost(inputs: ReportInputs) -> list[str]:
    times = densest(inputs, "GATv2").time_ratio
    assert times
    low, high = (bare(units.percent(end - 1)) for end in (times.low, times.high))
    more = f"takes {units.percent(times.estimate - 1)} ({low[:-2]}\N{EN DASH}{high}) longer"
    return [f"({densest(inputs, 'GATv2').num_nodes:,} nodes), checkpointing layers", more, "What is left:"]


def other_sizes(inputs: ReportInputs) -> list[str]:
    """How much longer edge blocks take at degree 128, on the smallest graphs and on the largest."""
    rows = [r for r in inputs.rows if (r["policy"], r["requested_average_degree"]) == ("edge_blocks", 128)]
    sizes = sorted({int(str(row["num_nodes"])) for row in rows})
    small = [e.time_ratio.estimate for e in inputs.effects.at_sizes if place(e) == (sizes[0], "128") and e.time_ratio]
    large = [float(str(row["time_ratio"])) for row in rows if row["num_nodes"] == sizes[-1]]
    more = ([units.percent(end(own) - 1) for end in (min, max)] for own in (small, large))
    first, last = (f"{low} to {high} longer on" for low, high in more)
    return [f"({first} {sizes[0]:,} nodes, {last} {sizes[-1]:,})"]


def place(effect: Effect) -> tuple[int, str]:
    """Nodes and level of an effect of edge blocks; of another policy none."""
    return (effect.num_nodes, effect.level) if effect.policy == "edge_blocks" else (0, "")


def budgets(inputs: ReportInputs) -> list[str]:
    """The worst peak with a budget of 0, relative to that with a budget of 0.5."""
    of = {share: [p for p in inputs.effects.points if p.policy == f"memory_budget({share})"] for share in ("0", "0.5")}
    half = {(p.convolution, p.level): p.activation_bytes for p in of["0.5"]}
    most = units.ratio(max(p.activation_bytes / half[p.convolution, p.level] for p in of["0"]))
    return [f"memory_budget(0) peaks up to {most} times as high as memory_budget(0.5)"]


def glibc(inputs: ReportInputs) -> list[str]:
    """Plain training under the default allocator, and edge blocks relative to it."""
    wanted = ("GATv2", "edge_blocks", "128")
    (seen,) = [e for e in inputs.effects.allocators if (e.convolution, e.policy, e.level) == wanted]
    times = [units.ratio_estimate(one) for one in (seen.observed, seen.checkpointing)]
    return [
        f"GATv2's plain training then takes {units.ratio(seen.on_none)} times as long",
        f"edge_blocks {times[0]} instead of {times[1]}",
    ]


def sparse(inputs: ReportInputs) -> list[str]:
    """Memory and time at degree 8, by convolution: of two policies, or of the fastest of many."""
    found = []
    for name in inputs.convolutions:
        two = [] if inputs.has_frontier else [point(inputs, name, "8", policy) for policy in ("layers", "edge_blocks")]
        own = two or [fastest(inputs, name, "8")]
        times = [units.ratio_estimate(p.time_ratio) for p in own if p.time_ratio]
        each = (f"{p.policy} {shares(p)[0]}, {time}\N{MULTIPLICATION SIGN}" for p, time in zip(own, times, strict=True))
        found.append(f"{name} {' and '.join(each)}")
    return [one for one in found if "(spmm)" not in one]


def unbeaten(inputs: ReportInputs) -> list[str]:
    """The sentence that says which policies the fastest beats in both, with their shares."""
    lost = [point(inputs, "GATv2", "128", policy) for policy in ("compiled", "memory_budget(0.5)")]
    best = fastest(inputs, "GATv2", "128")
    ends = [(p.activation_bytes, p.time_ratio.estimate) for p in (best, *lost) if p.time_ratio]
    assert all(ends[0][0] < memory and ends[0][1] < seconds for memory, seconds in ends[1:])
    return ["It beats " + " and ".join(f"{p.policy} ({', '.join(shares(p)[:2])})" for p in lost) + " in both."]


def same(inputs: ReportInputs) -> list[str]:
    words = "" if inputs.quality.not_the_same else "computed the same loss, gradients and buffers as plain training, "
    return [f"{words}within a relative difference of {units.error(inputs.study.measurement.gradient_tolerance)}"]


def plain_reals(inputs: ReportInputs) -> list[str]:
    found = []
    for name in ("Cora", "amherst41", "tolokers"):
        own = [p for p in inputs.effects.rows if (p.kind, p.label, p.policy) == ("real", name, "none")]
        own = sorted(own, key=lambda p: inputs.convolutions.index(p.convolution))
        rates = (f"{p.convolution} {units.significant(p.nodes_per_second.estimate)}" for p in own if p.nodes_per_second)
        found.append(f"{name} {own[0].num_nodes:,} and {own[0].num_edges:,.0f}, {', '.join(rates)}")
    return found


def blocks(inputs: ReportInputs) -> list[str]:
    found = (densest(inputs, name, "edge_blocks") for name in ("GCN", "SAGE", "GATv2"))
    return [f"edge_blocks: {shares(effect)[0]}, {throughput(effect)}" for effect in found]


def fastest(inputs: ReportInputs, convolution: str, level: str) -> Effect:
    own = [p for p in inputs.effects.points if (p.convolution, p.level) == (convolution, level) and p.time_ratio]
    own = [p for p in own if p.allocator == inputs.reference]
    # A policy that another one beats in both is no candidate, nor is one that trains another model.
    best = next(one for one in inputs.effects.pareto if (one.convolution, one.level) == (convolution, level))
    best_of = [(p.time_ratio.estimate, p) for p in own if p.policy in best.policies and p.time_ratio]
    least = min(time for time, _ in best_of)
    # A few percent of time are noise: memory decides there.
    found = min((p for time, p in best_of if time <= least / 0.95), key=lambda p: p.activation_bytes)
    # A budget of 1 is plain compilation, and goes by that name.
    return point(inputs, convolution, level, "compiled") if found.policy == "memory_budget(1)" else found


def point(inputs: ReportInputs, *wanted: str) -> Effect:
    """The effect of this convolution, level and policy."""
    own = [p for p in inputs.effects.points if (p.convolution, p.level, p.policy) == wanted]
    (found,) = [p for p in own if p.allocator == inputs.reference]
    return found


def winner(inputs: ReportInputs) -> list[str]:
    found = fastest(inputs, "GATv2", "128")
    memory, time, _ = shares(found)
    share = f"{memory} of plain training's activation memory and {time} of its time"
    assert found.time_ratio
    more = units.ratio(found.time_ratio.inverse.estimate)
    said_of = f"({memory}, {more}\N{MULTIPLICATION SIGN})"
    return [
        f"{found.policy} is fastest for GATv2: {share}",
        "Fastest by degree (densest: memory, throughput):",
        said_of,
    ]


def on_batches(convolution: str) -> Answer:
    def found(inputs: ReportInputs) -> list[str]:
        own = sorted((e for e in inputs.effects.batches if e.convolution == convolution), key=lambda e: e.size or 0)
        drawn, parts = ([e for e in own if e.method == method] for method in ("neighbours", "clusters"))
        layers, ours = ([e for e in drawn if e.policy == policy] for policy in ("layers", "edge_blocks"))
        parts = [e for e in parts if e.policy == "layers"]
        first = next(e for e in ours if all(shares(later)[2] < 0.95 for later in ours[ours.index(e) :]))
        with_last = "" if first is ours[-1] else f"; with {ours[-1].size:g}"
        clusters = "".join(percents([e.activation_ratio for e in parts]))
        return [
            f"{answer([*layers, *parts], convolution)}{spans(layers, *NAMED)}; clusters {clusters}.",
            f"edge_blocks saves from {first.size:g} neighbours on{with_last}: {spans(ours[-1:])}.",
        ]

    return found


def shares_held(inputs: ReportInputs, policy: str) -> dict[float, tuple[Effect, str]]:
    """The batch of each number of drawn neighbours with GATv2, and the share of the graph's nodes that it holds."""
    own = [e for e in inputs.effects.batches if (e.convolution, e.policy) == ("GATv2", policy)]
    (whole,) = [e.num_nodes for e in own if not e.method]
    drawn = sorted((e for e in own if e.method == "neighbours"), key=lambda e: e.size or 0)
    return {e.size or 0: (e, units.percent(e.num_nodes / whole)) for e in drawn}


def held(inputs: ReportInputs) -> list[str]:
    first, *_, last = (bare(share) for _, share in shares_held(inputs, "layers").values())
    return [f"neighbours a layer ({first} of the nodes) and", f"({last}); on clusters ("]


def advised(inputs: ReportInputs) -> list[str]:
    layers, ours = (shares_held(inputs, policy) for policy in ("layers", "edge_blocks"))
    worse = [size for size, (e, _) in ours.items() if layers[size][0].activation_bytes <= e.activation_bytes]
    better = next(size for size in ours if size > max(worse))
    return [
        f'checkpoint its layers below {better:g} neighbours (apply(model, "layers"));',
        f"from {better:g} on, edge_blocks needs less. {HOW}",
    ]


def on_real(convolution: str) -> Answer:
    def found(inputs: ReportInputs) -> list[str]:
        own = [e for e in inputs.effects.real if e.convolution == convolution]
        layers, ours = ([e for e in own if e.policy == policy] for policy in ("layers", "edge_blocks"))
        return [f"{answer(layers, convolution)}{spans(layers, *NAMED)}. edge_blocks: {spans(ours)}."]  # type: ignore[arg-type]

    return found


def degrees_of_real(inputs: ReportInputs) -> list[str]:
    found = {e.level: units.plain(e.average_degree) for e in inputs.effects.real}
    return [f"{name} ({degree}" for name, degree in found.items()]


def in_families(convolution: str) -> Answer:
    def found(inputs: ReportInputs) -> list[str]:
        own = [e for e in inputs.effects.families if (e.convolution, e.level) == (convolution, "64")]
        layers, ours = ([e for e in own if e.policy == policy] for policy in ("layers", "edge_blocks"))
        return [f"yes {convolution}, degree 64: {spans(layers, *NAMED)}. edge_blocks: {spans(ours)}."]  # type: ignore[arg-type]

    return found


def ran(inputs: ReportInputs) -> list[str]:
    (row,) = [row for row in inputs.rows if row["outcome"] == "completed"]
    peak, seconds = float(str(row["peak_memory_bytes"])), float(str(row["step_time_seconds"]))
    rate = units.significant(float(str(row["num_edges"])) / seconds)
    steps = f"(median of {row['rounds']} steps in {row['processes']} processes, no interval)"
    return [
        f"yes {row['policy']}: {units.size(peak)} at the peak",
        f"{units.duration(seconds)} a step {steps}, {rate} edges a second",
    ]


def sizes(inputs: ReportInputs) -> list[str]:
    ends = [[int(str(row[name])) for row in inputs.rows] for name in ("num_nodes", "num_edges")]
    nodes, edges = (list(dict.fromkeys(f"{end(each):,}" for end in (min, max))) for each in ends)
    return [f"{' to '.join(nodes)} nodes", f"{' to '.join(edges)} directed edges"]


def model(inputs: ReportInputs) -> list[str]:
    row = inputs.rows[0]
    return [f"{row['num_layers']} layers with {row['hidden_channels']} channels"]


def stack(inputs: ReportInputs) -> list[str]:
    if not inputs.effects.practice:
        return ["They have no dropout, norm or residual connections"]
    own = [e for e in inputs.effects.practice if (e.convolution, e.policy, e.level) == ("SAGE", "layers", "128")]
    saved = [units.percent(1 - ratio.estimate) for e in own for ratio in (e.activation_ratio, e.bare_activation_ratio)]
    return [
        "In practice adds dropout, BatchNorm, residual connections and self-loops in attention",
        f"checkpointing layers saves {saved[0]} with SAGE at degree 128, instead of {saved[1]}",
    ]


def precision(inputs: ReportInputs) -> list[str]:
    half = inputs.quality.median_half_width
    sure = [] if not half else [f"half of the time ratios are known to ±{units.percent(half)}"]
    return ["bytes are exact counts of tensors, the same on every run", *sure]


def said(*words: str) -> Answer:
    return lambda _: list(words)


ALL: dict[str, Answer] = {
    "On what hardware?": lambda inputs: [f"Hardware: {inputs.machine.label}", "1 compute thread"],
    "Does it hold on a GPU?": said("Nothing was measured on a GPU", "depend on the device, and so does every second"),
    "How large were the graphs?": sizes,
    "How deep and wide were the models?": model,
    "Does it hold with dropout and a norm?": stack,
    "How sure is it?": precision,
}
HOW = 'In PyG: apply(model, "edge_blocks") (how). Fused blocks are faster (frontier)'
QUESTIONS: dict[str, dict[str, Answer]] = {
    "default": {
        "Does it pay for GATv2?": pays("GATv2"),
        "Does it pay for GCN?": pays("GCN"),
        "Does it pay for SAGE?": pays("SAGE"),
        "What does it cost in time and throughput?": cost,
        "What else is there, and what does it leave?": blocks,
        "And at degree 8?": sparse,
        "Is the result the same?": same,
        "And on smaller and larger graphs?": other_sizes,
        "What should I do?": said(
            "Do this: if memory is short, use edge_blocks from degree 16 on. There it leaves",
            "At degree 4, edge_blocks leaves",
            HOW,
        ),
        "And on real graphs, hubs, batches?": said(
            "real is about real graphs, families about hubs, batches about sampled neighbours"
        ),
    },
    "frontier": {
        "Who wins on dense graphs, and by how much?": winner,
        "Who wins at degree 8?": lambda inputs: [f"{fastest(inputs, 'GATv2', '8').policy} at"],
        "What do the compiler alone and a memory budget give?": unbeaten,
        "How long does a step take at degree 8?": sparse,
        "Does a smaller memory budget need less memory?": budgets,
        "Does it hold with glibc's default allocator?": glibc,
        "Is the result the same?": same,
        "Does it pay for SAGE?": lambda inputs: ["yes SAGE-max:", f"{fastest(inputs, 'SAGE-max', '128').policy} at"],
        "Is there a case where nothing helps?": said("no GCN (spmm): plain training at every degree"),
        "What should I do?": said(
            "Do this: take the fastest policy that fits", 'For GATv2: apply(model, "fused_edge_blocks")'
        ),
    },
    "real": {
        "Does it pay for GATv2, at what cost?": on_real("GATv2"),
        "Does it pay for GCN, at what cost?": on_real("GCN"),
        "Does it pay for SAGE, at what cost?": on_real("SAGE"),
        "How dense are these graphs?": degrees_of_real,
        "How large are they, and how many nodes a second does plain training process?": plain_reals,
        "Is the result the same?": same,
        "What should I do with mine?": said(
            "look at the edges per node first. On graphs as dense as amherst41, use edge_blocks", HOW
        ),
    },
    "ten-million": {
        "Does plain training run?": said("no none: out of memory"),
        "Is checkpointing layers enough?": said("no layers: out of memory", "makes all of its messages at once"),
        "What runs, in what memory, how fast?": ran,
        "What should I do?": said("use edge_blocks on graphs of this size", HOW),
    },
    "families": {
        "Does the kind of graph matter?": said("checkpointed layers leave the same share of memory in every family"),
        "What is left with GATv2, how fast?": in_families("GATv2"),
        "What is left with GCN, how fast?": in_families("GCN"),
        "What is left with SAGE, how fast?": in_families("SAGE"),
        "What should I do?": said("Do this: decide by nodes, edges and convolution."),
    },
    "batches": {
        "Does it pay for GATv2, from which batch on?": on_batches("GATv2"),
        "Does it pay for GCN, from which batch on?": on_batches("GCN"),
        "Does it pay for SAGE, from which batch on?": on_batches("SAGE"),
        "How much of the graph does a batch hold?": held,
        "What should I do?": advised,
    },
}


def unanswered(name: str, seen: str) -> list[tuple[str, str]]:
    """Answers of the study's ten questions that a text does not have."""
    questions, inputs = QUESTIONS[name] | ALL, read(name)
    assert len(questions) >= 10
    wanted = [(question, words) for question, answer in questions.items() for words in answer(inputs)]
    return [(question, words) for question, words in wanted if squeezed(bare(words)) not in squeezed(seen)]


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_first_two_screens_answer_ten_questions(name: str) -> None:
    page = whole(rendered(name) / "report.html")
    assert not unanswered(
        name, text_of(page[page.index('<div class="answer">') : page.index("</section>", page.index('id="limits"'))])
    )


def test_the_first_two_pages_answer_ten_questions(printed: Path) -> None:
    if printed.name in QUESTIONS:
        pages = pypdfium2.PdfDocument(printed / "report.pdf")
        text = "".join(pages[n].get_textpage().get_text_range() for n in range(2))
        assert not unanswered(printed.name, text.replace("\ufffe", "-"))  # a hyphen at the end of a line


def test_the_table_in_the_readme_is_of_the_published_winners() -> None:
    """Rows give, by convolution, the fastest policy at 8 and 128 edges per node on the CPU, then on the GPU."""
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
    """A text without the characters that only separate words."""
    return "".join(text.replace("\N{NO-BREAK SPACE}", "").split())
