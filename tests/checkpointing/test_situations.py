"""Layers of every kind in every situation under every policy: as without a policy, or refused by name."""

import copy
import gc
import re
import weakref
from functools import cache
from typing import Any

import pytest
import situations_of_hooks  # noqa: F401 - registers
import situations_of_models  # noqa: F401 - registers
import situations_of_users  # noqa: F401 - registers
import torch
from situations import SITUATIONS, loss_of, trained
from situations_of_graphs import changed_in_place
from small_inputs import EDGES, PAIR, PAIR_EDGES, C, X
from small_layers import LAYERS, TwoBlocks, built, gradients
from steps_compared import alike, difference, seed_all, step, tensors_in, under
from torch import nn
from torch_geometric import nn as pyg

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.refusal import Refusal

ALWAYS = "auto, always worth it"
POLICIES = ("edge_blocks(8)", "fused_edge_blocks", "layers", "layers+edge_blocks(8)", "selective", "auto")
BLOCKS = ("edge_blocks(8)", "layers+edge_blocks(8)")
each_policy = pytest.mark.parametrize("policy", POLICIES)
pytestmark = pytest.mark.usefixtures("compiler")
FEW = {
    **dict.fromkeys(("compiled afterwards", "exported by dynamo"), ("GAT",)),
    "a hook that is removed": ("GAT",),
    **dict.fromkeys(("exported", "one model in four threads", "gradients for each sample"), ("SAGE", "GAT")),
    "edges made in inference mode": ("GCN", "GAT"),  # other layers save them for the backward pass, which raises
    # GIN and EdgeConv save no features, so only a policy, not the plain layer, notices that they have changed.
    "features changed between the passes": tuple(name for name in LAYERS if name not in {"GIN", "EdgeConv"}),
}
"""Situations tried with some layers only: they take long, or do not apply to others."""
WHOLE = ("an optimiser inside the backward pass",)
"""Situations in which every layer is tried under every policy."""

EVERY_POLICY = (*POLICIES, ALWAYS)
# Covers all pairs of situation, layer and policy. A second policy for each situation and layer takes minutes.
RUNS = [
    pytest.param(what, name, policy, marks=pytest.mark.minutes if turn and not whole and many else ())
    for row, (what, names) in enumerate((what, FEW.get(what, tuple(LAYERS))) for what in SITUATIONS)
    for whole, many in [(len(names) <= 2 or what in WHOLE, len(names) >= len(EVERY_POLICY))]
    for column, name in enumerate(names)
    for place, policy in enumerate(EVERY_POLICY)
    for turn in [(place - row - column) % len(EVERY_POLICY)]
    if whole or turn in (0, 3)
]
TWICE = ("a gradient of a gradient", "weights that a step has made", "products with hessians")
LATE = ("another message after a step", "another network after a step", "an attention vector that is pruned")
MAY_REFUSE = dict.fromkeys(TWICE, ("selective",)) | dict.fromkeys(LATE, (*BLOCKS, "fused_edge_blocks"))
"""Situations in which a policy may refuse."""


def blocks(name: str) -> nn.Module:
    return built(lambda: TwoBlocks(LAYERS[name], 0.5))


@cache
def of_the_plain_model(what: str, name: str) -> Any:
    """Result of a situation without a policy, or the type of its error."""
    plain = blocks(name)
    seed_all(3)
    try:
        return SITUATIONS[what](plain)
    except Exception as error:
        return type(error)


@pytest.mark.filterwarnings(
    "ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)
@pytest.mark.parametrize(("what", "name", "policy"), RUNS)
def test_is_exact(what: str, name: str, policy: str, request: pytest.FixtureRequest) -> None:
    """If the plain model raises, so does the model under a policy, for the same reason."""
    if policy == ALWAYS:
        request.getfixturevalue("always_worth_it")
    wrapped, expected = under("auto" if policy == ALWAYS else policy, blocks(name)), of_the_plain_model(what, name)
    if isinstance(expected, type):
        seed_all(3)
        with pytest.raises((expected, Refusal)):
            SITUATIONS[what](wrapped)
        return
    seed_all(3)
    try:
        found = SITUATIONS[what](wrapped)
    except Refusal:
        assert policy in MAY_REFUSE.get(what, ())
        return
    largest = max((t.nan_to_num(0, 0, 0).abs().max().item() for t in tensors_in(expected) if t.numel()), default=1.0)
    alike(found, expected, largest)


@each_policy
@pytest.mark.parametrize("name", LAYERS)
def test_half_precision_on_a_cpu_rounds_as_without_a_policy(name: str, policy: str) -> None:
    """A sum of n bfloat16 numbers in another order differs by a few 2^-8 of their size."""
    found = []
    for model in (blocks(name).eval(), under(policy, blocks(name)).eval()):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(X, EDGES)
        out.float().square().mean().backward()
        found.append((out, gradients(model)))
    assert found[0][0].dtype == found[1][0].dtype
    torch.testing.assert_close(found[1][0], found[0][0], rtol=0.05, atol=0.05)
    scale = max(gradient.norm() for gradient in found[0][1])
    for value, expected in zip(found[1][1], found[0][1], strict=True):
        assert value.dtype == expected.dtype
        assert (value - expected).norm() <= 0.05 * scale


@each_policy
@pytest.mark.parametrize("name", LAYERS)
def test_a_graph_changed_before_the_backward_pass_raises_or_counts_as_it_was(name: str, policy: str) -> None:
    plain = blocks(name).eval()
    wrapped, edges, x = under(policy, plain), EDGES.clone(), X.clone().requires_grad_()
    loss = loss_of(wrapped, x, edges)
    changed_in_place(edges)
    try:
        loss.backward()
    except RuntimeError:
        return
    torch.testing.assert_close(x.grad, trained(plain)[1], rtol=1e-4, atol=1e-5)


@each_policy
def test_tables_go_with_their_graph(policy: str) -> None:
    wrapped, edges = under(policy, blocks("SAGE")), EDGES.clone()
    step(wrapped, (X, edges))
    alive = weakref.ref(edges)
    del edges
    gc.collect()
    assert alive() is None


@each_policy
def test_a_destination_beyond_those_of_a_pair_raises(policy: str) -> None:
    edges = PAIR_EDGES.clone()
    edges[1, 0] = len(PAIR[1])  # valid as a source, but not as a destination
    with pytest.raises((IndexError, RuntimeError, ValueError)):
        under(policy, pyg.SAGEConv((C, C), C))(PAIR, edges)


@each_policy
@pytest.mark.parametrize("layer", [pyg.GCNConv, pyg.SGConv])
def test_a_cached_normalisation_is_made_once_and_kept(layer: type, policy: str) -> None:
    """`cached=True`: later steps use the first graph, whatever graph they get."""
    torch.manual_seed(0)
    plain = layer(C, C, cached=True)
    wrapped = under(policy, plain)
    for edges in (EDGES, EDGES.flip(0)):
        assert difference(step(plain, (X, edges), raw=True), step(wrapped, (X, edges), raw=True)) == ""
    plain.reset_parameters()
    wrapped.reset_parameters()
    wrapped.load_state_dict(plain.state_dict())
    args = (X, EDGES.flip(0))
    assert difference(step(plain, args, raw=True), step(wrapped, args, raw=True)) == ""


@each_policy
@pytest.mark.parametrize("name", ["SAGE", "GCN"])
def test_a_model_compiled_before_is_exact_or_refused(name: str, policy: str) -> None:
    plain = blocks(name).eval()
    try:
        compiled = apply(torch.compile(copy.deepcopy(plain), backend="aot_eager"), policy)
        found = step(compiled, (X, EDGES))
    except Refusal:
        assert policy != "auto"
        return
    finally:
        torch._dynamo.reset()
    found = {key.replace("_orig_mod.", ""): value for key, value in found.items()}
    assert difference(step(plain, (X, EDGES)), found) == ""


@each_policy
def test_weights_of_another_precision_are_named(policy: str) -> None:
    """The backward pass of a recomputed layer needs unchanged weights."""
    model = apply(blocks("GATv2"), policy)
    loss = loss_of(model)
    model.double()
    if policy == "auto":  # it recomputes nothing on a graph as small as this
        return loss.backward()
    with pytest.raises(RuntimeError, match=r"the weight '.*' of \w+ was changed in place between its forward and its"):
        loss.backward()
    return None


@pytest.mark.parametrize("policy", ["layers", *BLOCKS])
@pytest.mark.parametrize("name", ["SAGE", "GATv2"])
def test_weights_that_get_other_data_before_the_backward_pass_are_the_old_ones_in_it(name: str, policy: str) -> None:
    """Such as a moving average that is swapped in: the gradient is that of the computed function."""
    plain = blocks(name).eval()
    wrapped = under(policy, plain)
    loss_of(plain).backward()
    loss = loss_of(wrapped)
    for weight in wrapped.parameters():
        weight.data = 2 * weight.data
    loss.backward()
    alike([w.grad for w in wrapped.parameters()], [w.grad for w in plain.parameters()], 1.0)


@each_policy
def test_replicas_and_scripts_are_refused(policy: str) -> None:
    """Each replica of DataParallel has its own weights, but a policy's methods would read the first one's."""
    model = apply(blocks("SAGE"), policy)
    with pytest.raises(Refusal, match=r"replicas of torch.nn.DataParallel would compute with the first one's weights"):
        model._replicate_for_data_parallel()
    with pytest.raises(Refusal, match=rf"{re.escape(policy)}: torch\.jit\.script cannot compile .*remove the policy"):
        torch.jit.script(model)
    with pytest.raises(Refusal, match=r"torch\.jit\.script cannot compile"):
        torch.jit.script(nn.Sequential(nn.ReLU(), model))
