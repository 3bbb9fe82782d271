"""EdgeConv and layers with its message, `mlp([x_i, x_j - x_i])`: the first linear map is made on nodes, not on edges.

With the map's weight W = [A B] its result is (A - B) x_i + b + B x_j, a sum of two node maps; what follows in the MLP
is computed in blocks. This takes the largest product off the edges, and its three products in the backward pass too.
A trial compares both ways on the first call; where they differ, the layer keeps its own message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import DynamicEdgeConv, EdgeConv, MessagePassing

from gnn_checkpointing.checkpointing.block_arguments import Call, Slot, end_of
from gnn_checkpointing.checkpointing.block_by_block import EagerBlocks
from gnn_checkpointing.checkpointing.cut_call import CutCall, Leaves, Outputs, Sums, stage
from gnn_checkpointing.checkpointing.recomputation import RandomStates, random_restored

TOLERANCE = 1e-5
"""Of the trial: both ways round differently, by about 1e-7 in float32."""

_MESSAGES = (EdgeConv.message, DynamicEdgeConv.message)


@dataclass(frozen=True)
class EdgeMlpBlocks:
    """Blocks of a layer whose message is an MLP of both ends, from the positions of their node maps in the call."""

    here: int
    there: int
    draws = True

    def forward(self, cut: CutCall) -> tuple[Outputs, Outputs]:
        """The aggregates, joined; nothing is kept."""
        return EagerBlocks().forward(_after_first(cut, self.maps(cut)))

    def add_gradients(self, cut: CutCall, kept: Outputs, gradients: Sequence[Tensor | None], sums: Sums) -> None:
        """Add the gradients: block by block down to the two node maps, and from there all at once."""
        wanted = [position for position in {self.here, self.there} if sums.wanted[position]]
        with torch.enable_grad():
            leaves = [
                tensor.detach().requires_grad_() if position in wanted else tensor
                for position, tensor in enumerate(cut.call.tensors)
            ]
            maps = self.maps(cut.on(leaves))
        rest = _after_first(cut, [made.detach() for made in maps])
        of_maps = Sums(rest.call.tensors, [made.requires_grad for made in maps], sums.weights)
        EagerBlocks().add_gradients(rest, kept, gradients, of_maps)
        sums.add_to_weights(of_maps.of_weights)
        pairs = [(made, g) for made, g in zip(maps, of_maps.of_tensors, strict=True) if g is not None]
        if not pairs or not (wanted or sums.weights):
            return
        outs, rows = zip(*pairs, strict=True)
        asked = [*(leaves[position] for position in wanted), *sums.weights]
        found = torch.autograd.grad(outs, asked, rows, allow_unused=True)
        for position, part in zip(wanted, found, strict=False):
            sums.of_tensors[position] = part
        sums.add_to_weights(found[len(wanted) :])

    def agrees(self, cut: CutCall) -> bool:
        """Whether both ways give the first block's nodes the same aggregates, with the same random numbers."""
        block, states = cut.blocks[0], RandomStates.now(cut.edges.pointer.device)
        with torch.no_grad():
            pairs = []
            for way in (cut, _after_first(cut, self.maps(cut))):
                with random_restored(states):
                    pairs.append(stage(way, block, way.edges.ends(block), Leaves()))
        return all(bool((b - a).norm() <= TOLERANCE * a.norm()) for a, b in zip(*pairs, strict=True))

    def maps(self, cut: CutCall) -> list[Tensor]:
        """The two node maps whose sum is the first linear map of an edge: of its destination, and of its source."""
        first, tensors = cut.conv.nn[0], cut.call.tensors
        of_node, of_difference = first.weight.chunk(2, dim=1)
        here = nn.functional.linear(tensors[self.here], of_node - of_difference, first.bias)
        return [here, nn.functional.linear(tensors[self.there], of_difference)]


def edge_mlp_blocks(cut: CutCall) -> EdgeMlpBlocks | None:
    """What computes this call with the first linear map on nodes; None where it is none of the layers known here."""
    conv: Any = cut.conv
    own = vars(conv).keys() & {"message", "aggregate"} or type(conv).aggregate is not MessagePassing.aggregate
    if own or type(conv).message not in _MESSAGES or cut.call.edge_values is not None:
        return None
    mlp = conv.nn
    if type(mlp) is not nn.Sequential or len(mlp) < 2 or type(mlp[0]) is not nn.Linear or "forward" in vars(mlp[0]):
        return None
    slots = [end_of(conv, cut.call.values.get("x"), end) for end in "ij"]
    autocast = torch.is_autocast_enabled(cut.edges.pointer.device.type)
    if autocast or not all(isinstance(slot, Slot) for slot in slots):
        return None
    rows = [cut.call.tensors[slot.position] for slot in slots]
    if any(r.dim() != 2 or r.dtype != mlp[0].weight.dtype or 2 * r.size(1) != mlp[0].in_features for r in rows):
        return None
    return EdgeMlpBlocks(slots[0].position, slots[1].position)


class _Rest:
    """Stands for the layer behind its first linear map, as far as blocks ask a layer."""

    class inspector:  # noqa: N801 - a layer's attribute
        """The arguments of the methods below."""

        @staticmethod
        def get_param_names(method: str) -> list[str]:
            """By method: what `message` and `aggregate` ask for."""
            return ["p_i", "q_j"] if method == "message" else ["index", "ptr", "dim_size"]

    def __init__(self, conv: Any) -> None:
        self._conv, self.node_dim, self.flow = conv, conv.node_dim, conv.flow

    def message(self, p_i: Tensor, q_j: Tensor) -> Tensor:
        """The rest of the MLP, layer by layer."""
        return self._conv.nn[1:](p_i.add_(q_j))  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        """All else is the layer's own."""
        return getattr(self._conv, name)


def _after_first(cut: CutCall, maps: Sequence[Tensor]) -> CutCall:
    """The call as the rest of the layer sees it: its messages read the two node maps."""
    rest: Any = _Rest(cut.conv)
    return replace(cut, conv=rest, call=Call(tuple(maps), {"p": Slot(0), "q": Slot(1)}), roles={})
