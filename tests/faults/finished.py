"""A finished run without its measuring: the results folder of a published report, made from the data beside it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnn_checkpointing.artefacts import seal, sha256_of, write_json
from gnn_checkpointing.records.cell import read_records
from rebuilt import ROOT, copied, rebuilt


@dataclass(frozen=True)
class Run:
    """Where the files of a run lie: `results` as Snakemake fills it, `report` as it is published."""

    results: Path
    report: Path

    @property
    def records(self) -> list[Path]:
        """The records of all cells."""
        found = self.results.glob("measurements/*/*.json")
        return sorted(path for path in found if path.name != "complete.json")

    def collect(self) -> list[str]:
        """The command that gathers the records."""
        results = self.results
        study, places = f"--study={results}/study.json", f"--measurements={results}/measurements"
        return ["collect", study, places, "--output-folder", f"{results}/again"]

    def render(self) -> list[str]:
        """The command that makes the report."""
        return ["report", f"--run={self.results}", *self._page()]

    def rebuild(self) -> list[str]:
        """The command that makes the published report again."""
        return ["rebuild", "--frozen", str(self.report), *self._page()]

    def _page(self) -> tuple[str, ...]:
        return "--templates", str(ROOT / "templates"), "--output-folder", f"{self.results}/page"


def finished_run(folder: Path, study: str = "default") -> Run:
    """The run behind the published report of `study`, its files sealed as the commands seal them."""
    published = rebuilt(study)
    report = copied(published, folder / "report")
    results = folder / "results" / published.parent.name / study
    for path in (*published.glob("*.json*"), *published.glob("*.csv"), *published.glob("analysis/*.json")):
        if path.name in ("summary.json", "ro-crate-metadata.json"):
            continue
        copy = results / path.relative_to(published)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        seal(copy)
    for record in read_records(report / "records.jsonl"):
        place = f"{record.graph.id}.visit-{record.visit}" if record.visit else record.graph.id
        write_json(results / "measurements" / place / f"{record.cell}.json", record.model_dump(mode="json"))
    for place in (results / "measurements").iterdir():
        complete(place)
    return Run(results, report)


def complete(place: Path) -> None:
    """Write `complete.json` of a graph's folder as measuring does, whatever lies there."""
    cells = {path.name: sha256_of(path) for path in sorted(place.glob("*.json")) if path.name != "complete.json"}
    listed: dict[str, Any] = {
        "graph": place.name.partition(".visit-")[0],
        "settings": "any",
        "seconds": 1.0,
        "cells": cells,
        "traces": {},
    }
    write_json(place / "complete.json", listed)
    seal(place / "complete.json")


def with_change(path: Path, **values: Any) -> None:
    """Write a JSON object anew with other values, as someone would who means it."""
    write_json(path, json.loads(path.read_text()) | values)
