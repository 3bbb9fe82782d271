"""The instrument's peak of a model worked out on paper, to the byte, with and without checkpointing."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from checkpointing.small_models import bytes_of_second as measured
from gnn_checkpointing.measurement.peak_memory import resident_bytes, step_bytes
from measurement.cells import CPU

MIB = 2**20
BATCH = 4096


def three_layers() -> tuple[nn.Sequential, Tensor]:
    """x [4096, 256] -> z1 [4096, 512] -> z2 [4096, 512] -> y [4096, 128] -> sum, float32, no bias."""
    layers = nn.Sequential(
        nn.Linear(256, 512, bias=False), nn.Linear(512, 512, bias=False), nn.Linear(512, 128, bias=False)
    )
    return layers, torch.randn(BATCH, 256)


def test_three_linear_layers() -> None:
    """Bytes: z1 and z2 are 4096 x 512 x 4 = 8 MiB each, y 4096 x 128 x 4 = 2 MiB, the loss 4.

    Saved at the end of forward: z1 + z2 (inputs of layers 2 and 3; x is resident, `sum` keeps no y) + loss
    = 16 MiB + 4.

    Backward of the last layer: the root gradient (4), the gradient of W3, 128 x 512 x 4 = 0.25 MiB, the gradient
    of z2 (8 MiB), and the contiguous copy of y's expanded gradient that the product reads (2 MiB):
    peak = 16 + 0.25 + 8 + 2 MiB + 8.

    Afterwards z2 and the copy are released; the second layer adds the gradients of W2 (1 MiB) and z1 (8 MiB):
    8 + 8 + 8 + 0.25 + 1 = 25.25 MiB, which is lower.
    """
    layers, x = three_layers()
    found = measured(layers, lambda: layers(x).sum())
    assert found.saved == 16 * MIB + 4
    assert found.peak == 16 * MIB + MIB // 4 + 8 * MIB + 2 * MIB + 8


def test_three_linear_layers_with_the_first_two_checkpointed() -> None:
    """Saved: z2, which the third layer keeps, and the loss: 8 MiB + 4. z1 is recomputed.

    Last layer: 8 (z2) + 0.25 (W3's gradient) + 8 (z2's gradient) + 2 (copy) MiB = 18.25 MiB.
    Then z2 is released and z1 recomputed; recomputation stops once z1 is there, before layer 2 runs again:
    8 (z2's gradient) + 8 (z1) + 1 (W2's gradient) + 8 (z1's gradient) + 0.25 (W3's gradient) MiB is the peak,
    with the loss and the root gradient, 4 each: 25.25 MiB + 8.
    """
    layers, x = three_layers()

    def forward() -> Tensor:
        z2 = checkpoint(layers[:2], x, use_reentrant=False, preserve_rng_state=False)
        return layers[2](z2).sum()

    found = measured(layers, forward)
    assert found.saved == 8 * MIB + 4
    assert found.peak == 25 * MIB + MIB // 4 + 8


def test_the_trace_ends_forward_at_the_saved_bytes_and_peaks_at_the_peak() -> None:
    layers, x = three_layers()
    found = measured(layers, lambda: layers(x).sum())
    trace = found.trace
    assert trace is not None
    assert trace.live_bytes.max() == found.peak
    assert trace.live_bytes[trace.forward_events - 1] == found.saved
    assert (trace.seconds[:-1] <= trace.seconds[1:]).all()
    ended = trace.forward_ended_seconds
    assert trace.seconds[trace.forward_events - 1] <= ended <= trace.seconds[trace.forward_events]
    # What remains when the step is over: the gradients, and the loss that the caller has.
    gradients = sum(parameter.numel() * 4 for parameter in layers.parameters())
    assert trace.live_bytes[-1] == gradients + 4


def test_marked_blocks_tell_what_lives_at_their_ends() -> None:
    """Before the first layer nothing, then z1, z1 + z2, z1 + z2 + y; what is measured otherwise does not change."""
    layers, x = three_layers()
    plain = measured(layers, lambda: layers(x).sum())
    found = step_bytes(lambda: layers(x).sum(), CPU, list(layers))
    trace = found.trace
    assert trace is not None
    assert trace.at_blocks() == [0, 8 * MIB, 16 * MIB, 18 * MIB]
    assert trace.within_blocks() == [8 * MIB, 16 * MIB, 18 * MIB]
    assert found == plain
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)


def test_what_generated_kernels_allocate_is_counted() -> None:
    """exp(x) and its sine keep one map of 1 MiB for backward, whatever is fused; x's gradient is another."""
    x = torch.randn(2**18, requires_grad=True)
    compiled = torch.compile(lambda x: x.exp().sin().sum(), fullgraph=True)
    for _ in range(2):
        compiled(x).backward()
        x.grad = None
    compiles = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    found = step_bytes(lambda: compiled(x), CPU)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == compiles
    assert MIB <= found.peak <= 2 * MIB + 1024


def test_the_count_is_the_same_every_time() -> None:
    layers, x = three_layers()
    assert len({measured(layers, lambda: layers(x).sum()) for _ in range(3)}) == 1


def test_views_of_one_storage_are_resident_once() -> None:
    table = torch.zeros(10, 8)
    assert resident_bytes([table, table[2:], table.t(), torch.zeros(3)]) == 10 * 8 * 4 + 3 * 4
