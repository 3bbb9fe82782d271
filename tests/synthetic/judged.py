"""Hand-made conclusions of a study: claims with every verdict, and an audit with every answer."""

from typing import Any

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Claim, Ledger
from gnn_checkpointing.report.grades import Audit, Check, graded

from .results import made
from .results import within as estimate


def ledger() -> Ledger:
    """A claim with each verdict."""
    effects_file, of_time = "analysis/effects.json: generated", "difference of time ratios"
    flat, third, noise = estimate(12.0, 0.1), estimate(1.42, 0.02), Estimate(estimate=-0.02, low=-0.08, high=0.05)
    rows: list[tuple[Any, ...]] = [
        ("flat-memory", "supported", "With edge_blocks the activation memory of GATv2 no longer grows with density.",
         "supported where the interval of bytes per edge lies within ±16", "12.0 lies within the bound", "this study",
         "bytes per edge", flat, "analysis/regressions.json: laws[GATv2, edge_blocks].per_edge", "bytes"),
        ("a-third", "refuted", "Checkpointing costs a third of the step time.",
         "refuted where the interval excludes 1.33", "the interval lies above 1.33", "folk knowledge",
         "time ratio", third, effects_file),
        ("noise", "inconclusive", "edge_blocks is faster than layers.",
         "supported where the interval of the difference excludes 0", "the interval contains 0", "this study",
         of_time, noise, effects_file),
        ("cuda", "untested", "The saving is the same on a GPU.",
         "needs a CUDA machine", "this machine has no CUDA device", "SAR, MLSys 2022"),
    ]  # fmt: skip
    keys = ("id", "verdict", "sentence", "rule", "reason", "source", "quantity", "estimate", "evidence", "unit")
    claims = [claim(**dict(zip(keys, row, strict=False))) for row in rows]
    return Ledger(study="default", hardware="laptop", confidence=0.95, claims=claims)


def claim(id: str, verdict: str, **fields: Any) -> Claim:
    return made(Claim, id=id, verdict=verdict, **{"source": "this study", "convolution": "", "policy": "", **fields})


def audit() -> Audit:
    """An audit with a check that passed, one that failed and one that does not apply."""
    rows: list[tuple[Any, ...]] = [
        ("cells-alone", "Was each cell alone on the machine?", "No cell began before an earlier one had ended.",
         True, "0 of 108 cells overlapped another", "measurements.csv: started, ended"),
        ("machine-steady", "Was the machine steady?", "In the median cell a fixed workload drifted by at most 5 %.",
         False, "median drift: 5.607 %, at most 5 % allowed", "analysis/quality.json: sentinel_drift.median"),
        ("real-time", "Is time on real graphs predicted?", "The laws of step time are at most 10 % off in the median.",
         None, "", "", "no real graph lies within what a law was fitted on"),
    ]  # fmt: skip
    keys = ("id", "question", "rule", "passed", "found", "evidence", "needs")
    return graded("default", "laptop", [made(Check, **dict(zip(keys, row, strict=False))) for row in rows])
