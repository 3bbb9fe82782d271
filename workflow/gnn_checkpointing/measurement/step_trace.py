"""One training step as a trace for Perfetto and Chrome: forward, recomputation and backward of each layer, live bytes.

The counter is the running sum of the allocator's events, as in `peak_memory.py`. A layer's backward slices are the
autograd nodes that its forward pass made, matched by their sequence numbers; a node that recomputes also contains the
slice of that recomputation. The profiler slows the step down: its bytes are exact, its times are not measurements.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from torch import Tensor, nn
from torch.profiler import record_function

from gnn_checkpointing.checkpointing.edge_blocks import message_passing_layers
from gnn_checkpointing.checkpointing.explanation import explain
from gnn_checkpointing.checkpointing.recomputation import Recomputation
from gnn_checkpointing.measurement.peak_memory import no_garbage, profiled

COUNTER = "activation bytes"
_PREFIX = "gnn_checkpointing:"
_NODE = "autograd::engine::evaluate_function: "


@dataclass(frozen=True)
class _Slice:
    """Part of a step from `begin` to `end`, in nanoseconds; `kind` is forward, recompute or backward."""

    kind: str
    layer: str
    begin: int
    end: int


def step_trace(model: nn.Module, forward: Callable[[], Tensor]) -> dict[str, Any]:
    """Trace one step: `forward`, which runs `model` and returns a loss, and its backward pass.

    The `args` of a slice hold the live bytes at its begin and end; those of a forward slice also the layer's policy and
    the reason for it. The model must have run before: memory that a first step leaves behind would count as the step's.
    """
    layers = message_passing_layers(model)
    names = {id(part): name or "model" for name, part in model.named_modules()}
    with no_garbage(), _marked(layers, names):
        loss, first, *_ = profiled(forward)
        _, second, *_ = profiled(loss.backward)
    events = [*first, *second]
    start, forward_events = events[0].start_ns(), len(first)
    moments, live, saved = [start], [0], 0
    for number, event in enumerate(events):
        if event.name() == "[memory]":
            moments.append(event.start_ns())
            live.append(live[-1] + event.nbytes())
            saved = live[-1] if number < forward_events else saved
    marked = [event for event in events if event.name().startswith(_PREFIX)]
    kinds = [event.name().split(":", 2)[1:] for event in marked]
    marks = [_Slice(kind, layer, one.start_ns(), _end(one)) for one, (kind, layer) in zip(marked, kinds, strict=True)]
    slices = [*marks, *_backward(events, [mark for mark in marks if mark.kind == "forward"])]
    explained = {row.name or "model": row for row in explain(model).layers}

    def live_at(moment: int) -> int:
        return live[max(0, bisect_right(moments, moment) - 1)]

    def drawn(one: _Slice) -> dict[str, Any]:
        args: dict[str, Any] = {"bytes_before": live_at(one.begin), "bytes_after": live_at(one.end)}
        if one.kind == "forward" and one.layer in explained:
            args |= {"policy": explained[one.layer].policy, "reason": explained[one.layer].reason}
            args["saved_bytes"] = args["bytes_after"] - args["bytes_before"]
        place = {"pid": 1, "tid": 1, "ts": (one.begin - start) / 1000, "dur": (one.end - one.begin) / 1000}
        return {"name": f"{one.layer} {one.kind}", "cat": one.kind, "ph": "X", **place, "args": args}

    counter = [
        {"name": COUNTER, "ph": "C", "pid": 1, "ts": (moment - start) / 1000, "args": {"bytes": value}}
        for moment, value in zip(moments, live, strict=True)
    ]
    named = {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": f"a step of {type(model).__name__}"}}
    return {
        "traceEvents": [named, *map(drawn, sorted(slices, key=lambda one: (one.begin, -one.end))), *counter],
        "displayTimeUnit": "ms",
        "otherData": {"saved_activation_bytes": saved, "activation_bytes": max(live)},
    }


def _end(event: Any) -> int:
    end: int = event.start_ns() + event.duration_ns()
    return end


@contextmanager
def _marked(layers: list[Any], names: dict[int, str]) -> Iterator[None]:
    """Mark each layer's forward pass and each recomputation for the profiler."""
    open_marks: list[Any] = []

    def enter(name: str, *_: Any) -> None:
        open_marks.append(record_function(f"{_PREFIX}forward:{name}"))
        open_marks[-1].__enter__()

    def leave(*_: Any) -> None:
        open_marks.pop().__exit__(None, None, None)

    original = Recomputation.again

    def again(state: Recomputation, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with record_function(f"{_PREFIX}recompute:{names.get(id(state._module), 'model')}"):
            return original(state, function, *args, **kwargs)

    with ExitStack() as stack:
        for layer in layers:
            stack.callback(layer.register_forward_pre_hook(partial(enter, names[id(layer)])).remove)
            stack.callback(layer.register_forward_hook(leave).remove)
        stack.callback(setattr, Recomputation, "again", original)
        Recomputation.again = again  # type: ignore[method-assign,assignment]
        yield


def _backward(events: list[Any], forwards: list[_Slice]) -> Iterator[_Slice]:
    """Slices of each layer's backward pass: consecutive autograd nodes of one layer are joined."""
    owners: dict[int, str] = {}
    nodes = []
    for event in events:
        if not event.name().startswith(_NODE):
            inside = [one for one in forwards if one.begin <= event.start_ns() < one.end]
            if inside and event.sequence_nr() >= 0:
                owners.setdefault(event.sequence_nr(), inside[-1].layer)
        elif "AccumulateGrad" not in event.name():
            nodes.append(event)
    for layer, joined in groupby(nodes, key=lambda event: owners.get(event.sequence_nr())):
        if layer is not None:
            found = list(joined)
            yield _Slice("backward", layer, found[0].start_ns(), max(map(_end, found)))
