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

from gnn_checkpointing.checkpointing.block_arguments import Call, Leaves, Slot, end_of
from gnn_checkpointing.checkpointing.cut_call import CutCall, Outputs, stage
from gnn_checkpointing.checkpointing.eager_blocks import EagerBlocks
from gnn_checkpointing.checkpointing.random_states import RandomStates, random_restored

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

    def gradients(
        self,
        cut: CutCall,
        kept: Outputs,
        gradients: Sequence[Tensor | None],
        wanted: Sequence[bool],
        parameters: Outputs,
    ) -> tuple[Sequence[Tensor | None], Sequence[Tensor | None]]:
        """The gradients: block by block down to the two node maps, and from there all at once."""
        ends = {position: cut.call.tensors[position] for position in {self.here, self.there}}
        with torch.enable_grad():
            leaves = [
                tensor.detach().requires_grad_(wanted[position]) if position in ends else tensor
                for position, tensor in enumerate(cut.call.tensors)
            ]
            maps = self.maps(cut.on(leaves))
        rest = _after_first(cut, [made.detach() for made in maps])
        of_maps, of_parameters = EagerBlocks().gradients(
            rest, kept, gradients, [made.requires_grad for made in maps], parameters
        )
        pairs = [(made, g) for made, g in zip(maps, of_maps, strict=True) if g is not None]
        asked = [leaves[position] for position in ends if wanted[position]]
        if not pairs or not (asked or parameters):
            return [None] * len(wanted), of_parameters
        outs, rows = zip(*pairs, strict=True)
        found = iter(torch.autograd.grad(outs, [*asked, *parameters], rows, allow_unused=True))
        of_ends = {position: next(found) for position in ends if wanted[position]}
        return [of_ends.get(position) for position in range(len(wanted))], [
            _sum(one, other) for one, other in zip(of_parameters, found, strict=True)
        ]

    def agrees(self, cut: CutCall) -> bool:
        """Whether both ways give the first block's nodes the same aggregates, with the same random numbers."""
        block, states = cut.blocks[0], RandomStates.now(cut.edges.pointer.device)
        with torch.no_grad():
            pairs = []
            for way in (cut, _after_first(cut, self.maps(cut))):
                with random_restored(states):
                    pairs.append(stage(way, way.reader(), block, way.edges.ends(block), Leaves()))
        return all(bool((b - a).norm() <= TOLERANCE * a.norm()) for a, b in zip(*pairs, strict=True))

    def maps(self, cut: CutCall) -> list[Tensor]:
        """The two node maps whose sum is the first linear map of an edge: of its destination, and of its source."""
        first, tensors = cut.conv.nn[0], cut.call.tensors
        of_node, of_difference = first.weight.chunk(2, dim=1)
        here = nn.functional.linear(tensors[self.here], of_node - of_difference, first.bias)
        return [here, nn.functional.linear(tensors[self.there], of_difference)]


def edge_mlp_blocks(cut: CutCall) -> EdgeMlpBlocks | None:
    """What computes this call with the first linear map on nodes; None where it is none of the layers known here."""
    conv, call = cut.conv, cut.call
    own = vars(conv).keys() & {"message", "aggregate"} or type(conv).aggregate is not MessagePassing.aggregate
    own = own or type(conv).message not in _MESSAGES or call.edge_values is not None
    first = None if own else _first(conv)
    if first is None or torch.is_autocast_enabled(cut.edges.pointer.device.type):
        return None
    slots = [end_of(conv, call.values.get("x"), end) for end in "ij"]
    if not all(isinstance(slot, Slot) for slot in slots):
        return None
    found = EdgeMlpBlocks(slots[0].position, slots[1].position)
    rows = [call.tensors[position] for position in (found.here, found.there)]
    if any(r.dim() != 2 or r.dtype != first.weight.dtype or 2 * r.size(1) != first.in_features for r in rows):
        return None
    return found


def _first(conv: Any) -> nn.Linear | None:
    """The linear map at the beginning of the layer's MLP."""
    mlp = conv.nn
    if type(mlp) is not nn.Sequential or len(mlp) < 2 or type(mlp[0]) is not nn.Linear:
        return None
    return None if "forward" in vars(mlp[0]) else mlp[0]


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
    return replace(cut, conv=rest, call=Call(tuple(maps), {"p": Slot(0), "q": Slot(1)}, None, None), roles={})


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    return other if one is None else one if other is None else one + other
