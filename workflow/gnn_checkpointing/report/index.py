"""Index page: published studies by machine, the result of comparing machines, and pictures of two studies.

`preview.png` shows the default study's answer and leading figure, for social media; `frontier.png` the frontier's
answer and the policies that it compares, for the README.
"""

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from PIL import Image
from pydantic import Field
from typst import TypstError

from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.artefacts import real_number, whole_file, write_text
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.records.record import Record, checked
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point, lines_over
from gnn_checkpointing.report.figures.palette import Look, by_convolution, looks
from gnn_checkpointing.report.html import environment
from gnn_checkpointing.report.inputs import FEW
from gnn_checkpointing.report.page import Panel
from gnn_checkpointing.report.pdf import typeset
from gnn_checkpointing.report.render import HTML, PDF, SUMMARY
from gnn_checkpointing.study.policy_names import OTHER_MODELS, parse_policy

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
_DEGREE, _MEMORY, _TIME = "average degree (edges per node)", "activation memory / none", "step time / none"
_HEADERS = {
    "default": ["panel", "convolution", _DEGREE, _MEMORY, "low", "high"],
    "frontier": ["panel", "policy", "average degree asked for", _MEMORY, _TIME, "low", "high"],
}
PICTURES = {"default": "preview.png", "frontier": "frontier.png"}
"""Pictures beside the index, by the study that they show."""


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
    for name, picture in PICTURES.items():
        for of_study in [one for one in found if one[0].study.name == name][:1]:
            _render_picture(*of_study, templates, output.with_name(picture))
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


def _render_picture(summary: Summary, study: Path, templates: Path, output: Path) -> None:
    """Write a picture of 1200 by 630 from the data of the published leading figure; nothing if they are not as ours.

    Nobody has computed another's figures again: a value that no figure has must not stop the index.
    """
    try:
        header, *rows = csv.reader(bounded_bytes(study / _FIGURE).decode().splitlines())
        if header != _HEADERS[summary.study.name] or len(rows) > _MOST_ROWS:
            return
        panels = list(filter(None, (_time_too if _TIME in header else _by_policy)(rows)))
        titles = [panel.title for panel in panels]
        values = {"headline": summary.first_sentence, "machine": summary.hardware.label, "panels": titles}
        files = {f"{number}.svg": panel.svg for number, panel in enumerate(panels)}
        files |= {"preview.json": json.dumps(values)}
        picture = typeset(templates / "typst" / "preview.typ", files, format="png", ppi=72)
        if not isinstance(picture, bytes):  # pages: the headline is too long for a picture
            return
    except (FileNotFoundError, Refusal, csv.Error, ArithmeticError, LookupError, ValueError, TypstError):
        return
    with Image.open(io.BytesIO(picture)) as drawing, whole_file(output) as stream:
        drawing.save(stream, "PNG", optimize=True)  # the same pixels in fewer bytes


def _by_policy(rows: Sequence[Sequence[str]]) -> Iterator[Panel | None]:
    """A panel of memory over degree for each policy, with a line for each convolution."""
    points = [(row[0], row[1], _point(row, 2, 3, 4, 5)) for row in rows]
    for policy in dict.fromkeys(row[0] for row in rows):
        parse_policy(policy)
        own = [(name, point) for of, name, point in points if of == policy]
        look = by_convolution(list(dict.fromkeys(name for name, _ in own)), looks([policy])[policy].colour)
        yield _drawing(policy, own, look, [point for *_, point in points], _MEMORY)


def _time_too(rows: Sequence[Sequence[str]]) -> Iterator[Panel | None]:
    """A panel of memory and one of time over degree, with a line for each well-known policy of the same model."""
    own = [row for row in rows if row[1] in FEW and row[1] not in OTHER_MODELS]
    for words, quantity, places in (("memory", _MEMORY, (2, 3, 3, 3)), ("time", _TIME, (2, 4, 5, 6))):
        lines = [(row[1], _point(row, *places)) for row in own]
        title = f"{rows[0][0]}: {words} (plain training: 1)"
        yield _drawing(title, lines, looks(FEW), [point for _, point in lines], quantity)


def _point(row: Sequence[str], *places: int) -> Point:
    x, y, low, high = (real_number(row[at]) for at in places)
    return Point(x, y, low, high)


def _drawing(
    title: str, own: Sequence[tuple[str, Point]], look: Mapping[str, Look], points: Sequence[Point], quantity: str
) -> Panel | None:
    """A line for each name, on axes that have room for all `points`."""
    x, y = scales.degree_scale([at.x for at in points], _DEGREE), scales.ratio_scale([at.y for at in points], quantity)
    lines = [Line(name, tuple(at for _, at in of)) for name, of in grouped(own, lambda one: one[0]).items()]
    return lines_over(title, lines, look, x, y, reference=1.0)
