"""Other graphs, models and inputs: families, graded graphs, batches, Vision GNNs, deep models, ego networks."""

import re
from dataclasses import replace
from itertools import accumulate, product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.records.graph_facts import Derivation, EncodingCost, GraphFacts, Provenance
from gnn_checkpointing.records.jobs import Explanations
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.sections.timeline import kept_by_block
from gnn_checkpointing.sourced import bare
from synthetic import inputs as synthetic
from synthetic.explained import explained
from synthetic.graphs import batches, families, generated_graphs, graded
from synthetic.results import made
from synthetic.rows import table
from synthetic.tables import depth_table, ego_table

from .reading import analysed, block, prose, tables, texts, words_in

STRUCTURE = {
    "degree_quantiles": (2, 8, 15, 20, 41),
    "maximum_degree": 97,
    "isolated_nodes": 0,
    "clustering": 0.1234,
    "homophily": 0.75,
}
SIZES = {"num_nodes": 1000, "num_edges": 16_000, "num_features": 64, "average_degree": 16.0}


def facts(label: str, family: str = "real", **more: Any) -> GraphFacts:
    return made(GraphFacts, id=label, label=label, family=family, structure=STRUCTURE, **SIZES, **more)


GRAPHS = [
    facts(
        "X <b>",
        provenance=Provenance(
            source="https://example.org/x",
            licence="CC0",
            files={"x.npz": "ab12" * 16},
            projected_from=1433,
            self_loops_removed=3,
            notes=["nodes have several labels"],
        ),
    ),
    facts("X, thinned", derivation=Derivation(base="X <b>", base_label="X <b>", method="thinned", size=4.0)),
    facts("SBM, 1000 nodes, degree 16, replicate 0", family="sbm", requested_average_degree=16.0),
    facts("SBM, 1000 nodes, degree 16, replicate 1", family="sbm", requested_average_degree=16.0, replicate=1),
]


@pytest.fixture(scope="module")
def varied() -> ReportInputs:
    """Inputs of a study with families, graded graphs and batches."""
    rows = table(np.random.default_rng(4), [*families(), *graded(), *batches()])
    return analysed(rows, synthetic.study(), graphs=GRAPHS)


def test_families_are_relative_to_the_one_without_structure(varied: ReportInputs) -> None:
    found = section(varied, "variants.families")
    table, figure = block(found, "table-families-memory"), block(found, "figure-families-memory")
    assert [column.name for column in table.columns][4:] == ["Erdős-Rényi", "Block model", "R-MAT"]
    # GATv2 under layers at degree 32: (1,500 + 500 x 32) / (3,000 + 2,000 x 32), and the same in every family.
    assert texts(table, "GATv2", "layers", "1,000", "32") == ["0.26", "1.00", "1.00"]
    assert "average degree 32" in figure.caption
    assert "layers on R-MAT 0.26" in figure.panels[-1].alternative


def test_real_graphs_are_apart_from_graded_ones_and_batches(varied: ReportInputs) -> None:
    assert {row[0] for row in block(section(varied, "variants.real-graphs"), "table-real").rows} == {"X"}
    found = section(varied, "variants.graded-graphs")
    table = block(found, "table-graded")
    assert len(table.rows) == 4 * 3 * 2
    assert texts(table, "X", "two-hop", "64", "GATv2", "layers")[0] == "0.26"
    assert "capped" not in block(found, "figure-graded").panels[0].svg


def test_batches_say_where_a_policy_pays(varied: ReportInputs) -> None:
    found = section(varied, "variants.batches")
    every = f"all ({units.interval('5', '10')})"
    assert texts(block(found, "table-batch-payoff"), "GCN", "layers", "neighbours a layer") == [every, every, "nowhere"]
    drawn = {row[1] for panel in block(found, "figure-batches").panels for row in panel.drawn.rows}
    assert drawn == {5, 10}  # only neighbour sampling, not clusters
    table = block(found, "table-batches")
    assert texts(table, "GCN", "W", "5 neighbours a layer", "1,000", "6,000", "500", "none")[0] == "1.00"


def test_a_batch_says_how_much_of_its_graph_it_holds(varied: ReportInputs) -> None:
    """Of 4,000 nodes, batches of 5 and of 10 neighbours hold 1,000 and 2,000, and a cluster 500."""
    table = block(section(varied, "variants.batches"), "table-batch-sizes")
    shares = {row[0]: (row[1], bare(row[2]).replace("\N{NO-BREAK SPACE}", " ")) for row in table.rows}
    assert shares == {
        "5 neighbours a layer": ("1,000", "25 %"),
        "10 neighbours a layer": ("2,000", "50 %"),
        "one of 8 clusters": ("500", "12 %"),
        "full batch": ("4,000", "100 %"),
    }
    report = documents(varied, {}).report
    said = words_in(report.opening).replace("\N{NO-BREAK SPACE}", " ")
    assert "with 5 neighbours a layer (25 % of the nodes) and" in said
    assert "with 10 (50 %); on clusters (12 %), " in said
    assert table.id in {one.id for part in report.sections for one in part.blocks if isinstance(one, Table)}


@pytest.mark.parametrize(("left", "said"), [(0.94, f"all ({units.interval('5', '10')})"), (0.96, "nowhere")])
def test_the_table_of_batches_asks_for_the_saving_that_the_answer_asks_for(
    varied: ReportInputs, left: float, said: str
) -> None:
    ratio = Estimate(estimate=left, low=left, high=left)
    rows = [
        one.model_copy(update={"activation_ratio": ratio}) if one.policy == "layers" else one
        for one in varied.effects.rows
    ]
    changed = replace(varied, effects=varied.effects.model_copy(update={"rows": rows}))
    table = block(section(changed, "variants.batches"), "table-batch-payoff")
    assert texts(table, "GCN", "layers", "neighbours a layer")[0] == said
    opening = words_in(documents(changed, {}).report.opening)
    assert ("yes GCN: memory" in opening, "no GCN: memory" in opening) == (left < 0.95, left >= 0.95)


def test_graphs_say_what_they_look_like_and_where_they_are_from(varied: ReportInputs) -> None:
    found = section(varied, "method.graphs")
    structure = block(found, "table-graphs")
    assert texts(structure, "X <b>") == ["1,000", "16,000", "16", "2", "15", "41", "97", "0.123", "0.75"]
    assert len(structure.rows) == 3  # the second draw of the block model is left out
    assert texts(block(found, "table-origins"), "X <b>") == [
        "https://example.org/x; licence: CC0",
        "x.npz: ab12ab12ab12",
        "1,433 features projected to 64 with fixed random signs; 3 self-loops removed; nodes have several labels",
    ]
    assert "Of 4 graphs, the first draw of each kind is shown" in prose(found)


IMAGES = {"generated": [{"family": "images", "num_nodes": [392], "average_degrees": [9]}]}
VISION = {"convolutions": ["ViG-S"], "tasks": ["patches", "images"]}


def profiled(policy: str, kept: list[int], model: str = "") -> Trace:
    """Trace of a ViG-S whose blocks keep `kept` bytes and hold 1 MiB more at their peak."""
    ends = list(accumulate(kept, initial=0))
    changes: dict[str, Any] = {
        "model": model,
        "block_numbers": list(range(1, len(kept) + 1)),
        "block_bytes": ends,
        "block_peaks": [end + 2**20 for end in ends[1:]],
        "block_degrees": [9.0 + number for number in range(len(kept))],
        "graph_label": "2 images, 9 neighbours a patch, replicate 0",
    }
    return synthetic.trace("ViG-S", policy).model_copy(update=changes)


def vision_inputs() -> ReportInputs:
    traces = [
        profiled(policy, kept, model)
        for model in ("", "images")
        for policy, kept in (
            ("none", [2**22, 5 * 2**20, 2**23]),
            ("layers", [2**18] * 3),
            ("edge_blocks", [2**18, 0, 0]),
        )
    ]
    drawn = table(np.random.default_rng(0), generated_graphs((392, 784), (4.0, 9.0)), convolutions=("GCN",))
    rows = [
        {**row, "cell": f"{row['cell']}-{model}", "convolution": "ViG-S", "model": model}
        for model in ("", "images")
        for row in drawn
    ]
    policies = ["none", "layers", "edge_blocks"]
    study = synthetic.study(name="vision", graphs=IMAGES, architecture=VISION, policies=policies)
    return analysed(rows, study, traces=traces)


def test_the_vision_section_draws_what_blocks_keep_and_leaves_out_what_keeps_nothing() -> None:
    assert kept_by_block(profiled("none", [4, 5, 8])) == [4, 5, 8]
    found = section(vision_inputs(), "timeline.vision")
    figure = block(found, "figure-vision-kept")
    assert [panel.convolution for panel in figure.panels] == ["ViG-S", "ViG-S (images)"]
    assert {row[0] for row in figure.panels[0].drawn.rows} == {"none", "layers"}
    assert "from 9 neighbours in the first block to 11 in the last" in prose(found)
    assert len(block(found, "table-vision-blocks").rows) == 2 * 3 * 3


def test_a_study_has_no_section_of_what_it_lacks() -> None:
    page = documents(synthetic.inputs(traces=[]), {}).appendix
    assert page.date == "2026-11-24"  # the date of the data, not of the clock
    assert [one.id for one in page.sections] == [
        *("memory", "time", "laws", "claims", "audit", "accuracy", "failed", "quality", "run", "instrument"),
        *("machine", "method", "data", "redo"),
    ]


def test_deep_models_are_drawn_listed_and_judged() -> None:
    architecture = {"convolutions": ["SAGE"], "num_layers": 50, "depths": [100, 200], "hidden_channels": 32}
    policies = ["none", "layers", "reversible"]
    inputs = analysed(depth_table(), synthetic.study(name="depth", architecture=architecture, policies=policies))
    found = section(inputs, "variants.depth")
    memory, time = (block(found, f"figure-depth-{name}") for name in ("memory", "time"))
    assert len(memory.panels) == len(time.panels) == 2
    assert {row[0] for row in memory.panels[0].drawn.rows} == {"none", "layers", "reversible"}
    assert {row[0] for row in time.panels[0].drawn.rows} == {"layers", "reversible"}
    for panel in (*memory.panels, *time.panels):
        (low, high) = map(float, re.findall(r'data-y="\w+ (\S+) (\S+)', panel.svg)[0])
        assert all(low <= row[3] <= row[4] <= high for row in panel.drawn.rows), "a whisker is cut"
    rows = [row[1:4] for row in block(found, "table-depth").rows]
    assert rows == list(product(("3", "8"), ("50", "100", "200"), ("none", "layers", "reversible (another model)")))
    assert {"supported", "refuted", "untested"} <= {row[1] for row in block(found, "table-depth-verdicts").rows}
    models = block(section(inputs, "method"), "table-models")
    assert [row[0] for row in models.rows] == [f"SAGE ({depth} layers)" for depth in (50, 100, 200)]
    assert tables(section(synthetic.inputs(), "method")) == []


def ego_inputs(peak: int = 10_000) -> ReportInputs:
    """Inputs of a study of ego networks; counting the encodings takes `peak` bytes times degree^radius."""
    costs = [
        made(
            EncodingCost,
            label=f"ER, degree {degree}, replicate 0",
            num_edges=1000 * degree,
            average_degree=degree,
            radius=radius,
            seconds=0.01 * degree**radius,
            peak_bytes=peak * degree**radius,
        )
        for degree in (2, 8)
        for radius in (1, 2)
    ]
    grid = {"family": "sbm", "num_nodes": [1000], "average_degrees": [2, 8]}
    study = synthetic.study(
        name="ego",
        graphs={"generated": [grid], "ego": {"radii": [1, 2]}},
        architecture={"convolutions": ["GCN"], "num_layers": 4, "hidden_channels": 32},
        policies=["none", "layers"],
    )
    return analysed(ego_table(), study, encodings=costs)


def test_ego_networks_are_drawn_listed_and_judged() -> None:
    found = section(ego_inputs(), "variants.ego")
    memory, cost = (block(found, f"figure-ego-{name}") for name in ("memory", "cost"))
    drawn = {"graph alone", "encodings (1)", "encodings (2)", "bag (1)", "bag (2)"}
    assert {row[0] for row in memory.panels[0].drawn.rows} == drawn
    assert [panel.title for panel in cost.panels] == ["Seconds", "Bytes at once"]
    # 2 densities x (1 graph + 2 radii x 2 forms) x 2 policies.
    assert len(block(found, "table-ego").rows) == 20
    assert block(found, "table-ego-cost").rows[0][0] == "ER, degree 2"
    assert {row[1] for row in block(found, "table-ego-verdicts").rows} >= {"supported"}


@pytest.mark.parametrize(("peak", "verdict"), [(10_000, "no"), (10**9, "yes")])
def test_the_answer_about_ego_networks_takes_the_peak_of_counting_into_account(peak: int, verdict: str) -> None:
    inputs = ego_inputs(peak)
    said = bare(words_in(documents(inputs, {}).report.opening))
    assert f"Counting the encodings, once, takes {units.duration(0.64)} and peaks at {units.size(peak * 64)};" in said
    own = [e for e in inputs.effects.ego if (e.policy, e.degree) == ("none", 8.0)]
    bag, encoded = (max(e.peak_memory_bytes for e in own if e.method == name) for name in ("ego_networks", "encodings"))
    times = [units.plain(bag / aim) for aim in (encoded, max(encoded, peak * 64))]
    assert f"needs {times[0]} times as much memory as the same networks encoded as features with GCN." in said
    assert f"the bag needs {times[1]} times that." in said
    assert f"{verdict} GCN: bag {units.size(bag)}," in said
    assert ("Checkpointing does not close the gap" in said) == (verdict == "no")
    (alone,) = [e.peak_memory_bytes for e in own if not e.method]
    assert f"encodings {units.size(encoded)}; the graph alone {units.size(alone)}." in said


def test_the_explained_section_draws_each_measure_for_both_sets() -> None:
    sets = {"validation": explained(label="photos <b>"), "adversarial": explained(label="tricks")}
    study = synthetic.study(explained={"weights": "vig.pth", "validation": {"images": "photos"}})
    inputs = synthetic.inputs(explained=Explanations(sets=sets), study=study)
    found = section(inputs, "timeline.explained")
    figure = block(found, "figure-explained")
    assert len(figure.panels) == 6
    assert {row[0] for row in figure.panels[0].drawn.rows} == {"photos <b>", "tricks"}
    assert len(block(found, "table-explained-validation").rows) == 16


@pytest.mark.parametrize(
    ("own", "others", "found"),
    [
        ([9, 5, 3], [8, 6, 7], 5.0),
        ([9, 5, 8], [8, 6, 7], None),
        ([3, 5, 6], [8, 6, 7], 2.0),
        ([9, 5, 3], [8, 6], 5.0),
        ([9, 5], [8], 5.0),
    ],
)
def test_a_size_that_the_others_did_not_complete_is_won(own: list[int], others: list[int], found: float | None) -> None:
    """Batches of 2, 5 and 10 neighbours; a policy that runs out of memory has no effect at the larger ones."""
    sizes = (2.0, 5.0, 10.0)
    mine, theirs = (
        [SimpleNamespace(size=size, activation_bytes=bytes) for size, bytes in zip(sizes, values, strict=False)]
        for values in (own, others)
    )
    assert Facts.less_from(mine, theirs) == found
