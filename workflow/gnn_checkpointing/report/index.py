"""The index: which machines have published which studies, and what comparing them comes to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from gnn_checkpointing.artefacts import read_json, write_text
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import units
from gnn_checkpointing.report.html import environment
from gnn_checkpointing.report.preview import PREVIEW, render_preview
from gnn_checkpointing.report.render import HTML, PDF, SUMMARY

DOCUMENTATION = "docs/index.html"
"""The documentation, where it is published beside the index."""

QUESTIONS = {
    "density": "Does checkpointing pay as graphs get denser?",
    "frontier": "Which policy wins at which density?",
    "limit": "What still trains under a memory limit?",
    "real": "Does it hold on real graphs?",
    "batches": "Does it pay on mini-batches?",
    "families": "Does the structure of the graph matter?",
    "prediction": "Can memory and time be predicted?",
    "depth": "What helps very deep models?",
    "ego": "What do ego networks cost?",
    "vision": "Does it pay for Vision GNNs?",
    "nothing": "What ran?",
}
"""What a study of each kind asks, in the order of the index."""

_NOTHING: Mapping[Path, str] = MappingProxyType({})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Hardware(_Part):
    slug: str
    label: str


class _Study(_Part):
    name: str
    title: str


class _Sentence(_Part):
    text: str
    verdict: Verdict


class _Audit(_Part):
    passed: int
    applicable: int
    failed: list[str]


class Summary(_Part):
    """What a report says of itself in its summary.json."""

    hardware: _Hardware
    study: _Study
    measured_on: str
    cells: int
    kind: str = ""  # reports from before there were headlines have neither
    headline: str = ""
    answer: list[_Sentence]
    audit: _Audit | None = None  # reports from before there was an audit have none


class Entry(_Part):
    """One report as the index lists it; links are relative to the index."""

    summary: Summary
    question: str
    headline: str
    cells: str
    audit: str
    html: str
    pdf: str


class Machine(_Part):
    """One machine and its reports."""

    label: str
    slug: str
    entries: list[Entry]


@dataclass(frozen=True)
class Compared:
    """What the index says of several machines' reports of one study, and the page that says all of it ("": none)."""

    sentences: tuple[str, ...]
    page: str = ""


def render_index(
    report_root: Path, templates: Path, output: Path, compared: Compared, left_out: Mapping[Path, str] = _NOTHING
) -> None:
    """Write the page that lists every report found as <hardware>/<study>/summary.json below `report_root`.

    `compared` is what a comparison of the machines comes to, or why there is none; its page lies beside the index.
    `left_out` are the folders of reports that are not listed, and why.
    """
    found = [path for path in sorted(report_root.glob(f"*/*/{SUMMARY}")) if path.parent not in left_out]
    entries = [_entry(path, output.parent) for path in found]
    machines = []
    for slug, group in groupby(entries, key=lambda entry: entry.summary.hardware.slug):
        listed = sorted(group, key=_place)
        machines.append(Machine(label=listed[0].summary.hardware.label, slug=slug, entries=listed))
    for path, entry in zip(found, entries, strict=True):
        if entry.summary.study.name == "default":
            label = entry.summary.hardware.label
            render_preview(path.parent, entry.headline, label, templates, output.parent / PREVIEW)
            break
    template = environment(templates).get_template("index.html")
    write_text(
        output,
        template.render(
            machines=machines,
            compared=compared,
            left_out=sorted(left_out.values()),
            documentation=DOCUMENTATION if (output.parent / DOCUMENTATION).is_file() else "",
            allowed="'none'",
        ),
    )


def read_summary(path: Path) -> Summary:
    """Read a report's `summary.json`, or refuse naming the file and the field."""
    try:
        return Summary.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "summary"
        raise Refusal(f"{path}: field {field}: {first['msg']}; delete the file and render the report again") from None


def _entry(path: Path, base: Path) -> Entry:
    summary = read_summary(path)
    folder = _link(path.parent, base)
    return Entry(
        summary=summary,
        question=QUESTIONS.get(summary.kind, ""),
        headline=summary.headline or next((sentence.text for sentence in summary.answer), ""),
        cells=units.count(summary.cells),
        audit=_score(summary.audit),
        html=f"{folder}/{HTML}",
        pdf=f"{folder}/{PDF}",
    )


def _place(entry: Entry) -> tuple[bool, int, str]:
    """The default study first, then question by question."""
    order = list(QUESTIONS)
    kind, name = entry.summary.kind, entry.summary.study.name
    return (name != "default", order.index(kind) if kind in order else len(order), name)


def _score(audit: _Audit | None) -> str:
    """Return a report's score of itself in words, nothing where it has none."""
    if audit is None:
        return ""
    return f"passes {units.count(audit.passed)} of {units.count(audit.applicable)} checks of its own quality"


def _link(folder: Path, base: Path) -> str:
    """Return the address of a folder as seen from `base`."""
    return quote(Path(os.path.relpath(folder, base)).as_posix())
