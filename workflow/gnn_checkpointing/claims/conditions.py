"""Under which conditions a study tests a claim, in words drawn from what it measured."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.analyse import Findings

_DEVICES = {"cpu": "CPU", "cuda": "one CUDA device"}


def setting(findings: Findings) -> str:
    """Return device, threads, allocator and model, such as "CPU, 1 thread, allocator retaining; 4 layers of 32 ..."."""
    found, reference = findings.quality.setting, findings.frontier.reference
    device = _listed([_DEVICES.get(device, device) for device in found.devices])
    machine = [
        device or "the study's device",
        *([f"{_listed(found.threads)} thread{'s' if found.threads != [1] else ''}"] if found.threads else []),
        *([f"allocator {reference}"] if reference else []),
    ]
    return ", ".join(machine) + f"; {_model(findings)}, float32"


def _model(findings: Findings) -> str:
    found = findings.quality.setting
    if not found.num_layers:
        return "the study's models"
    model = f"{_listed(found.num_layers)} layers of {_listed(found.hidden_channels)} channels"
    return model if found.heads in ([], [1]) else f"{model}, {_listed(found.heads)} heads"


def _listed(values: Sequence[object]) -> str:
    return " or ".join(str(value) for value in values)
