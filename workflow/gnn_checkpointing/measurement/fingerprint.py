"""What a measurement depends on, as digests: the sources that measure, and the libraries they run on (torch-free)."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import platform
from pathlib import Path

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.records.record import SCHEMA_VERSION
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.study import Study

_PACKAGE = Path(__file__).resolve().parent.parent
_SOURCES = {
    "graphs": (
        "graphs",
        "records/graph_facts.py",
        "records/record.py",
        "study/families.py",
        "study/graph_design.py",
        "study/graph_entries.py",
        "study/vision_shapes.py",
    ),
    "measuring": (
        "measurement",
        "checkpointing",
        "models",
        "analysis/bootstrap.py",
        "study/block_rule.py",
        "study/policy_names.py",
        "study/vision_shapes.py",
    ),
    "training": ("training", "checkpointing", "models", "study/block_rule.py", "study/policy_names.py"),
    "encoding": ("graphs/ego", "measurement/encoding_cost.py"),
    "explaining": ("explaining", "models/vision", "records/explained.py", "study/vision_shapes.py"),
    "collecting": (
        "collecting",
        "analysis/bootstrap.py",
        "measurement/byte_trace.py",
        "measurement/drift.py",
        "measurement/ratios.py",
        "records",
        "study/vision_shapes.py",
    ),
    "demonstrating": (
        "measurement/demonstrate.py",
        "measurement/demonstrated_step.py",
        "measurement/high_water.py",
        "measurement/peak_memory.py",
        "records/demonstration.py",
        "records/record.py",
    ),
    "analysis": ("analysis", "records"),
    "claims": ("claims", "analysis", "study/policy_names.py", "sourced.py"),
    "audit": (
        "audit",
        "claims/ledger.py",
        "analysis",
        "records",
        "study/design.py",
        "study/graph_design.py",
        "study/policy_names.py",
    ),
    "planning": (
        "planning",
        "analysis",
        "records/graph_facts.py",
        "records/record.py",
        "study/block_rule.py",
        "study/policy_names.py",
    ),
    "report": (
        "report",
        "planning",
        "records",
        "study/policy_names.py",
        "measurement/readings.py",
        "analysis",
        "audit/grades.py",
        "claims/ledger.py",
        "claims/rules.py",
        "graphs/structure.py",
        "sourced.py",
    ),
}
# Files of a measuring room that measure nothing: editing them must not measure again.
_NOT_MEASURING = {
    "encoding_cost.py",
    "demonstrate.py",
    "demonstrated_step.py",
    "fingerprint.py",
    "hardware.py",
    "host.py",
    "progress.py",
    "settings.py",
    "step_trace.py",
    "own.py",
}
_KINDS = ("py", "cpp", "h")
"""Endings of sources: Python's, and those of the kernels that are compiled at first use."""
_LIBRARIES = ("torch", "torch-geometric", "numpy")


def code_fingerprint(part: str) -> str:
    """Return a digest of the sources of one part of the pipeline: their content, not their dates."""
    content = hashlib.sha256()
    for name in _SOURCES[part]:
        place = _PACKAGE / name
        files = [place] if place.is_file() else sorted(file for kind in _KINDS for file in place.rglob(f"*.{kind}"))
        for file in files:
            if part == "measuring" and file.name in _NOT_MEASURING:
                continue
            content.update(str(file.relative_to(_PACKAGE)).encode() + b"\0" + file.read_bytes() + b"\0")
    return content.hexdigest()[:12]


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that decide what is measured."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES} | {"python": platform.python_version()}


def cell_fingerprint(study: Study, cell: Cell, graph_sha256: str) -> str:
    """Return a digest of everything that a cell's record depends on; a record with another one is stale."""
    return digest(
        [
            SCHEMA_VERSION,
            dataclasses.asdict(cell) | {"architecture": cell.architecture.model_dump(mode="json")},
            list(study.policies),
            study.measurement.model_dump(mode="json", exclude={"repeats"}),
            graph_sha256,
            code_fingerprint("measuring"),
            library_versions(),
        ]
    )


def measuring_settings(study: Study) -> str:
    """Return a digest of what every measuring job of the study depends on besides its graph."""
    return digest(
        [
            study.architecture.model_dump(mode="json"),
            list(study.policies),
            study.measurement.model_dump(mode="json", exclude={"repeats"}),
            study.seed,
            code_fingerprint("measuring"),
            library_versions(),
        ]
    )
