"""What others claim is judged where it was tried, under conditions that are told, and else says what it would take."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.results import Quality, StudyModel
from gnn_checkpointing.claims.catalogue import catalogue
from gnn_checkpointing.claims.queries.peaks import least_at_densest, segments_memory
from gnn_checkpointing.claims.queries.query import Asked
from synthetic.findings import claim, empty, ledger
from synthetic.results import SETTING, about, effect, flatness, frontier, made, point, some_effects

VIG = StudyModel(convolution="ViG-Ti (images)", num_layers=12, hidden_channels=192, heads=1, parameters=7)
SEGMENTS = some_effects(
    effect("GATv2", "segments(3)", memory=0.5, time=1.42), effect("GATv2", "segments(5)", memory=0.9)
)


def test_root_memory_is_judged_by_the_segments_nearest_to_the_root() -> None:
    """Nine layers in three segments: (3 + 3) / 9 by the count, 0.5 / 0.667 = 0.75 of it; five segments are not near."""
    found = claim(empty(effects=SEGMENTS), "chen-root-memory:GATv2")
    assert found.verdict == "supported"
    assert found.estimate is not None
    assert found.estimate.estimate == pytest.approx(0.75)
    assert found.reason.startswith("segments(3) of 9 layers at average degree 128; the count keeps 0.67 of them")
    assert "chen-root-memory:GCN" not in {one.id for one in ledger(empty(effects=SEGMENTS)).claims}


def test_so_few_layers_that_the_count_saves_nothing_tell_nothing_of_it() -> None:
    """Four layers in two segments: (2 + 2) / 4 = 1."""
    shallow = made(Quality, setting=SETTING.model_copy(update={"num_layers": [4]}))
    findings = empty(effects=some_effects(effect("GATv2", "segments(2)", memory=0.5)), quality=shallow)
    assert (
        segments_memory(Asked(findings, "GATv2")).note
        == "by the count, 2 segments of 4 layers keep as much as no segments do"
    )
    assert "chen-root-memory:GATv2" not in {one.id for one in ledger(findings).claims}


def test_segments_cost_one_forward_pass_if_time_grows_by_its_share() -> None:
    """The forward pass takes 40 % of a step: 1.42 / 1.4 = 1.014; with 30 %, 1.42 / 1.3 = 1.09."""

    def judged(share: float) -> str:
        points = (point("GATv2", "none", forward_share=share), point("GATv2", "segments(3)", time=1.42))
        return claim(empty(effects=SEGMENTS, frontier=frontier(*points)), "chen-one-forward-pass:GATv2").verdict

    assert judged(0.4) == "supported"
    assert judged(0.3) == "refuted"


def test_without_segments_or_budgets_nothing_is_claimed_of_them() -> None:
    ids = {one.id.partition(":")[0] for one in ledger(empty()).claims}
    assert not {"chen-root-memory", "chen-one-forward-pass", "pytorch-budget-is-a-share"} & ids


def test_a_budget_of_one_half_is_compared_with_the_whole_one() -> None:
    """0.2 / 0.5 = 0.4 of what the compiler keeps by itself."""
    budgets = some_effects(
        effect("GATv2", "memory_budget(0.5)", memory=0.2), effect("GATv2", "memory_budget(1)", memory=0.5)
    )
    found = claim(empty(effects=budgets), "pytorch-budget-is-a-share:GATv2")
    assert found.verdict == "supported"
    assert found.estimate is not None
    assert found.estimate.estimate == pytest.approx(0.4)


def test_edges_dominate_where_their_bytes_are_nine_tenths_of_the_peak() -> None:
    """2,000 bytes x 500 edges of 1.1 million bytes are 91 %, of 1.2 million 83 %."""

    def judged(activation_bytes: float) -> str:
        densest = point("GATv2", "none", num_edges=500, activation_bytes=activation_bytes)
        found = empty(frontier=frontier(point("GATv2", "none", level="4"), densest, flatness=[flatness(2000)]))
        return claim(found, "mlsys-edge-intermediates:GATv2").verdict

    assert judged(1.1e6) == "supported"
    assert judged(1.2e6) == "refuted"


def test_claims_about_attention_are_not_asked_of_other_convolutions() -> None:
    blocks = some_effects(*(effect(name, "edge_blocks", memory=0.01) for name in ("GATv2", "GCN")))
    asked = [one.convolution for one in ledger(empty(effects=blocks)).claims if one.id.startswith(("mlsys", "turbo"))]
    assert set(asked) == {"GATv2"}


def test_a_fused_policy_is_held_to_its_peers_only_where_it_was_measured() -> None:
    fused = some_effects(effect("GATv2", "fused_edge_blocks", memory=0.01, time=0.3))
    judged = {one.id.partition(":")[0]: one.verdict for one in ledger(empty(effects=fused)).claims}
    # 1 / 76 = 0.013, 1 / 2.75 = 0.36, 1 / 2 = 0.5.
    assert [judged[id] for id in ("turbo-gnn-memory-at-best", "mlsys-speed", "turbo-gnn-speed")] == ["supported"] * 3
    assert "turbo-gnn-speed" not in {one.id.partition(":")[0] for one in ledger(empty()).claims}


def test_reversible_networks_are_judged_by_the_convolution_that_gains_most() -> None:
    id = "gsr-gnn-memory"
    assert id not in {one.id for one in ledger(empty()).claims}
    assert "policy reversible was not measured" in least_at_densest(Asked(empty()), "reversible").note
    points = [
        point("GATv2", "reversible", level="4", ratio=0.05),  # not the densest
        point("GATv2", "reversible", ratio=0.12),
        point("GCN", "reversible", ratio=0.6),
        point("GATv2", "reversible", ratio=0.01, allocator="default"),
    ]
    found = claim(empty(frontier=frontier(*points)), id)
    assert (found.verdict, found.estimate) == ("supported", about(0.12))
    assert found.reason == "GATv2 at average degree 128, the least of 2 convolutions"


def test_chunks_are_compared_with_whole_layers_which_recompute_as_much() -> None:
    """0.3 / 0.5 = 0.6, below 22.08 / 33.45 = 0.66; 1.5 / 1.4 = 1.07, above 1.033."""
    found = empty(effects=some_effects(effect("GATv2", "edge_blocks", memory=0.3, time=1.5)))
    assert claim(found, "anemoi-chunks-memory:GATv2:edge_blocks").verdict == "supported"
    assert claim(found, "anemoi-chunks-time:GATv2:edge_blocks").verdict == "refuted"


def test_conditions_are_those_of_the_study() -> None:
    found = claim(empty(), "a-third-more-time:GATv2:layers")
    assert found.conditions.startswith(
        "CPU, 1 thread, allocator retaining; 9 layers of 64 channels, 4 heads, float32; every layer under"
    )
    changed = SETTING.model_copy(update={"devices": ["cuda"], "threads": [8], "heads": [1]})
    on_cuda = claim(empty(quality=made(Quality, setting=changed)), "a-third-more-time:GATv2:layers")
    assert on_cuda.conditions.startswith(
        "one CUDA device, 8 threads, allocator retaining; 9 layers of 64 channels, float32"
    )


def test_every_claim_of_the_literature_has_a_full_source_and_its_conditions_or_what_it_takes() -> None:
    for one in ledger(empty(effects=SEGMENTS)).claims:
        if one.kind == "literature":
            assert len(one.source) > 60, one.id
            assert one.conditions or one.reason.startswith(("it takes", "compression that")), one.id


def test_the_twelve_seeds_are_untested_and_say_what_they_would_take() -> None:
    assert not [one for one in ledger(empty()).claims if one.kind == "seed"]
    seeds = [one for one in ledger(empty(frontier=frontier(models=[VIG]))).claims if one.kind == "seed"]
    assert [one.id.partition("-")[0] for one in seeds] == [f"v{number}" for number in range(1, 13)]
    assert {one.verdict for one in seeds} == {"untested"}
    assert all(one.reason.startswith("it takes ") and "2504.19682" in one.source for one in seeds)


@pytest.mark.parametrize(
    ("number", "measured", "verdict"),
    [
        (1, (22.7519, 16, 320), "supported"),
        (1, (22.7519, 16, 192), "refuted"),
        (2, (0.7, 0.65, 0.62, 0.61), "supported"),
        (2, (0.7, 0.65, 0.62, 0.6), "refuted"),
        (4, (3.1, 3.2, 3.5, 4.0), "refuted"),
        (5, (8.4, 9.2), "supported"),
        (7, (0.1,), "supported"),
        (9, (0.12,), "refuted"),
        (11, (68.0, 2.0), "supported"),
        (11, (68.0, 4.0), "refuted"),
        (12, (0.47, 0.0), "supported"),
    ],
)
def test_a_seed_that_is_given_numbers_is_judged_by_its_rule(
    number: int, measured: tuple[float, ...], verdict: str
) -> None:
    seeds = [template for template in catalogue() if template.kind == "seed"]
    assert seeds[number - 1].id.startswith(f"v{number}-")
    assert seeds[number - 1].rule.verdict([about(value) for value in measured]) == verdict
