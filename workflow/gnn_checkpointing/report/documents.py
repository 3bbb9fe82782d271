"""The two documents of a study: the report, which answers in a few pages, and the appendix, which holds everything."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import section as appendix_section
from gnn_checkpointing.report.appendix import texts_from
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import (
    PROVES,
    Block,
    Box,
    Bullets,
    Fact,
    Figure,
    Note,
    Page,
    Paragraph,
    Section,
    Span,
    Step,
    Steps,
    Table,
    Text,
    figures_of,
)
from gnn_checkpointing.report.provenance import measuring_command, provenance, with_provenance
from gnn_checkpointing.report.sections.history import Measured, known_of, spread
from gnn_checkpointing.report.sections.lead import lead_figure, short_tables
from gnn_checkpointing.report.sections.parts import NAMES, additions, deep
from gnn_checkpointing.report.texts import TEMPLATES, Writer
from gnn_checkpointing.sourced import parts

REPORT = (
    *("limits", "memory", "time", "practice", "frontier", "limit", "depth", "ego", "vision", "batches", "families"),
    *("real", "prediction", "laws", "planner", "trust", "method", "references", "data"),
)
"""Sections of the report in order, one template each; a template stays empty if the study has no such results."""

PROOF = {
    **{"density": "memory", "limit": "failed", "real": "real-graphs", "prediction": "scorecard", "trust": "audit"},
    **{"limits": "method", "nothing": "failed"},
}
"""Section of the appendix that backs a section or an answer of the report, where the two have different names."""

SECTIONS = (
    *("planner", "trends.memory", "trends.time", "frontier", "frontier.allocator", "timeline", "timeline.vision"),
    *("timeline.explained", "variants.practice", "variants.depth", "variants.ego", "predictions.laws", "predictions"),
    *("predictions.scorecard", "variants.families", "quality.robustness", "variants.real-graphs"),
    *("variants.graded-graphs", "variants.batches", "claims", "claims.audit", "quality.accuracy", "quality.failed"),
    *("quality", "method.run", "history", "method.instrument", "method.graphs", "method.machine", "method"),
)
"""Sections of the appendix in order: FILE.ID, or FILE if both names are the same."""


@dataclass(frozen=True)
class Documents:
    """The report and the appendix."""

    report: Page
    appendix: Page

    def figures(self) -> list[Figure]:
        """Every figure of both, each once."""
        return list({figure.id: figure for page in (self.report, self.appendix) for figure in page.figures()}.values())


def documents(
    inputs: ReportInputs,
    checksums: Mapping[str, str],
    templates: Path = TEMPLATES,
    history: Sequence[Measured] = (),
) -> Documents:
    """Make both documents; `checksums` has the SHA-256 of each file beside them, `templates` is a folder."""
    with texts_from(templates):
        appendix = _appendix(inputs, checksums, history)
        report = _report(inputs, appendix, templates, history)
    shown = {figure.id for figure in report.figures()}
    sections = (replace(section, blocks=tuple(_elsewhere(section.blocks, shown))) for section in appendix.sections)
    return Documents(report, replace(appendix, lead=None, sections=tuple(sections)))


def _elsewhere(blocks: Iterable[Block], shown: set[str]) -> Iterator[Block]:
    """Blocks of the appendix without the planner's form, and with a link in place of each figure of the report."""
    for block in blocks:
        if isinstance(block, Figure) and block.id in shown:
            link = Span("Figure in the report", href=f"report.html#{block.id}")
            caption = (Span(text, source=source) for source, text in parts(block.caption))
            yield Paragraph((link, Span(": "), *caption), block.id)
        elif block.kind != "planner":
            yield block


def opening(inputs: ReportInputs, templates: Path = TEMPLATES) -> tuple[Block, ...]:
    """Text of the first screen alone, without figures and without links into the appendix."""
    return tuple(_writer(inputs, (), templates).blocks(f"answer/{answer_of(inputs)}.md")[1])


def _report(inputs: ReportInputs, appendix: Page, templates: Path, history: Sequence[Measured]) -> Page:
    answer, known = answer_of(inputs), _known(appendix.sections)

    def proven(blocks: Iterable[Block], section: str) -> tuple[Block, ...]:
        place = PROOF.get(section, section)
        return tuple(_with_evidence(blocks, f"appendix.html#{place if place in known else 'data'}"))

    writer = _writer(inputs, appendix.sections, templates, history)
    _, first = writer.blocks(f"answer/{answer}.md")
    sections = [found for name in REPORT if (found := writer.section(f"{name}.md"))]
    return replace(
        appendix,
        subtitle=f"Measured on {inputs.machine.label}" + (inputs.measured_on and f" · {inputs.measured_on}"),
        opening=proven(first, answer),
        sections=tuple(
            one if one.id == "references" else replace(one, blocks=proven(one.blocks, one.id)) for one in sections
        ),
        other="appendix",
    )


def _known(sections: Sequence[Section]) -> set[str]:
    """Ids of the appendix that can be linked to: its sections, figures and tables."""
    blocks = (block for section in sections for block in section.blocks if isinstance(block, Figure | Table))
    return {one.id for one in (*sections, *blocks)}


def _writer(
    inputs: ReportInputs, appendix: Sequence[Section], templates: Path, history: Sequence[Measured] = ()
) -> Writer:
    """Writer that fills the report's templates with the figures and tables of these sections of the appendix."""
    whole = [block for section in appendix for block in section.blocks]
    short = short_tables(inputs) if appendix else ()
    shown = {block.id: block for block in (*whole, *short) if isinstance(block, Figure | Table)}
    known = _known(appendix)

    def linked(place: str, words: str) -> Span:
        return Span(words, href=f"appendix.html#{place}" if place in known else "appendix.html")

    asked = (inputs, Facts(inputs))
    return Writer(
        templates / "report",
        _evidence(appendix),
        {name: getattr(one, name) for one in asked for name in dir(one) if not name.startswith("_")}
        | {
            "linked": linked,
            "kind": answer_of(inputs),
            "family_names": NAMES,
            "additions": additions,
            "deep": deep(inputs),
            "block": lambda *names: [shown[name] for name in names if name in shown],
            "form": [block for block in whole if block.kind == "planner"],
            "again": Steps((Step("", measuring_command(inputs.study)),)),
            "command": measuring_command(inputs.study).splitlines()[-1],
            "spread_of_runs": spread(known_of(history)),
        },
    )


def _with_evidence(blocks: Iterable[Block], proof: str) -> Iterator[Block]:
    """Blocks in which every text links to the appendix: by its numbers, or else by a section sign at its end."""

    def leading(text: Text) -> Text:
        spans = (Span(text),) if isinstance(text, str) else text
        title = all(span.look == "strong" for span in spans)
        return spans if title or any(span.href for span in spans) else (*spans, Span(" "), Span(PROVES, href=proof))

    for block in blocks:
        if isinstance(block, Paragraph | Note):
            yield replace(block, text=leading(block.text))
        elif isinstance(block, Bullets | Box):
            yield replace(block, items=tuple(map(leading, block.items)))
        else:
            yield block


def answer_of(inputs: ReportInputs) -> str:
    """Kind of answer that a study gives: the first kind below for which it has results, else "nothing"."""
    effects = inputs.effects

    def of(policy: str, rows: Iterable[Effect]) -> bool:
        return any(row.policy == policy for row in rows)

    has: dict[str, bool] = {
        "limit": inputs.study.measurement.memory_limit_gib is not None and not effects.generated and not effects.real,
        "depth": of("reversible", (row for row in effects.depths if row.time_ratio)),
        "ego": bool(inputs.effects.ego),
        "vision": any(name.startswith("ViG") for name in inputs.convolutions) and of("layers", effects.generated),
        "batches": of("layers", effects.batches),
        "families": effects.reference_family is not None and of("layers", effects.families),
        "prediction": bool(inputs.predictions.scorecard),
        "real": bool(effects.real),
        "frontier": inputs.has_frontier and bool(Facts(inputs).winners()),
        "density": bool(effects.generated),
    }
    return next((name for name, given in has.items() if given), "nothing")


def _evidence(appendix: Sequence[Section]) -> Callable[[str], str]:
    """Function from a number's address to a link: the appendix's first table or figure drawn from the same file."""
    places: dict[str, str] = {"study.json": "method", "hardware.json": "machine"}
    for section in appendix:
        for block in section.blocks:
            source = getattr(block, "source", "")
            if source:
                places.setdefault(source, getattr(block, "id", section.id))

    def place(address: str) -> str:
        file = address.lstrip("(").removeprefix("count(").partition("#")[0].rpartition(" ")[2].partition("?")[0]
        return f"appendix.html#{places.get(file, 'data')}"

    return place


def _appendix(inputs: ReportInputs, checksums: Mapping[str, str], history: Sequence[Measured]) -> Page:
    found = [appendix_section(inputs, name, history=history) for name in SECTIONS]
    lead = lead_figure(inputs)
    origin = partial(with_provenance, study=inputs.study, checksums=checksums)
    sections = [origin(section) for section in found if section is not None]
    if lead is not None:
        lead = replace(lead, provenance=provenance(lead, inputs.study, checksums))
    figures = [*filter(None, [lead]), *figures_of(sections)]
    last = {"checksums": checksums, "figures": figures}
    sections += filter(None, (appendix_section(inputs, name, **last) for name in ("method.data", "method.redo")))
    cells = f"{units.count(inputs.quality.cells)} ({units.count(inputs.started)} measurements)"
    return Page(
        title=inputs.study.title,
        subtitle=f"What gradient checkpointing costs and saves, measured on {inputs.machine.label}",
        date=inputs.measured_on,
        facts=(
            Fact("Machine", inputs.machine.label),
            Fact("Measured on", inputs.measured_on),
            Fact("Study", inputs.study.name),
            Fact("Convolutions", ", ".join(inputs.convolutions)),
            Fact("Policies", ", ".join(inputs.policies)),
            Fact("Cells", cells),
        ),
        lead=lead,
        sections=tuple(sections),
        other="report",
    )
