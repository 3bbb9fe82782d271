"""What is written down of the machine and of the CUDA device that a cell ran on."""

from __future__ import annotations

from gnn_checkpointing.records.record import Record


class Accelerator(Record):
    """The CUDA device that a cell ran on, and how PyTorch was set there.

    `cuda` is the version that PyTorch was built for; `allocator` the caching allocator's backend and settings; `tf32`
    tells whether products may round their factors to 10 bits of mantissa.
    """

    name: str
    memory_bytes: int
    compute_capability: str
    cuda: str
    allocator: str
    tf32: bool


class Host(Record):
    """The machine that a process ran on, in the words of `hardware.json`; `id` tells machines apart without a name."""

    id: str
    processor: str
    cores: str
    memory: str
    accelerator: str
