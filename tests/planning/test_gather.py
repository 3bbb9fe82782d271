"""At the measured sizes a planner says what the laws say; at others it parts what is kept from what is worked with."""

import re

import numpy as np
import pytest
from torch_geometric import datasets

from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.predictions import predictions
from gnn_checkpointing.analysis.laws.series import Sizes
from gnn_checkpointing.analysis.results import Predictions, PredictiveLaw, ResidentLaw
from gnn_checkpointing.analysis.table import completed, under
from gnn_checkpointing.planning.arithmetic import Step, at_once, grown, peak, resident, value
from gnn_checkpointing.planning.gather import knowledge
from gnn_checkpointing.planning.knowledge import Knowledge, PolicyKnowledge, well_known
from gnn_checkpointing.planning.times import seconds
from gnn_checkpointing.records.record import Machine
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.results import made
from synthetic.rows import HIDDEN_CHANNELS, NUM_LAYERS, table
from synthetic.studies import small_study
from synthetic.tables import protocol

STUDY = small_study(
    ("GCN", "SAGE", "GATv2"),
    ("none", "layers", "edge_blocks"),
    {"family": "sbm", "num_nodes": [500], "average_degrees": [4]},
    {"num_layers": NUM_LAYERS, "hidden_channels": HIDDEN_CHANNELS, "heads": 4},
    seed=1,
)
CACHE = {"last-level cache": "32768K"}
HERE = Machine("here", CACHE, "Here")


@pytest.fixture(scope="module")
def found() -> Predictions:
    rows = table(np.random.default_rng(0), [*generated_graphs(num_nodes=(500, 1000, 4000)), *real_graphs()])
    return predictions(rows, under(completed(rows), "retaining"), protocol(), np.random.default_rng(0))


@pytest.fixture(scope="module")
def known(found: Predictions) -> Knowledge:
    return knowledge(STUDY, found, [], HERE)


def by_law(law: PredictiveLaw, nodes: float, edges: float, at_once: float) -> float:
    return float(FittedForm.of(law).at(Sizes.of((nodes, edges, at_once)))[0])


def policy(known: Knowledge, convolution: str, name: str) -> PolicyKnowledge:
    return next(one for one in known.policies if (one.convolution, one.policy) == (convolution, name))


def test_at_the_measured_sizes_a_planner_says_what_the_laws_and_measurements_say(
    found: Predictions, known: Knowledge
) -> None:
    asked = 0
    for law in found.laws:
        one = policy(known, law.convolution, law.policy)
        for nodes, edges in ((500, 2000), (1000, 30_000), (4000, 512_000), (3000, 10**6)):
            step = Step(nodes, edges, known.measured)
            portion = at_once(one, step)
            expected = by_law(law, nodes, edges, portion.edges)
            if law.response == "activation_bytes":
                # Bytes per edge that meet the count of tensors are taken to be it.
                found_bytes = value(one.activation, step, portion, 32 if one.reads_features else HIDDEN_CHANNELS)
                assert found_bytes == pytest.approx(expected, rel=2e-3)
            elif law.response == "step_time_seconds":
                assert seconds(one, None, step).interval.estimate == pytest.approx(expected, rel=1e-9)
            asked += law.response != "saved_activation_bytes"
    assert asked == 2 * 9 * 4
    for law in found.resident:
        one = policy(known, law.convolution, law.policy)
        expected = law.constant + law.per_node * 1000 + law.per_edge * 30_000
        assert resident(one, Step(1000, 30_000, known.measured)) == pytest.approx(expected, rel=1e-9)


def test_order_ranges_and_self_loops_are_the_studys_and_without_laws_nothing_is_known(known: Knowledge) -> None:
    assert known.convolutions == ["GCN", "SAGE", "GATv2"]
    assert [one.policy for one in known.policies[:3]] == ["none", "layers", "edge_blocks"]
    limits = {limit.size: (limit.low, limit.high) for limit in known.limits}
    assert limits["num_nodes"] == (500, 4000)
    assert limits["num_layers"] == (NUM_LAYERS, NUM_LAYERS)
    assert limits["num_features"] == (32, 32)
    assert policy(known, "GCN", "none").self_loops and not policy(known, "SAGE", "none").self_loops
    assert policy(known, "GATv2", "layers").blocks is None
    nothing = knowledge(STUDY, made(Predictions), [], Machine("here", {}))
    assert nothing.policies == [] and nothing.limits == []


def test_what_is_kept_grows_with_the_layers_and_the_rest_does_not(found: Predictions, known: Knowledge) -> None:
    """Of layers no byte per edge is kept, so that twice the layers need none more; of a node its input is, in each."""
    laws = {(law.convolution, law.policy, law.response): law for law in found.laws}
    saved = laws["SAGE", "layers", "saved_activation_bytes"]
    deep = known.measured.model_copy(update={"num_layers": 2 * NUM_LAYERS})
    (terms,) = policy(known, "SAGE", "layers").activation.pieces
    for column, growth in terms.items():
        more = grown(growth, deep, HIDDEN_CHANNELS) - grown(growth, known.measured, HIDDEN_CHANNELS)
        assert more == pytest.approx(saved.pieces[0].get(column, 0.0), rel=1e-6, abs=1e-6)


def test_a_segment_works_with_what_none_keeps_of_each_of_its_layers(found: Predictions) -> None:
    """One segment of all layers needs what none needs, however many layers there are."""
    laws = [law for law in (*found.laws, *found.resident) if law.policy == "none"]
    one = [law.model_copy(update={"policy": "segments(1)"}) for law in laws]
    more = {
        "laws": [law for law in (*laws, *one) if isinstance(law, PredictiveLaw)],
        "resident": [law for law in (*laws, *one) if isinstance(law, ResidentLaw)],
    }
    study = STUDY.model_copy(update={"policies": ("none", "segments(1)")})
    known = knowledge(study, found.model_copy(update=more), [], HERE)
    for layers in (NUM_LAYERS, 50 * NUM_LAYERS):
        step = Step(1000, 30_000, known.measured.model_copy(update={"num_layers": layers}))
        for convolution in ("GCN", "GATv2"):
            bytes_of = [peak(policy(known, convolution, name), step).estimate for name in ("none", "segments(1)")]
            assert bytes_of[1] == pytest.approx(bytes_of[0], rel=2e-3)


def test_blocks_follow_the_policys_rule_and_the_cache_or_the_memory_of_a_gpu(found: Predictions) -> None:
    """A GPU that was not measured does not matter."""
    facts = CACHE | {"accelerator memory": "81559 MiB"}
    for device, bounds in (("cuda", (16 * 2**20, 81559 * 2**20 // 256)), ("cpu", (2**20, 32 * 2**20))):
        read = knowledge(STUDY, found, [], Machine("here", facts | {"measured device": device}))
        blocks = policy(read, "GATv2", "edge_blocks").blocks
        assert (blocks.edges_per_node, blocks.smallest_bytes, blocks.largest_bytes) == (8, *bounds)


DATASETS = {"Cora": "Planetoid", "CiteSeer": "Planetoid", "PubMed": "Planetoid"}
DATASETS |= {f"Amazon {name}": "Amazon" for name in ("Computers", "Photo")}
DATASETS |= {f"Coauthor {name}": "Coauthor" for name in ("CS", "Physics")}
DATASETS |= {name: name for name in ("Flickr", "Yelp", "Reddit", "AmazonProducts")}
OGB = {"ogbn-products": (2_449_029, 61_859_140), "ogbn-proteins": (132_534, 39_561_252)}
OGB |= {"ogbn-arxiv": (169_343, 1_166_243)}


def documented(label: str) -> tuple[int, ...]:
    """Nodes, edges and features from the table in a dataset's docstring."""
    kind, name = DATASETS[label], label.split(" ")[-1]
    tables = re.split(r"\n\s+\* - ", getattr(datasets, kind).__doc__ or "")[2:]
    rows = [[value.strip() for value in re.split(r"\n\s+- ", row)] for row in tables]
    found = next(row for row in rows if kind == label or row[0] == name)
    numbers = [int(value.split("\n")[0].replace(",", "")) for value in found if re.match(r"[\d,]+", value)]
    return tuple(numbers[:3])


def test_sizes_of_well_known_graphs_are_those_that_pyg_documents_and_ogb_published() -> None:
    """Hu et al. (2020), arXiv 2005.00687, table 2: nodes and edges, each in one direction."""
    by_label = {graph.label: graph for graph in well_known()}
    assert set(by_label) == {*DATASETS, *OGB}
    for label, graph in by_label.items():
        if label in OGB:
            assert (graph.num_nodes, graph.num_edges // 2) == OGB[label]
            assert graph.source.startswith("Open Graph Benchmark")
        else:
            assert (graph.num_nodes, graph.num_edges, graph.num_features) == documented(label), label
            assert graph.source == "documentation of PyG"


def test_overhead_grows_with_the_layers_and_work_with_their_channels_too(found: Predictions, known: Knowledge) -> None:
    """A constant is what a step takes whatever the graph: it was once scaled with the channels as well."""
    asked = 0
    for law in found.laws:
        if law.response != "step_time_seconds" or law.form == "power":
            continue
        own, overhead = policy(known, law.convolution, law.policy), law.pieces[0].get("constant", 0.0)
        for name, size in (("hidden_channels", 3 * HIDDEN_CHANNELS), ("num_layers", 3 * NUM_LAYERS)):
            step = Step(1000, 30_000, known.measured.model_copy(update={name: size}))
            plain = seconds(own, None, Step(1000, 30_000, known.measured)).interval.estimate
            shared = overhead if name == "hidden_channels" else 0.0
            grown_to = seconds(own, None, step).interval.estimate
            assert grown_to == pytest.approx(3 * (plain - shared) + shared, rel=1e-2)
            asked += overhead > 0
    assert asked


def test_what_a_policy_takes_for_nodes_beyond_none_is_overhead_where_all_graphs_have_one_size() -> None:
    """1,000 nodes: layers takes 1.5e-3 + 3e-6 N and none 1e-3 + 2e-6 N without an edge, 4.5 and 3 ms."""
    rows = table(0, generated_graphs((1000,)), convolutions=["GCN"], noise=0.0)
    one = predictions(rows, under(completed(rows), "retaining"), protocol(), np.random.default_rng(0))
    assert not one.laws
    law = policy(knowledge(STUDY, one, [], HERE), "GCN", "layers").seconds.pieces[0]
    sizes = knowledge(STUDY, one, [], HERE).measured
    assert grown(law["nodes"], sizes, HIDDEN_CHANNELS) * 1000 == pytest.approx(3e-3, rel=0.02)
    assert grown(law["constant"], sizes, HIDDEN_CHANNELS) == pytest.approx(1.5e-3, rel=0.04)


def test_cells_of_the_own_model_are_kept_with_their_lowest_and_highest_peak(found: Predictions) -> None:
    """18 sizes of graphs, each twice; another model's cells, and real graphs with other features, are left out."""
    rows = table(np.random.default_rng(0), [*generated_graphs(num_nodes=(500, 1000, 4000)), *real_graphs()])
    raised = next(row for row in rows if (row["num_nodes"], row["policy"], row["convolution"]) == (500, "none", "GCN"))
    raised["activation_bytes"] = (raised["activation_bytes"] or 0) + 1000
    kept = policy(knowledge(STUDY, found, [], HERE, rows), "GCN", "none").measured_at
    assert len({one[:2] for one in kept}) == len(kept) == len({(row["num_nodes"], row["num_edges"]) for row in rows})
    (own,) = (one for one in kept if one[:2] == (raised["num_nodes"], raised["num_edges"]))
    assert own[3] - own[2] == 1000
    deeper = [{**row, "num_layers": 7} for row in rows]
    assert not policy(knowledge(STUDY, found, [], HERE, deeper), "GCN", "none").measured_at
