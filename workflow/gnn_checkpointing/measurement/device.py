"""CPU or CUDA: choice of the device, PyTorch's settings on it, synchronisation, and the memory limit of a cell.

The limit is compared with the counted peak, so that a policy exceeds it at the same byte every time. The memory that
the process takes from the system would be no such measure, since a heap that keeps freed memory is fragmented. A second
limit on the process itself protects the machine.
"""

import os
import resource
import sys
from pathlib import Path
from typing import Literal

import torch

from gnn_checkpointing.records.cell import Accelerator
from gnn_checkpointing.refusal import Refusal

_DEFAULT_SHARE = 0.9


def chosen_device(asked: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Device that a study asks for; `auto` takes CUDA if available."""
    available = torch.cuda.is_available()
    if asked == "cuda" and not available:
        raise Refusal("measurement.device is cuda, but torch finds no CUDA device here; use auto or cpu")
    # The first device that CUDA_VISIBLE_DEVICES shows. Asking for the current one would initialise CUDA, and we look
    # for other processes on the device before that.
    return torch.device("cuda", 0) if available and asked != "cpu" else torch.device("cpu")


def full_precision(device: torch.device) -> None:
    """Use full float32 for matrix products and convolutions on CUDA, whose default for convolutions is TF32.

    With TF32 (10 bits of mantissa), policies would differ by rounding more than the tolerance of sameness allows. This
    is the older of PyTorch's two interfaces: it sets both, and the two must not contradict each other.
    """
    if device.type == "cuda":
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False


def accelerator(device: torch.device) -> Accelerator | None:
    """Description of a CUDA device for the record; None for the CPU."""
    if device.type != "cuda":
        return None
    found = torch.cuda.get_device_properties(device)
    return Accelerator(
        name=found.name,
        memory_bytes=int(found.total_memory),
        compute_capability=f"{found.major}.{found.minor}",
        cuda=str(torch.version.cuda or torch.version.hip),
        allocator=f"{torch.cuda.get_allocator_backend()}, {os.environ.get('PYTORCH_ALLOC_CONF', 'as it comes')}",
        tf32=torch.backends.cudnn.allow_tf32 or torch.get_float32_matmul_precision() != "highest",
    )


def finish(device: torch.device) -> None:
    """Wait until the device has finished all queued work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def memory_limit(device: torch.device, limit_gib: float | None) -> int:
    """Memory limit in bytes: `limit_gib`, or 90 % of the device's memory."""
    return int(_DEFAULT_SHARE * _total(device) if limit_gib is None else limit_gib * 2**30)


def spread_net(device: torch.device) -> None:
    """Let this process grow by at most 90 % of the device's memory, so that running out raises an exception here.

    On CPU this limits the address space, beyond what the idle process already has. CUDA reserves far more address space
    than it uses, so there the caching allocator is limited. A lower limit set before the process started is kept.
    """
    if device.type == "cuda":
        torch.cuda.set_per_process_memory_fraction(_DEFAULT_SHARE, device)
    elif sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        ceiling = pages * resource.getpagesize() + int(_DEFAULT_SHARE * _total(device))
        given = [limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min([ceiling, *given]),) * 2)


def _total(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
