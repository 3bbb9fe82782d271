"""Compare each pair of machines on every study that several have published, and make the page about it.

`templates/appendix/comparison.md` has its sentences, and the columns of its tables.
"""

from collections.abc import Collection
from itertools import combinations
from operator import attrgetter
from pathlib import Path
from typing import Any

from gnn_checkpointing.analysis.rounding import all_significant
from gnn_checkpointing.analysis.table import grouped, time_ratio
from gnn_checkpointing.artefacts import write_json, write_text
from gnn_checkpointing.audit.checks.run import VERSIONS
from gnn_checkpointing.comparison import COMPARISON, PAGE, folders, machines, ratios, shared, why_nothing
from gnn_checkpointing.comparison.checks import QUESTIONS, around, compared, joined
from gnn_checkpointing.comparison.results import AtRow, Comparison, Machine, Pair, StudyCompared
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts, texts_from
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import scattered, thinning
from gnn_checkpointing.report.html import report_html
from gnn_checkpointing.report.page import Block, Fact, Figure, Note, Page, Paragraph, Section, Table
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.sourced import counted, plain, sourced

_text = Texts("comparison")
_WORDS: dict[str, Any] = {
    "million": lambda rate: units.fixed(rate.estimate / 1e6, 2),
    "nanoseconds": lambda time: units.scaled_estimate(time, units.NANOSECOND),
    "in_words": lambda value: (
        value if isinstance(value, str) else units.count(value) if isinstance(value, int) else units.fixed(value, 3)
    ),
    "joined": ", ".join,
    "whole": lambda found: next(iter(found), None),
}
"""Functions that columns may use: formats of their values, and the first item of a list, if any."""

_series = attrgetter("convolution", "policy", "allocator")


def compare(reports: Path, left_out: Collection[Path] = ()) -> Comparison:
    """Compare the reports below `reports`, or refuse if no study has two.

    Reports of a study that no other machine has are named but not read; those in `left_out` are neither.
    """
    reason = why_nothing(reports, left_out)
    if reason:
        raise Refusal(f"{reports}: {reason[0].lower()}{reason[1:]}")
    found = folders(reports, left_out)
    studies_of, labels = machines(found), dict[str, str]()
    studies, pairs = list[StudyCompared](), list[Pair]()
    for name, places in shared(found).items():
        # Study by study: their records take memory.
        runs = {folder.parent.name: RunFolder(folder) for folder in places}
        pairs += [_pair(*two) for two in combinations(runs.values(), 2)]
        labels |= {slug: run.machine.label for slug, run in runs.items()}
        missing = sorted(studies_of.keys() - runs.keys())
        title = next(iter(runs.values())).study.title
        studies.append(StudyCompared(name=name, title=title, machines=list(runs), missing=missing))
    return Comparison(
        confidence=ratios.CONFIDENCE,
        resamples=ratios.RESAMPLES,
        seed=ratios.SEED,
        machines=[Machine(slug=slug, label=labels.get(slug, slug), studies=own) for slug, own in studies_of.items()],
        studies=studies,
        pairs=pairs,
        findings=sum(pair.findings for pair in pairs),
    )


def _pair(first: RunFolder, second: RunFolder) -> Pair:
    rows = joined(first, second)
    cells = {str(pair.first["cell"]) for pair in rows}
    one, other = ({(record.cell, record.fingerprint) for record in run.records} for run in (first, second))
    checks, differences = compared(rows, first, second)
    crossings, never = ratios.break_evens(first, second)
    times, laws = ratios.at_rows(rows, time_ratio), ratios.per_edge(first, second)
    confidences = first.study.analysis.confidence, second.study.analysis.confidence
    return Pair(
        study=first.study.name,
        first=first.machine.slug,
        second=second.machine.slug,
        cells=len(cells),
        same_code=len({cell for cell, _ in one & other} & cells),
        rows=len(rows),
        checks=checks,
        findings=len(differences),
        differences=[*differences, *around(rows, first, second)],
        ratios=times,
        ratio_summaries=ratios.ratio_summaries(times, confidences),
        throughput=ratios.throughputs(rows),
        per_edge=laws,
        per_edge_ranks=ratios.exact_rank_agreement(
            [(law.first.estimate, law.second.estimate) for law in laws if law.first and law.second]
        ),
        break_evens=crossings,
        no_break_even=never,
    )


def render_comparison(comparison: Comparison, templates: Path, output_folder: Path) -> None:
    """Write comparison.json and comparison.html into `output_folder`, but nothing before the page is complete."""
    with texts_from(templates):
        html = report_html(_page(comparison), templates, PAGE)
    write_json(output_folder / COMPARISON, all_significant(comparison.model_dump(mode="json")))
    write_text(output_folder / PAGE, html)


def index_sentences(comparison: Comparison, templates: Path) -> list[str]:
    """A sentence for each pair of machines and study, every number with its address in `comparison.json`."""
    with texts_from(templates):
        return [
            f"Study {pair.study} on {pair.first} and {pair.second}: {_said('same', pair)} {_said('ratios', pair)}"
            for pair in sourced(comparison, f"{COMPARISON}#").pairs
        ]


def _page(comparison: Comparison) -> Page:
    """The whole page; every number on it carries its address in `comparison.json`."""
    found = sourced(comparison, f"{COMPARISON}#")
    missing = [
        Paragraph(f"Study {study.name} has not been published by {', '.join(study.missing)}.")
        for study in found.studies
        if study.missing
    ]
    how = tuple(map(Paragraph, _text.lines("method", found=found)))
    tables = (_table(name, getattr(found, name), name) for name in ("pairs", "machines"))
    overview: tuple[Block, ...] = (Paragraph(_text("why")), *tables, *missing)
    pairs = [
        _pair_section(f"{study}-{number}", pair)
        for study, own in grouped(found.pairs, lambda pair: pair.study).items()
        for number, pair in enumerate(own, start=1)
    ]
    return Page(
        title="Machines compared",
        subtitle="The same studies on other hardware: what must be the same, and how alike times rank",
        date="",
        facts=(
            Fact("Machines", units.count(counted(found.machines))),
            Fact("Studies on two or more", units.count(counted(found.studies))),
            Fact("Findings", units.count(found.findings)),
        ),
        sections=(
            Section("overview", "Overview", overview),
            *pairs,
            Section("method", "How this is compared", how),
        ),
    )


def _pair_section(key: str, pair: Pair) -> Section:
    """The section for one study on two machines; `key` is its address within the page."""
    blocks: list[Block] = [
        Paragraph(f"{units.count(pair.rows)} measurements in {units.count(pair.cells)} cells are on both machines."),
        Paragraph(f"What must be the same: {_said('same', pair)}"),
        *(Paragraph(_said(name, pair)) for name in ("ratios", "versions")),
    ]
    notes = [Note(text) for text in dict.fromkeys(check.note for check in pair.checks if check.note)]
    after: dict[str, list[Block]] = {
        "checks": [*notes],
        "agreement": [_ratios_figure(key, pair)] if pair.ratios else [],
        **{name: [Paragraph(text)] for name in ("per-edge", "break-even") if (text := _said(name, pair))},
    }
    items: dict[str, list[Any]] = {
        "checks": pair.checks,
        "findings": pair.different(*QUESTIONS),
        "agreement": pair.ratio_summaries,
        "ratios": pair.ratios,
        "throughput": pair.throughput,
        "per-edge": pair.per_edge,
        "break-even": pair.break_evens,
    }
    for name, rows in items.items():
        blocks += [_table(f"{key}-{name}", rows, name, pair=pair)] if rows else []
        blocks += after.get(name, [])
    for name, caption in _text.names("others").items():
        rows = pair.different(name)
        blocks += [_table(f"{key}-{name}", rows, "both", caption, pair=pair)] if rows else []
    return Section(key, f"{pair.study}: {pair.first} and {pair.second}", tuple(blocks))


def _said(name: str, pair: Pair) -> str:
    """A sentence about two machines."""
    others = [fact for name in VERSIONS for fact in pair.different("facts") if fact.place == name]
    return _text(name, pair=pair, names=_text.names, others=others)


def _table(id: str, rows: list[Any], text: str, caption: str = "", **known: Any) -> Table:
    known |= _WORDS | {name: _text.names(name).get for name in ("courses", "quantities")}
    known["allocators"] = {getattr(row, "allocator", "") for row in rows}
    known["notes"] = any(getattr(row, "note", "") for row in rows)
    return _text.table(None, f"table-{id}", COMPARISON, rows, name=f"table-{text}", caption=caption, **known)


def _ratios_figure(key: str, pair: Pair) -> Figure:
    """A panel for each convolution: one mark per cell and policy, at its time ratios on the two machines."""
    values = [plain(one.estimate) for ratio in pair.ratios for one in (ratio.first, ratio.second)]
    x, y = (scales.ratio_scale(values, f"step time / none, {slug}") for slug in (pair.first, pair.second))
    policies = list(dict.fromkeys(ratio.policy for ratio in pair.ratios))
    drawn, shown = [], []
    for (allocator, convolution), measured in grouped(pair.ratios, attrgetter("allocator", "convolution")).items():
        title = f"{convolution}, allocator {allocator}" if len(pair.over_all) > 1 else convolution
        own = {policy: [ratio for ratio in measured if ratio.policy == policy] for policy in policies}
        lines = [Line(policy, tuple(map(_point, marks))) for policy, marks in own.items() if marks]
        drawn.append(lines)
        shown.append(scattered(title, lines, looks(policies), x, y, _alternative(title, pair, measured), diagonal=True))
    thinned = thinning(drawn)
    return _text.figure(f"figure-{key}-ratios", COMPARISON, shown, "figure-ratios", pair=pair, thinned=thinned)


def _point(ratio: AtRow) -> Point:
    second = ratio.second
    return Point(plain(ratio.first.estimate), plain(second.estimate), plain(second.low), plain(second.high))


def _alternative(title: str, pair: Pair, measured: list[AtRow]) -> str:
    """Text instead of a panel: for each policy, the number of marks and their range on each machine."""
    summaries, marked = {_series(one): one for one in pair.ratio_summaries}, []
    for series, own in grouped(measured, _series).items():
        sides = {pair.first: [one.first.estimate for one in own], pair.second: [one.second.estimate for one in own]}
        spans = [(min(side), max(side), slug) for slug, side in sides.items()]
        marked.append((own[0].policy, summaries[series].cells, spans, summaries[series].quotient))
    return _text("alternative", pair=pair, title=title, marked=marked)
