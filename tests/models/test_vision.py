"""Vision GNN: parameters counted, graphs worked out by hand, and recomputation that changes nothing."""

import copy
import io
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from faults.damage import DAMAGES, Damage
from faults.drawn import as_often_as_asked, assert_graph_or_sentence
from gnn_checkpointing.checkpointing import apply, largest_block_edges
from gnn_checkpointing.explaining.images import classes_of, load_weights
from gnn_checkpointing.models.vig import MaxRelative, Vig, VigOptions, build_vig, dilated_neighbours
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.convolutions import NAMES, SHAPES, Size, neighbours_by_block
from gnn_checkpointing.study.vocabulary import VisionTask

SMALL = VigOptions(classes=5, image=64, k=3, dropout=0.2)


@pytest.mark.parametrize(("size", "millions"), [("ti", 7.18), ("s", 22.75), ("b", 86.84)])
def test_parameters_are_those_of_the_paper(size: Size, millions: float) -> None:
    model = build_vig(size, VigOptions(), seed=0)
    assert sum(parameter.numel() for parameter in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)
    assert len(model.blocks) == SHAPES[NAMES[size]].blocks


def test_neighbours_double_and_dilation_grows() -> None:
    found = neighbours_by_block(9, 16)
    assert [k for k, _ in found] == [9, 9, 10, 10, 11, 12, 12, 13, 13, 14, 15, 15, 16, 16, 17, 18]
    assert [dilation for _, dilation in found] == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]


@pytest.mark.parametrize("blocks", [12, 16])
def test_neighbours_are_those_of_the_published_code(blocks: int) -> None:
    """Which cuts torch's own even steps to whole numbers."""
    for k in range(1, 99):
        steps = [int(value.item()) for value in torch.linspace(k, 2 * k, blocks)]
        assert [count for count, _ in neighbours_by_block(k, blocks)] == steps


def test_a_graph_by_hand() -> None:
    """Four nodes at 0, 10, 40 and 90 degrees: the nearest to each by angle, itself first."""
    angles = torch.deg2rad(torch.tensor([0.0, 10.0, 40.0, 90.0]))
    x = torch.stack([angles.cos(), angles.sin()]).unsqueeze(0) * torch.tensor([1.0, 5.0, 0.2, 3.0])
    assert dilated_neighbours(x, 2, 1).tolist() == [[[0, 1], [1, 0], [2, 1], [3, 2]]]
    assert dilated_neighbours(x, 2, 2).tolist() == [[[0, 2], [1, 2], [2, 0], [3, 1]]]


def test_the_largest_difference_by_hand() -> None:
    x = torch.tensor([[[1.0, 5.0, 2.0], [0.0, -1.0, 4.0]]])
    neighbours = torch.tensor([[[0, 1], [1, 2], [2, 0]]])
    assert MaxRelative(2).aggregated(x, neighbours).tolist() == [[[4.0, 0.0, 0.0], [0.0, 5.0, 0.0]]]


def step(model: Vig, images: Tensor) -> dict[str, Tensor]:
    """Loss, gradients and buffers after one step from a fixed random state."""
    torch.manual_seed(3)
    loss = model(images).square().mean()
    loss.backward()
    gradients = {name: each.grad for name, each in model.named_parameters() if each.grad is not None}
    return {"loss": loss.detach(), **gradients, **dict(model.named_buffers())}


@pytest.mark.parametrize("task", ["images", "patches"])
def test_recomputation_changes_nothing(task: VisionTask) -> None:
    """Graphs drawn anew with ties, dropout, BatchNorm: all the same, bit for bit.

    A constant image makes ties of all neighbours: every patch but those at the border has the same features.
    """
    images = torch.cat([torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)), torch.ones(1, 3, 64, 64)])
    plain = build_vig("ti", replace(SMALL, task=task), seed=1)
    expected = step(copy.deepcopy(plain), images)
    for policy in ("layers", "segments(3)"):
        found = step(apply(copy.deepcopy(plain), policy), images)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in found), policy


@pytest.mark.parametrize("enough", [False, True])
def test_auto_aggregates_in_blocks_where_there_are_messages_enough(
    monkeypatch: pytest.MonkeyPatch, enough: bool
) -> None:
    """Eight images of 16 patches with 3 to 6 neighbours are too few edges, unless `auto` takes any."""
    if enough:
        module = sys.modules["gnn_checkpointing.checkpointing.edge_blocks"]
        for name, value in {"WORTH_BYTES": 0, "WORTH_DEGREE": 0, "block_size": lambda *_: 100}.items():
            monkeypatch.setattr(module, name, value)
    images = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    plain = build_vig("ti", SMALL, seed=1)
    expected = step(copy.deepcopy(plain), images)
    model = apply(copy.deepcopy(plain))
    found = step(model, images)
    assert largest_block_edges(model) == (96 if enough else None)
    largest = max(float(value.double().norm()) for value in expected.values())
    for name, value in expected.items():
        assert float((found[name].double() - value.double()).norm()) <= 1e-5 * largest, name


class Summing(nn.Module):
    """A user's layer, whose method has the same name and another task."""

    def forward(self, x: Tensor) -> Tensor:
        return self.aggregated(x)

    def aggregated(self, x: Tensor) -> Tensor:
        return x.sum(0)


def test_auto_leaves_another_method_of_that_name_alone() -> None:
    assert apply(Summing())(torch.ones(2, 3)).tolist() == [2.0, 2.0, 2.0]


def test_scores_have_the_shape_of_the_task() -> None:
    images = torch.rand(2, 3, 64, 64)
    assert build_vig("ti", SMALL, 0)(images).shape == (2, 5)
    assert build_vig("ti", replace(SMALL, task="patches"), 0)(images).shape == (2, 16, 5)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: build_vig("ti", VigOptions(image=100), 0), "image 100: allowed are multiples of 16"),
        (lambda: build_vig("ti", VigOptions(image=32, k=9), 0), "an image has 4 patches"),
        (lambda: build_vig("ti", SMALL, 0)(torch.rand(1, 3, 32, 32)), r"shape \[1, 3, 32, 32\]: this ViG takes"),
    ],
)
def test_impossible_sizes_are_refused(call: Callable[[], object], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        call()


def test_weights_in_the_published_layout_are_loaded(tmp_path: Path) -> None:
    trained = build_vig("ti", SMALL, seed=5)
    content = {f"module.{name}": tensor for name, tensor in trained.state_dict().items()}
    torch.save({"state_dict": {**content, "module.backbone.0.0.relative_pos": torch.zeros(1)}}, tmp_path / "vig.pth")
    model = build_vig("ti", SMALL, seed=6)
    load_weights(model, tmp_path / "vig.pth")
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), trained.parameters(), strict=True))
    names = set(trained.state_dict())
    published = ("stem.convs.12.weight", "backbone.0.0.graph_conv.gconv.nn.0.weight", "backbone.11.1.fc2.1.running_var")
    assert {*published, "prediction.4.bias", "pos_embed", "backbone.3.0.fc1.0.bias"} <= names


def small(**options: int) -> dict[str, Tensor]:
    return build_vig("ti", replace(SMALL, **options), seed=0).state_dict()


FOREIGN: dict[str, tuple[Callable[[], object], str]] = {
    "another model": (lambda: nn.Linear(2, 2).state_dict(), "no pos_embed in it"),
    "another size": (lambda: small(classes=7), r"prediction\.4\.weight has shape"),
    "a weight more": (lambda: {**small(), "head.weight": torch.zeros(2)}, "head.weight is none of this model's"),
    "a list": (lambda: [torch.zeros(2)], "holds list"),
    "code that it would run": (lambda: {"state_dict": SMALL}, "not a file of weights alone"),
}


@pytest.mark.parametrize("name", [*FOREIGN, "text", "nothing"])
def test_foreign_weights_are_refused_by_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "vig.pth"
    content, said = FOREIGN.get(name, (None, "no such file" if name == "nothing" else "not a file of weights alone"))
    if content:
        torch.save(content(), path)
    elif name == "text":
        path.write_text("weights")
    with pytest.raises(Refusal, match=said):
        load_weights(build_vig("ti", SMALL, seed=0), path)


@as_often_as_asked
@given(st.sampled_from(DAMAGES), st.integers(0, 2**32), st.booleans())
def test_any_damage_to_weights_is_weights_or_one_sentence(
    tmp_path: Path, damage: Damage, seed: int, zipped: bool
) -> None:
    """In either form in which torch saves: the older one is a pickle as a whole."""
    stream, path = io.BytesIO(), tmp_path / "damaged.pth"
    torch.save({"prediction.4.weight": torch.zeros(2, 3)}, stream, _use_new_zipfile_serialization=zipped)
    path.write_bytes(damage(stream.getvalue(), random.Random(seed)))
    assert_graph_or_sentence(lambda: classes_of(path))
