"""Which machine of a cluster this is, and whether it is of the type that its study's results are from (torch-free)."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnn_checkpointing.artefacts import digest, read_json
from gnn_checkpointing.measurement.hardware import hardware_record
from gnn_checkpointing.records.machine import Host
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.study import Study

_SAME_MEMORY = 0.05
"""Relative: machines of one type leave their systems a little more or less."""


def this_host(study: Study) -> Host:
    """Return the machine that this process runs on; SLURM's name of a node comes before the system's."""
    facts = facts_by_name(hardware_record(study))
    name = os.environ.get("SLURMD_NODENAME") or platform.node()
    fields = {field: facts[field] for field in ("processor", "cores", "memory", "accelerator")}
    return Host(id=digest(name, 8), **fields)


def facts_by_name(hardware: Any) -> dict[str, str]:
    """Return the facts of a `hardware.json`."""
    return {str(fact["name"]): str(fact["value"]) for fact in hardware["facts"]}


def differences(host: Host, facts: Mapping[str, str], device: str) -> list[str]:
    """Return what tells `host` from the type of machine that `facts` describe; nothing where it is of that type.

    An accelerator counts where the study may measure on one.
    """
    fields = ["processor", "cores", *([] if device == "cpu" else ["accelerator"])]
    found = [
        f"{field} {getattr(host, field)}, not {facts.get(field)}"
        for field in fields
        if getattr(host, field) != facts.get(field)
    ]
    if not _same_memory(host.memory, facts.get("memory", "")):
        found.append(f"memory {host.memory}, not {facts.get('memory')}")
    return found


def refuse_another_type(host: Host, hardware_file: Path, device: str) -> None:
    """Refuse to measure on `host` where `hardware_file` describes another type of machine."""
    try:
        facts = facts_by_name(read_json(hardware_file))
    except (KeyError, TypeError) as error:
        raise Refusal(f"{hardware_file}: {error!r}; it needs facts, a list of name and value; delete it") from None
    told = differences(host, facts, device)
    if told:
        raise Refusal(
            f"{hardware_file}: this machine is of another type ({'; '.join(told)}), and one study's results are of "
            "one type: keep measuring jobs on it (`constraint` in profiles/slurm/config.yaml), or give this type "
            "results of its own (hardware.slug in the study)"
        )


def _same_memory(one: str, other: str) -> bool:
    """Tell whether two sizes such as "23.6 GiB" are those of one type of machine."""
    try:
        sizes = sorted(float(text.split()[0]) for text in (one, other))
    except (IndexError, ValueError):
        return one == other
    return sizes[1] - sizes[0] <= _SAME_MEMORY * sizes[1]
