"""Index page: published studies by machine, the result of comparing machines, and a picture of the default study.

`preview.png` shows the default study's answer and leading figure, for the README and social media.
"""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from PIL import Image
from pydantic import Field
from typst import TypstError

from gnn_checkpointing.artefacts import real_number, whole_file, write_text
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.records.record import Record, checked
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point, lines_over
from gnn_checkpointing.report.figures.palette import by_convolution, looks
from gnn_checkpointing.report.html import environment
from gnn_checkpointing.report.pdf import typeset
from gnn_checkpointing.report.render import HTML, PDF, SUMMARY
from gnn_checkpointing.study.policy_names import parse_policy

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
"""Question of each kind of study, in the order of the index."""

_NOTHING: Mapping[Path, str] = MappingProxyType({})
_FIGURE = "figures/figure-lead.csv"
_MOST_ROWS = 10_000
_COLUMNS = ["panel", "convolution", "average degree (edges per node)", "activation memory / none", "low", "high"]


class _Hardware(Record):
    slug: str
    label: str


class _Study(Record):
    name: str
    title: str


class _Sentence(Record):
    text: str
    verdict: Verdict


class _Audit(Record):
    passed: int
    applicable: int
    failed: list[str]


class Summary(Record):
    """Content of a report's summary.json."""

    hardware: _Hardware
    study: _Study
    measured_on: str = Field(description="ISO date of the last measurement")
    cells: int = Field(description="graphs under one architecture each, measured under every policy")
    kind: str = Field("", description="what the study asks; older reports have none")
    headline: str = Field("", description="the first sentence of the answer; older reports have none")
    answer: list[_Sentence] = Field(description="the answer line by line, each judged")
    audit: _Audit | None = Field(None, description="questions about the run that were passed; older reports have none")

    @property
    def question(self) -> str:
        """The question that the study asks; its title if its kind is unknown."""
        return QUESTIONS.get(self.kind, self.study.title)

    @property
    def first_sentence(self) -> str:
        """The headline, else the first line of the answer."""
        return self.headline or next((sentence.text for sentence in self.answer), "")

    @property
    def place(self) -> tuple[bool, int, str]:
        """Sort key: the default study first, then by question, then by name."""
        order = list(QUESTIONS)
        rank = order.index(self.kind) if self.kind in order else len(order)
        return (self.study.name != "default", rank, self.study.name)


def summary_schema() -> dict[str, Any]:
    """The JSON schema of a `summary.json`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Summary.model_json_schema()}


@dataclass(frozen=True)
class Compared:
    """Sentences of the index about several machines' reports of one study, and the page with all of it ("" if none)."""

    sentences: tuple[str, ...]
    page: str = ""


def render_index(
    report_root: Path, templates: Path, output: Path, compared: Compared, left_out: Mapping[Path, str] = _NOTHING
) -> None:
    """Write the page that lists every report found as <hardware>/<study>/summary.json below `report_root`.

    `compared` is the result of comparing the machines, or the reason why there is none; its page lies beside the index.
    `left_out` maps the folders of unlisted reports to the reasons.
    """
    folders = [path.parent for path in sorted(report_root.glob(f"*/*/{SUMMARY}")) if path.parent not in left_out]
    found = [(read_summary(folder / SUMMARY), folder) for folder in folders]
    default = next((one for one in found if one[0].study.name == "default"), None)
    if default:
        _render_preview(*default, templates, output.with_name("preview.png"))
    entries = [(one, quote(Path(os.path.relpath(folder, output.parent)).as_posix())) for one, folder in found]
    write_text(
        output,
        environment(templates)
        .get_template("index.html")
        .render(
            machines=[
                sorted(own, key=lambda entry: entry[0].place)
                for _, own in groupby(entries, lambda entry: entry[0].hardware.slug)
            ],
            count=units.count,
            files=(HTML, PDF),
            compared=compared,
            left_out=sorted(left_out.values()),
            documentation=DOCUMENTATION if (output.parent / DOCUMENTATION).is_file() else "",
            allowed="'none'",
        ),
    )


def read_summary(path: Path) -> Summary:
    """A report's `summary.json`, or a refusal that names the file and the field."""
    return checked(path, Summary, "delete the file and render the report again")


def _render_preview(summary: Summary, study: Path, templates: Path, output: Path) -> None:
    """Write a picture of 1200 by 630 from the data of the published leading figure; nothing if they are not as ours.

    Nobody has computed another's figures again: a value that no figure has must not stop the index.
    """
    try:
        header, *rows = csv.reader(bounded_bytes(study / _FIGURE).decode().splitlines())
        if header != _COLUMNS or len(rows) > _MOST_ROWS:
            return
        drawings = {panel: _drawing(panel, rows) for panel in dict.fromkeys(row[0] for row in rows)}
        values = {"headline": summary.first_sentence, "machine": summary.hardware.label, "panels": list(drawings)}
        files = {f"{panel}.svg": svg for panel, svg in drawings.items()} | {"preview.json": json.dumps(values)}
        picture = typeset(templates / "typst" / "preview.typ", files, format="png", ppi=72)
        if not isinstance(picture, bytes):  # pages: the headline is too long for a picture
            return
    except (FileNotFoundError, Refusal, csv.Error, ArithmeticError, LookupError, ValueError, TypstError):
        return
    with Image.open(io.BytesIO(picture)) as drawing, whole_file(output) as stream:
        drawing.save(stream, "PNG", optimize=True)  # the same pixels in fewer bytes


def _drawing(panel: str, rows: Sequence[Sequence[str]]) -> str:
    """SVG of one panel, on axes shared by all panels; a panel is named by its policy, and a file by the panel."""
    parse_policy(panel)
    read = [(row[0], row[1], [real_number(row[at]) for at in (2, 3, 4, 5)]) for row in rows]
    numbers = [(of, convolution, Point(x, y, low, high)) for of, convolution, (x, y, low, high) in read]
    x = scales.degree_scale([point.x for _, _, point in numbers], _COLUMNS[2])
    y = scales.ratio_scale([point.y for _, _, point in numbers], _COLUMNS[3])
    lines = [
        Line(one, tuple(point for policy, convolution, point in numbers if (policy, convolution) == (panel, one)))
        for one in dict.fromkeys(row[1] for row in rows)
    ]
    look = by_convolution([line.policy for line in lines], looks([panel])[panel].colour)
    drawn = lines_over(panel, lines, look, x, y, reference=1.0)
    return drawn.svg if drawn else ""
