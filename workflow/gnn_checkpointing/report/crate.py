"""`ro-crate-metadata.json`: a published report described in RO-Crate's terms, which other tools read.

The folder is a Process Run Crate (https://w3id.org/ro/wfrun/process/0.5): one action, the run, that used this software
on one machine, read a study and wrote measurements, analysis and pages. Every file has its size and SHA-256.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from rocrate.model import ContextEntity, File
from rocrate.rocrate import ROCrate

CRATE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
LICENCE = "https://spdx.org/licenses/MIT"
AUTHORS = "#authors"

READ = ("study.json", "hardware.json")
"""What the run was given; everything else it made."""

DESCRIPTIONS = {
    "study.json": "the study: graphs, architectures, policies, protocol, checksums of what was read",
    "hardware.json": "the machine that measured",
    "records.jsonl.gz": "every measured record, one JSON object per line",
    "measurements.csv": "one row per cell and policy",
    "claims.json": "every claim with its estimate, rule and verdict",
    "audit.json": "the published questions and their answers",
    "planner.json": "the laws that the planner uses",
    "summary.json": "what the index of reports shows",
    "report.html": "the report",
    "report.pdf": "the report, typeset",
    "appendix.html": "all tables, diagnostics, claims and checks",
    "appendix.pdf": "the appendix, typeset",
}


@dataclass(frozen=True)
class Published:
    """One published file: its path in the folder, its SHA-256 and its size in bytes."""

    name: str
    sha256: str
    size: int


def crate(
    files: Sequence[Published], title: str, answer: str, machine: Mapping[str, str], started: str, ended: str, code: str
) -> dict[str, Any]:
    """The content of `ro-crate-metadata.json`.

    `machine` has the machine's facts by name; `started` and `ended` are ISO times of the run; `code` is the digest of
    the sources that made the report.
    """
    made = ROCrate(version="1.1")
    root = made.root_dataset
    made.name = title
    made.description = answer or title
    root["datePublished"] = ended
    root["license"] = made.add(
        ContextEntity(made, LICENCE, properties={"@type": "CreativeWork", "name": "MIT licence", "description": "MIT"})
    )
    root["conformsTo"] = made.add(
        ContextEntity(
            made, PROFILE, properties={"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
        )
    )
    software = made.add(
        ContextEntity(
            made,
            "#gnn-checkpointing",
            properties={
                "@type": "SoftwareApplication",
                "name": "gnn-checkpointing",
                "softwareVersion": f"{version('gnn-checkpointing')}, sources {code}",
            },
        )
    )
    authors = made.add(
        ContextEntity(made, AUTHORS, properties={"@type": "Organization", "name": "The gnn-checkpointing authors"})
    )
    root["author"] = root["publisher"] = authors
    facts = [
        made.add(
            ContextEntity(
                made, f"#machine-{number}", properties={"@type": "PropertyValue", "name": name, "value": value}
            )
        )
        for number, (name, value) in enumerate(machine.items())
    ]
    described = {file.name: _described(made, file) for file in files}
    run = made.add(
        ContextEntity(
            made,
            "#run",
            properties={
                "@type": "CreateAction",
                "name": f"Measuring and publishing: {title}",
                "description": "Graphs were made, steps measured, laws fitted, claims judged and pages rendered.",
                "startTime": started,
                "endTime": ended,
                "actionStatus": "http://schema.org/CompletedActionStatus",
            },
        )
    )
    run["instrument"] = software
    run["agent"] = authors
    run["object"] = [described[name] for name in READ if name in described]
    run["result"] = [entity for name, entity in described.items() if name not in READ]
    run["environment"] = facts
    root["mentions"] = run
    return made.metadata.generate()  # type: ignore[no-any-return]


def _described(made: ROCrate, file: Published) -> Any:
    kind = mimetypes.guess_type(file.name)[0] or "application/json"
    described = File(
        made,
        dest_path=file.name,
        properties={
            "name": file.name,
            "description": DESCRIPTIONS.get(file.name, "data behind the report"),
            "encodingFormat": kind,
            "contentSize": str(file.size),
            "sha256": file.sha256,
        },
    )
    return made.add(described)
