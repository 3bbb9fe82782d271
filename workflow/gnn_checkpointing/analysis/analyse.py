"""The whole analysis: from the measured rows to six results, and these to and from their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from gnn_checkpointing.analysis.results import Accuracy, Effects, Frontier, Quality, Regressions, Variants
from gnn_checkpointing.artefacts import read_json, write_json
from gnn_checkpointing.measurements_table import Value
from gnn_checkpointing.records import TrainingRecord
from gnn_checkpointing.refusal import Refusal

Read = TypeVar("Read")


@dataclass(frozen=True)
class Findings:
    """What the analysis found; each field is one file of the analysis folder."""

    effects: Effects
    regressions: Regressions
    frontier: Frontier
    variants: Variants
    accuracy: list[Accuracy]
    quality: Quality


def analyse(
    rows: Sequence[Mapping[str, Value]],
    trainings: Sequence[TrainingRecord],
    *,
    reference_allocator: str,
    confidence: float,
    resamples: int,
    ratio_half_width: float,
    seed: int,
) -> Findings:
    """Return all findings of one table; the same input gives the same output to the last digit.

    Everything but the frontier's comparison of allocators is found under `reference_allocator` alone.
    """
    # Imported here: reading findings back needs no statistics, and statsmodels takes a second to import.
    from gnn_checkpointing.analysis.accuracy import accuracies
    from gnn_checkpointing.analysis.checks import check_reference
    from gnn_checkpointing.analysis.effects import effects
    from gnn_checkpointing.analysis.frontier import frontier
    from gnn_checkpointing.analysis.interaction import interactions
    from gnn_checkpointing.analysis.quality import quality
    from gnn_checkpointing.analysis.regression import laws
    from gnn_checkpointing.analysis.table import completed, under
    from gnn_checkpointing.analysis.variants import variants

    everything = completed(rows)
    check_reference(rows, reference_allocator)
    measured = under(everything, reference_allocator)
    found, no_law = laws(measured, confidence)
    tested, no_interaction = interactions(measured, confidence)
    return Findings(
        effects=effects(measured, confidence, resamples, np.random.default_rng(seed)),
        regressions=Regressions(
            confidence=confidence, laws=found, interactions=tested, not_fitted=no_law + no_interaction
        ),
        # Resampled by a generator of its own: another allocator in the study moves no digit of the effects.
        frontier=frontier(everything, reference_allocator, confidence, resamples, np.random.default_rng(seed)),
        variants=variants(measured, confidence, resamples, np.random.default_rng(seed)),
        accuracy=accuracies(trainings),
        quality=quality(rows, reference_allocator, ratio_half_width),
    )


def write_analysis(folder: Path, findings: Findings) -> None:
    """Write a JSON file for each finding, every float in full."""
    write_json(folder / "effects.json", findings.effects.model_dump(mode="json"))
    write_json(folder / "regressions.json", findings.regressions.model_dump(mode="json"))
    write_json(folder / "frontier.json", findings.frontier.model_dump(mode="json"))
    write_json(folder / "variants.json", findings.variants.model_dump(mode="json"))
    write_json(folder / "accuracy.json", [job.model_dump(mode="json") for job in findings.accuracy])
    write_json(folder / "quality.json", findings.quality.model_dump(mode="json"))


def read_analysis(folder: Path) -> Findings:
    """Read what `write_analysis` wrote, or refuse naming the file and the field."""
    return Findings(
        effects=_read(folder / "effects.json", TypeAdapter(Effects)),
        regressions=_read(folder / "regressions.json", TypeAdapter(Regressions)),
        frontier=_read(folder / "frontier.json", TypeAdapter(Frontier)),
        variants=_read(folder / "variants.json", TypeAdapter(Variants)),
        accuracy=_read(folder / "accuracy.json", TypeAdapter(list[Accuracy])),
        quality=_read(folder / "quality.json", TypeAdapter(Quality)),
    )


def _read(path: Path, adapter: TypeAdapter[Read]) -> Read:
    values: Any = read_json(path)
    try:
        return adapter.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise Refusal(f"{path}: field {field}: {first['msg']}; make it again with `analyse`") from None
