"""Edge blocks on layers that build their own graphs: the same results, and bytes that do not grow with neighbours.

For one max-relative convolution of C channels on N patches with k neighbours each, one image, float32: without
checkpointing it keeps N k C differences (4 bytes each) for the gradient of the maximum; in blocks it keeps only the
graph, N k indices of 8 bytes.
"""

import copy

import pytest
import torch
from small_models import assert_same
from torch import Tensor

from gnn_checkpointing.checkpointing import apply, largest_block_edges
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.probe import StepResult, step_result
from gnn_checkpointing.models.vig import Vig, VigOptions, build_vig
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.convolutions import neighbours_by_block

CPU = torch.device("cpu")
IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def model(k: int = 3, **options: object) -> Vig:
    return build_vig("ti", VigOptions(classes=5, image=64, k=k, task="patches", **options), seed=1)  # type: ignore[arg-type]


def step(vig: Vig, images: Tensor = IMAGES) -> StepResult:
    torch.manual_seed(3)
    loss = vig(images).square().mean()
    loss.backward()
    return step_result(vig, loss)


@pytest.mark.parametrize(
    "policy", ["edge_blocks", "edge_blocks(20)", "layers+edge_blocks(20)", "fused_edge_blocks(20)"]
)
def test_blocks_compute_the_same(policy: str, compiler: None) -> None:
    """Includes dropout, and a constant image, in which all neighbours tie."""
    plain = model(dropout=0.2)
    images = torch.cat([IMAGES, torch.ones(1, 3, 64, 64)])
    blocked = apply(copy.deepcopy(plain), policy)
    same = assert_same(step(blocked, images), step(plain, images), 1e-6)
    assert same.loss_error == same.buffer_error == 0
    reached = [[parameter.grad is None for parameter in vig.parameters()] for vig in (plain, blocked)]
    assert reached[0] == reached[1]


def test_a_block_is_as_large_as_asked() -> None:
    """Two images, 3 to 6 neighbours: a block of at most 24 edges has 2 x 4 x 3 or fewer."""
    vig = apply(model(), "edge_blocks(24)")
    assert largest_block_edges(vig) is None
    step(vig)
    assert largest_block_edges(vig) == 24
    with pytest.raises(Refusal, match=r"unknown policy 'edge_blocks\(0\)'"):
        apply(model(), "edge_blocks(0)")


def kept_differences(policy: str, k: int) -> int:
    """Bytes kept for the backward pass by a model with `k` neighbours in the first block, minus those with one."""

    def saved(neighbours: int) -> int:
        vig = apply(model(neighbours), policy)
        step(vig)
        vig.zero_grad(set_to_none=True)
        return step_bytes(lambda: vig(IMAGES).square().mean(), CPU).saved

    return saved(k) - saved(1)


def test_what_is_kept_no_longer_grows_with_neighbours() -> None:
    """Twelve blocks of 192 channels on 2 x 16 patches, from k to 2 k neighbours, of which every `dilation`-th is used.

    A difference has 4 bytes per channel, an index 8. Without blocks the index is a view, which also keeps the
    neighbours that dilation leaves out.
    """
    shapes = {k: neighbours_by_block(k, 12, 16) for k in (1, 4)}
    taken, drawn = (
        sum(k * (dilation if wide else 1) for k, dilation in shapes[4])
        - sum(k * (dilation if wide else 1) for k, dilation in shapes[1])
        for wide in (False, True)
    )
    assert (taken, drawn) == (54, 90)
    assert kept_differences("edge_blocks", 4) == 32 * taken * 8
    assert kept_differences("none", 4) == 32 * (taken * 4 * 192 + drawn * 8)


def test_fused_blocks_are_edge_blocks_where_a_layer_draws_its_graph(compiler: None) -> None:
    """No kernel builds graphs, so both policies keep the same bytes."""
    assert kept_differences("fused_edge_blocks", 4) == kept_differences("edge_blocks", 4)
