"""The numbers at a claim's evidence, read by the same derivation that checks those of a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gnn_checkpointing.analysis.results import Estimate
from report.derivation import Derivation, Piece


def values_at(folder: Path, evidence: str) -> list[float]:
    """Every number that the evidence names, in its order; `folder` is the one that has `analysis/`."""
    return [_number(value) for value in Derivation(folder).values(Piece("", evidence, "", ""))]


def _number(value: Any) -> float:
    return float(value.estimate if isinstance(value, Estimate) else value)
