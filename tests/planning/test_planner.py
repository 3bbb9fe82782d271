"""What a plan says, by numbers worked out by hand; what it refuses; what it warns of."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.planning import Plan, Planner
from gnn_checkpointing.planning.answering import WHOLE_NODES
from gnn_checkpointing.planning.arithmetic import AtOnce, Step, at_once, peak, value
from gnn_checkpointing.planning.knowledge import PlannedLaw, together
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.plan_words import advice, cells
from synthetic.planner import BLOCKED, STORED, knowledge, law

KNOWN = knowledge()
SIZES = KNOWN.measured


def planned(*policies: dict[str, Any], **changes: Any) -> Plan:
    asked = {"num_nodes": 1000, "num_edges": 50_000, "convolution": "GATv2", "memory_gib": 1.0}
    return Planner(knowledge(*policies)).plan(**{**asked, **changes})


def test_bytes_and_seconds_are_the_laws() -> None:
    """2 layers of 8 channels: (10 x 16 + 4 x 8) 192 bytes an edge; before: 2 x 64 parameters, 28 a node, 16 an edge."""
    found = planned().of("none")
    before = 128 + 28 * 1000 + 16 * 50_000
    other = planned(num_layers=1).of("none").peak
    # As far as others were seen to be off, and their weights.
    assert other.high - other.estimate == pytest.approx(0.1 * 112 * 50_000 + 16 * 8 * (5 + 8))
    assert found.peak.estimate == found.peak.low == found.peak.high == 192 * 50_000 + before
    assert found.seconds.estimate == pytest.approx(16e-9 * 50_000)
    assert (found.seconds.low, found.seconds.high) == pytest.approx((0.9 * 8e-4, 1.1 * 8e-4))
    # The interval is that of activations. Blocks of 8 edges a node: 800 a node and 160 an edge of a block of 8,000.
    blocks, activation = planned().of("edge_blocks").peak, 800 * 1000 + 160 * 8000
    assert (blocks.estimate, blocks.low, blocks.high) == tuple(share * activation + before for share in (1, 0.75, 1.25))


@pytest.mark.parametrize(
    ("nodes", "edges", "block"),
    [
        (1000, 50_000, 8000),  # 8 a node
        (1000, 3000, 3000),  # never more than there are
        (50, 5000, 1000),  # one message tensor of 32 bytes a row is worth 32,000 bytes
        (10**6, 10**9, 100_000),  # and no more than the cache
    ],
)
def test_blocks_are_as_large_as_the_rule_says(nodes: int, edges: int, block: int) -> None:
    whole, blocked = KNOWN.policies
    assert at_once(blocked, Step(nodes, edges, SIZES)).edges == block
    assert at_once(whole, Step(nodes, edges, SIZES)).edges == edges
    looped = knowledge({**BLOCKED, "self_loops": True}).policies[0]
    assert at_once(looped, Step(100, 500, SIZES)).edges == 600


def test_other_sizes_grow_as_the_law_says() -> None:
    """Twice the layers: what is kept doubles, what one layer works with does not; 4 channels: half of either."""
    narrow = planned(num_layers=4, hidden_channels=4).of("none").peak.estimate
    assert narrow == (10 * 16 + 4 * 4) * 50_000 + 4 * 16 + 28 * 1000 + 16 * 50_000
    wide = planned(num_features=105).of("none").peak.estimate
    assert wide - planned().of("none").peak.estimate == 100 * 4 * 1000


def test_self_loops_are_edges_and_attention_dropout_keeps_a_factor_of_each_share() -> None:
    """A loop a node: 1,000 edges more. Dropout: 4 bytes a head and edge, in 2 layers or in one block of 8,000 edges."""
    plain, looped, dropped = planned(), planned(self_loops=True), planned(attention_dropout=True)
    assert looped.of("none").peak == planned(num_edges=51_000).of("none").peak
    assert looped.of("none").time == planned(num_edges=51_000).of("none").time
    more = {name: dropped.of(name).peak.estimate - plain.of(name).peak.estimate for name in ("none", "edge_blocks")}
    assert more == {"none": 4 * 2 * 2 * 50_000, "edge_blocks": 4 * 2 * 8000}
    assert dropped.warnings == ("Attention dropout: its bytes are counted, its time was not measured.",)
    own = {**STORED, "self_loops": True}
    assert planned(own, self_loops=True).of("none") == planned(own).of("none")


@pytest.mark.parametrize(
    ("changes", "estimate", "high"),
    [
        ({"num_edges": 0}, 0, 1.25 * 160 * 8000),  # sparser than any measured: up to ten edges a node, in one block
        ({"num_edges": 1}, 160, 1.25 * 160 * 8000),
        ({"num_layers": 1}, 80 * 1000 + 160 * 8000, 1.25 * (80 * 1000 + 160 * 8000) + 16 * 8 * (5 + 8)),
        ({"num_layers": 3}, 880 * 1000 + 160 * 8000, 1.25 * (880 * 1000 + 160 * 8000) + 16 * 8 * (5 + 24)),
    ],
)
def test_bytes_are_never_below_what_lives_before_the_step(
    changes: dict[str, int], estimate: float, high: float
) -> None:
    """Of a node (800 L - 1,600) bytes, nothing where that is negative, and 80 beside a second block; of weights 16."""
    nodes = {"nodes": {"layer_channels": 100.0, "channels": -200.0}, "nodes_with_blocks": {"channels": 10.0}}
    activation = law({**nodes, "edges_at_once": {"channels": 20.0}}, half_width=0.25, num_nodes=(100, 1000))
    plan = planned(STORED, {**BLOCKED, "activation": activation}, **changes)
    before = 64 * plan.sizes.num_layers + 28 * 1000 + 16 * plan.num_edges
    found = plan.of("edge_blocks").peak
    assert (found.estimate, found.high) == pytest.approx((estimate + before, high + before))


def test_features_wider_than_a_layer_widen_the_messages_of_who_gathers_them_as_they_are() -> None:
    """105 features: (10 x 16 + 4 x 105) bytes an edge; of blocks 20 x 105 for each of 8,000; of nodes nothing.

    At the least as much as without them, since they need no gradients, and at the most their sums, too.
    """
    found = planned(*({**one, "reads_features": True} for one in (STORED, BLOCKED)), num_features=105)
    before = 128 + (8 + 4 * 105) * 1000 + 16 * 50_000
    assert found.of("none").peak.estimate == (160 + 420) * 50_000 + before
    assert found.of("edge_blocks").peak.estimate == 800 * 1000 + 20 * 105 * 8000 + before
    assert found.of("none").peak.low == pytest.approx(0.95 * 192 * 50_000 + before)
    assert found.of("none").peak.high == pytest.approx(1.05 * 580 * 50_000 + before + 16 * 8 * (105 + 16) + 8 * 97_000)


@pytest.mark.parametrize(
    ("changes", "columns", "expected"),
    [
        ({}, {"constant": 3.0, "nodes": 2.0}, 3 + 200),
        ({"knee": 400.0}, {"edges": 1.0, "edges_over_knee": 0.5}, 1000 + 300),
        ({}, {"edges_squared": 1e-3}, 1000),
        ({"link": "exponential"}, {"constant": 1.0, "log_nodes": 0.5, "log_edges": 2.0}, math.e * 10 * 10**6),
    ],
)
def test_every_form_of_law(changes: dict[str, Any], columns: dict[str, float], expected: float) -> None:
    piece = {column: {"rest": term} for column, term in columns.items()}
    made = PlannedLaw.model_validate(law(piece, **changes))
    assert value(made, Step(100, 1000, SIZES), AtOnce(1000), 8) == pytest.approx(expected)


def test_a_law_of_two_pieces_is_the_larger_one() -> None:
    made = PlannedLaw.model_validate(law({"nodes": {"rest": 10.0}}, {"edges": {"rest": 1.0}}))
    assert [value(made, Step(100, edges, SIZES), AtOnce(edges), 8) for edges in (500, 5000)] == [1000, 5000]


def test_the_fastest_that_fits_is_recommended_and_what_fits_is_judged_by_the_upper_end() -> None:
    """10,428,128 bytes without checkpointing; blocks need 2,908,128, at most 3,428,128."""
    mib = 1 / 1024
    assert planned(memory_gib=10 * mib).recommended == "none"
    assert planned(memory_gib=9 * mib).recommended == "edge_blocks"
    assert [one.verdict for one in planned(memory_gib=3 * mib).policies] == ["does not fit", "may fit"]
    assert planned(memory_gib=3 * mib).recommended is None
    assert planned(memory_gib=2 * mib).of("edge_blocks").verdict == "does not fit"


def test_without_times_the_lowest_peak_is_recommended() -> None:
    untimed = [{**one, "seconds": None} for one in (STORED, BLOCKED)]
    assert planned(*untimed).recommended == "none"
    assert planned(*untimed).of("none").seconds is None
    assert planned(*untimed, memory_gib=9 / 1024).recommended == "edge_blocks"


def test_the_largest_graphs_fit_and_the_next_ones_do_not() -> None:
    found = planned(memory_gib=0.01)
    memory = 0.01 * 2**30
    for one, known in zip(found.policies, KNOWN.policies, strict=True):
        nodes, degree = one.largest_nodes, one.largest_degree
        peaks = [peak(known, Step(more, 50.0 * more, SIZES)).high for more in (nodes, nodes + 1)]
        assert peaks[0] <= memory < peaks[1]
        edges = round(degree * 1000)
        peaks = [peak(known, Step(1000, more, SIZES)).high for more in (edges, edges + 1)]
        assert peaks[0] <= memory < peaks[1]


@pytest.mark.parametrize(
    ("nodes", "edges", "at_least", "at_most"),
    [
        (4000, 400_000, None, None),  # four times what was measured
        (4001, 50_000, 0.9 * 16e-9 * 50_000, None),
        (1000, 400_001, 0.9 * 16e-9 * 100_000, None),
        (1000, 249, None, 1.1 * 16e-9 * 1000),
    ],
)
def test_beyond_four_times_the_measured_a_time_is_withheld_and_bounded(
    nodes: int, edges: int, at_least: float | None, at_most: float | None
) -> None:
    time = planned(num_nodes=nodes, num_edges=edges).of("none").time
    assert (time.interval is None) == (at_least is not None or at_most is not None)
    assert time.at_least == pytest.approx(at_least)
    assert time.at_most == pytest.approx(at_most)


def test_none_is_taken_where_it_fits_unless_another_was_measured_to_be_faster_nearby() -> None:
    """A law that tells edge_blocks half of none's time is not believed; a measurement within twice the size is.

    Nor does one speak of a model that was not measured, or of attention dropout.
    """
    fast = {**BLOCKED, "seconds": law({"edges": {"layer_channels": 0.5e-9}})}
    for seen, asked, taken in (
        ([], {}, "none"),
        ([(1000, 101_000)], {}, "none"),
        ([(600, 26_000)], {}, "edge_blocks"),
        ([(600, 26_000)], {"num_layers": 3}, "none"),
        ([(600, 26_000)], {"attention_dropout": True}, "none"),
    ):
        plan = planned(STORED, {**fast, "faster_at": seen}, **asked)
        blocks, none = plan.of("edge_blocks").seconds, plan.of("none").seconds
        assert plan.recommended == taken
        assert (blocks.estimate < none.estimate) == (taken != "none")


@pytest.mark.parametrize(
    ("seen", "asked", "taken"),
    [
        ([], {}, "edge_blocks"),
        ([(1000, 1_300_000)], {}, "edge_blocks"),
        ([(1000, 400_000)], {}, "compiled"),
        ([(1000, 400_000)], {"attention_dropout": True}, "edge_blocks"),
        ([(1000, 400_000)], {"memory_gib": 2.0}, "none"),
        ([(1000, 400_000)], {"speed": 1e-8}, "memory_budget(0)"),
    ],
)
def test_where_none_does_not_fit_a_policy_that_beat_it_at_this_density_goes_before_slower_ones(
    seen: list[tuple[int, int]], asked: dict[str, Any], taken: str
) -> None:
    """The planner advised edge_blocks for GATv2 at degree 100, nine times slower than fused_edge_blocks there."""
    ranges = {"num_nodes": (1, 10**5), "num_edges": (1, 10**7)}
    plain = {**STORED, "seconds": law({"edges": {"rest": 1e-7}}, **ranges)}
    blocks = {**BLOCKED, "seconds": law({"edges": {"rest": 1e-6}}, **ranges)}
    few = {**STORED, "activation": law({"edges": {"rest": 100.0}})}
    bounded = {**few, "policy": "compiled", "seconds": law({"edges": {"rest": 1e-12}}, num_edges=(1000, 2000))}
    timed = {
        **few,
        "policy": "memory_budget(0)",
        "seconds": law({"edges": {"rest": asked.pop("speed", 1.0)}}, **ranges),
    }
    question = {"num_nodes": 10_000, "num_edges": 6_000_000, "memory_gib": 1.0, **asked}
    plan = planned(plain, blocks, {**bounded, "faster_at": seen}, timed, **question)
    assert plan.recommended == taken
    promised = "it was faster than none at about this density, on another graph or model"
    assert (promised in advice(plan)) == (taken == "compiled")


def test_bounds_of_time_rank_nothing_and_the_advice_says_what_is_not_known() -> None:
    """In 1 GiB none does not fit; compiled has by far the lower bound, and the larger peak."""
    narrow = law({"edges": {"rest": 1e-12}}, num_edges=(1000, 2000))
    fused = {**STORED, "policy": "compiled", "activation": law({"edges": {"rest": 100.0}}), "seconds": narrow}

    def said(*policies: dict[str, Any], memory_gib: float) -> str:
        plan = planned(*policies, num_nodes=10_000, num_edges=6_000_000, memory_gib=memory_gib)
        return advice(plan).replace("\N{NO-BREAK SPACE}", " ")

    assert said(STORED, BLOCKED, fused, memory_gib=1.0) == (
        "The smallest peak is that of edge_blocks: 112 MiB of 1.00 GiB. compiled fits, too. Too little was measured "
        "near this size to predict which is fastest: time a few steps of each."
    )
    assert said(STORED, BLOCKED, memory_gib=1.0).startswith("Take edge_blocks, the only policy that is certain to fit")
    assert said(STORED, BLOCKED, fused, memory_gib=2.0).startswith("Nothing needs checkpointing: 1.16 GiB of 2.00 GiB")
    wide = {**BLOCKED, "seconds": law({"edges": {"rest": 1e-6}}, num_nodes=(1, 10**5), num_edges=(1, 10**7))}
    assert re.fullmatch(
        r"Take edge_blocks: .*6\.00 s a step \(1,000,000 edges a second\)\. compiled fits, too\. Too little .*",
        said(wide, fused, memory_gib=1.0),
    )
    assert "which may fit: try it" in said(STORED, BLOCKED, memory_gib=0.11)
    assert said(STORED, memory_gib=0.01).endswith("or on a machine with more memory.")


def test_the_advice_names_what_was_faster_than_none_elsewhere_where_none_is_taken() -> None:
    """At 44 edges a node on 9,000 nodes: too far away to be taken, and worth a try."""
    said = advice(planned(STORED, {**BLOCKED, "faster_at": [(9000, 400_000)]}))
    assert said.startswith("Nothing needs checkpointing: ")
    assert said.endswith(". edge_blocks was faster at about this density, on another graph or model.")
    assert "faster" not in advice(planned(STORED, {**BLOCKED, "faster_at": [(9000, 40_000)]}))


def test_what_has_no_end_or_fits_with_no_edge_says_so() -> None:
    """Half a TiB holds any graph of 1,000 nodes: 999,000 edges of 208 bytes."""
    assert planned(memory_gib=512).of("none").largest_degree is None
    assert planned(memory_gib=512).of("none").largest_nodes is not None
    assert cells(planned(memory_gib=1e-6).of("none"))[3:] == ("does not fit", "none", "none")


def test_what_was_not_measured_is_warned_of() -> None:
    assert planned().warnings == ()
    assert planned(num_nodes=5000).warnings == ("Nodes.",)
    assert planned(num_layers=3, num_nodes=99, num_edges=500).warnings == ("Nodes.", "Layers.")
    most = f"edge_blocks: {WHOLE_NODES.format(100_000)}"
    assert planned(num_nodes=100_002, num_edges=10**6).warnings == ("Nodes.", most)
    assert planned(num_nodes=100_001, num_edges=10**6).warnings == ("Nodes.",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_nodes": 0}, "num_nodes 0: allowed are whole numbers from 1"),
        ({"num_nodes": 1000.5}, r"num_nodes 1000\.5: allowed are whole numbers"),
        ({"num_edges": 5.5}, r"num_edges 5\.5: 1,000 nodes have 0 to 999,000 directed edges"),
        ({"num_edges": 10**6}, "1,000 nodes have 0 to 999,000 directed edges"),
        ({"num_nodes": 10**9, "num_edges": 10**15 + 1}, "0 to 1,000,000,000,000,000 directed edges"),
        ({"memory_gib": 0}, "memory_gib 0: allowed are numbers above 0"),
        ({"memory_gib": math.nan}, "memory_gib nan"),
        ({"num_layers": 0}, "num_layers 0"),
        ({"hidden_channels": 9}, "hidden_channels 9 is not a multiple of heads 2"),
        ({"convolution": "GCN"}, "study test has no law for it; allowed: GATv2"),
    ],
)
def test_impossible_questions_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        planned(**changes)
    with pytest.raises(Refusal, match="policy layers: no law; there is one of none, edge_blocks"):
        planned().of("layers")
    with pytest.raises(Refusal, match="allowed: none, since it fitted no laws; name the report of another study"):
        Planner(KNOWN.model_copy(update={"policies": []})).plan(
            num_nodes=9, num_edges=9, convolution="GCN", memory_gib=1
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": law()},
        {"activation": law({"egdes": {"rest": 1.0}})},
        {"activation": law({"edges": {"rest": 1e308}})},
        {"seconds": law({"log_edges": {"rest": 1e3}}, link="exponential")},
        {"seconds": law({"log_edges": {"rest": 1.0}}, link="exponential", num_edges=(0, 0))},
        {"seconds": law({"edges": {"rest": 1.0}}, half_width=-2.0)},
        {"resident": STORED["resident"] | {"per_node": -1e9}},
    ],
)
def test_laws_with_which_nothing_can_be_computed_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match=r"study test: its planner\.json has impossible laws \(\w+: .*make it again"):
        planned(STORED | changes)


def test_a_file_that_is_no_planner_is_refused_naming_the_field(tmp_path: Path) -> None:
    values = KNOWN.model_dump(mode="json")
    write_json(tmp_path / "planner.json", values)
    assert Planner.read(tmp_path / "planner.json").knowledge == KNOWN
    write_json(tmp_path / "planner.json", values | {"confidence": "high"})
    with pytest.raises(Refusal, match=r"planner\.json: field confidence: .*make it again with `knowledge`"):
        Planner.read(tmp_path / "planner.json")


MEASURED = {"measured_at": [(1000, 50_000, 9_000_000, 9_500_000, 0.002)]}


def test_what_was_measured_is_answered_with_the_measurement_and_says_so() -> None:
    """The law says 10,428,128 bytes and 0.8 ms, of which the half-width is a tenth."""
    told = planned({**STORED, **MEASURED}, BLOCKED)
    found = told.of("none")
    assert found.measured and not told.of("edge_blocks").measured
    assert (found.peak.low, found.peak.estimate, found.peak.high) == (9_000_000, 9_500_000, 9_500_000)
    ends = found.seconds.low, found.seconds.estimate, found.seconds.high
    assert ends == pytest.approx((0.0018, 0.002, 0.0022))
    assert advice(told).endswith("A graph of these sizes was measured: the numbers of none are its own.")
    assert advice(planned({**STORED, **MEASURED})).endswith("all numbers are its own.")
    untimed = {"measured_at": [(1000, 50_000, 9_000_000, 9_500_000, None)]}
    assert planned({**STORED, **untimed}).of("none").time == planned(STORED).of("none").time


@pytest.mark.parametrize(
    "changes",
    [
        {"num_nodes": 1001},
        {"num_edges": 49_999},
        {"num_layers": 3},
        {"num_features": 6},
        {"attention_dropout": True},
        {"self_loops": True, "num_edges": 49_000},
    ],
)
def test_what_was_not_measured_is_predicted(changes: dict[str, Any]) -> None:
    found = planned({**STORED, **MEASURED}, **changes)
    assert found == planned(STORED, **changes)


def test_while_a_layer_computes_its_second_block_the_sums_of_the_first_live_beside_it() -> None:
    """1,000 nodes in blocks of 8,000 edges, 8 channels: 8 x 20 bytes an edge, and beside a second block 80 a node."""
    blocks = law({"nodes_with_blocks": {"channels": 10.0}, "edges_at_once": {"channels": 20.0}})
    known = knowledge({**BLOCKED, "activation": blocks}).policies[0]
    for edges, expected in (
        (8000, 160 * 8000),
        (8500, 160 * 8000),  # 500 edges and 80,000 bytes are less
        (15_900, 160 * 7900 + 80_000),
        (10**6, 160 * 8000 + 80_000),
    ):
        step = Step(1000, edges, SIZES)
        assert value(known.activation, step, at_once(known, step), 8) == expected


def test_blocks_of_the_first_layer_are_cut_by_its_features() -> None:
    """Of 100 features, 400 bytes a row: 8 edges a node are 8,000, and 3,200,000 bytes hold no more than that."""
    known = knowledge(BLOCKED).policies[0]
    for features, first, second in ((5, 8000, 2000), (100, 8000, 2000), (1000, 800, 800)):
        sizes = SIZES.model_copy(update={"num_features": features})
        found = at_once(known, Step(1000, 10_000, sizes))
        assert (found.wide, found.ends) == ((first, second), (first / 10, second / 10))


def test_weights_of_the_first_layer_grow_with_the_features() -> None:
    """2 layers of 8 channels, a byte a weight: 64 of the second layer, and 8 for each feature."""
    resident = {**STORED["resident"], "first_layer": 1.0}
    one = {**STORED, "resident": resident}
    plain, wide = planned(one).of("none").peak.estimate, planned(one, num_features=1005).of("none").peak.estimate
    assert wide - plain == 1000 * (4 * 1000 + 8)


def test_counted_bytes_hold_for_every_model_and_density() -> None:
    """The half-width alone, for one edge; of other layers and features also a hundredth of all that is resident."""
    counted = {**STORED, "counted": True, "activation": law({"edges": {"layer_channels": 10.0}}, half_width=0.02)}
    for changes, weights in (({"num_layers": 4}, 0.01), ({"num_features": 105}, 0.01), ({"num_edges": 1}, 0.0)):
        plan = planned(counted, **changes)
        found, own = plan.of("none").peak, 10 * plan.sizes.num_layers * 8 * plan.num_edges
        more = 0.02 * own + weights * (found.estimate - own)
        assert (found.estimate - found.low, found.high - found.estimate) == pytest.approx((more, more))


@pytest.mark.parametrize("cells", [False, True], ids=["predicted", "measured"])
@pytest.mark.parametrize("num_features", [9, KNOWN.measured.num_features])
def test_times_of_another_study_are_told_at_the_speed_of_the_day_on_which_none_was_timed(
    num_features: int, cells: bool
) -> None:
    """The second study's machine was three times as slow: its none takes 2.4 ms, and its blocks twice that.

    Its model may be the same, and the very graph may have been measured.
    """
    at = [{"measured_at": [(1000, 50_000, 1, 1, 0.1 * times)]} if cells else {} for times in (1, 3, 6)]
    slow = {**STORED, "seconds": law({"edges": {"layer_channels": 3e-9}}), **at[1]}
    blocks = {**BLOCKED, "seconds": law({"edges": {"layer_channels": 6e-9}}, half_width=0.2), **at[2]}
    other = {**KNOWN.measured.model_dump(), "num_features": num_features}
    studies = [knowledge({**STORED, **at[0]}), knowledge(slow, blocks, measured=other)]
    plan = Planner(together(studies)).plan(num_nodes=1000, num_edges=50_000, convolution="GATv2", memory_gib=1.0)
    none, own = plan.of("none").seconds, plan.of("edge_blocks").seconds
    assert own.estimate / none.estimate == pytest.approx(2)
    assert (own.low / own.estimate, own.high / own.estimate) == pytest.approx((0.8, 1.2))
