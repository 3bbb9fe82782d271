"""The page of a comparison: an overview of all pairs of machines, then each study and pair in full."""

from __future__ import annotations

from pathlib import Path

from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.artefacts import write_json, write_text
from gnn_checkpointing.comparison.checks import LIBRARIES, texts
from gnn_checkpointing.comparison.folders import COMPARISON, PAGE
from gnn_checkpointing.comparison.results import Check, Comparison, Pair, RatioPair, RatioSummary
from gnn_checkpointing.comparison.tables import machines_table, overview_table, pair_tables
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact, Figure, Panel
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import residual_panel, thinning
from gnn_checkpointing.report.html import report_html
from gnn_checkpointing.report.page import Block, Note, Page, Paragraph, Section
from gnn_checkpointing.report.panels import points_of
from gnn_checkpointing.sourced import counted, plain, sourced


def render_comparison(comparison: Comparison, templates: Path, output_folder: Path) -> None:
    """Write comparison.json and comparison.html into `output_folder`; nothing before the page is made."""
    html = report_html(_page(comparison), templates, PAGE)
    write_json(output_folder / COMPARISON, comparison.model_dump(mode="json"))
    write_text(output_folder / PAGE, html)


def index_sentences(comparison: Comparison) -> list[str]:
    """A sentence for each pair of machines and study, every number with its address in `comparison.json`."""
    found = sourced(comparison, f"{COMPARISON}#")
    return [
        f"Study {study.name} on {pair.first} and {pair.second}: {_same_sentence(pair)} {_ratio_sentence(pair)}"
        for study in found.studies
        for pair in study.pairs
    ]


def _page(comparison: Comparison) -> Page:
    """The whole page; every number on it knows its address in `comparison.json`."""
    found = sourced(comparison, f"{COMPARISON}#")
    missing = [
        Paragraph(f"Study {study.name} has not been published by {', '.join(study.missing)}.")
        for study in found.studies
        if study.missing
    ]
    method = {"level": units.confidence(found.confidence), "resamples": units.count(found.resamples)}
    how = tuple(Paragraph(text.format_map(method)) for text in texts()["method"])
    why = Paragraph(texts()["why"])
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
            Section("overview", "Overview", (why, overview_table(found), machines_table(found), *missing)),
            *(
                _pair_section(f"{study.name}-{number}", study.name, pair)
                for study in found.studies
                for number, pair in enumerate(study.pairs, start=1)
            ),
            Section("method", "How this is compared", how),
        ),
    )


def _pair_section(key: str, study: str, pair: Pair) -> Section:
    """What one study says on two machines; `key` is its address within the page."""
    ranks, never = pair.per_edge_ranks, pair.no_break_even
    blocks: list[Block | None] = [
        Paragraph(f"{units.count(pair.rows)} measurements in {units.count(pair.cells)} cells are on both machines."),
        Paragraph(f"What must be the same: {_same_sentence(pair)}"),
        Paragraph(_ratio_sentence(pair)),
        Paragraph(_versions_sentence(pair)),
    ]
    for name, one in pair_tables(key, pair).items():
        blocks.append(one)
        if name == "checks":
            blocks += [Note(text) for text in dict.fromkeys(check.note for check in pair.checks if check.note)]
        elif name == "agreement" and pair.ratios:
            blocks.append(_ratios_figure(key, pair))
        elif name == "per-edge" and ranks is not None:
            blocks.append(
                Paragraph(
                    f"The ratios of time per edge of {units.count(ranks.series)} convolutions and policies rank alike "
                    f"with Kendall's tau {units.ratio(ranks.tau)} (p {units.probability(ranks.p_value)} under no "
                    "agreement)."
                )
            )
        elif name == "break-even" and never:
            blocks.append(
                Paragraph(
                    f"{units.count(never)} ratios of a policy stay on the same side of their threshold at every "
                    "density on both machines."
                )
            )
    shown = tuple(block for block in blocks if block is not None)
    return Section(key, f"{study}: {pair.first} and {pair.second}", shown)


def _same_sentence(pair: Pair) -> str:
    """The results of the checks of what must be the same, a clause each."""
    if not pair.rows:
        return "they share the study's name and no measurement."
    return f"{'; '.join(map(_clause, pair.checks))}."


def _clause(check: Check) -> str:
    worst = "" if check.worst is None else units.share(check.worst)
    words: str = texts()["checks"][check.id][check.word]
    return words.format(count=units.count(check.matched), differ=units.count(check.differ), worst=worst)


def _ratio_sentence(pair: Pair) -> str:
    """How the time ratios of all cells agree, under each allocator."""
    whole = [one for one in pair.ratio_summaries if not one.convolution]
    if not whole:
        return "No time ratio is on both."
    return " ".join(_agreement(pair, one, several=len(whole) > 1) for one in whole)


def _agreement(pair: Pair, one: RatioSummary, *, several: bool) -> str:
    under = f"Under allocator {one.allocator} a" if several else "A"
    ranks = "they do not rank"
    if one.rank_agreement is not None:
        ranks = f"they rank alike with Kendall's tau {units.ratio_estimate(one.rank_agreement)}"
    return (
        f"{under} policy's time / none's is, in the median of {units.count(one.cells)} cells and policies, "
        f"{units.ratio_estimate(one.quotient)} times as large on {pair.second} as on {pair.first}; {ranks}."
    )


def _versions_sentence(pair: Pair) -> str:
    """Which versions of the measured libraries differ, and in how many cells code and settings were the same."""
    named = [
        f"{fact.place} {fact.first or 'unknown'} on the first, {fact.second or 'unknown'} on the second"
        for name in LIBRARIES
        for fact in pair.facts
        if fact.place == name
    ]
    versions = f"Other versions: {'; '.join(named)}." if named else "The libraries have the same versions."
    return (
        f"{versions} Code, libraries and settings were the same, by the records' fingerprints, in "
        f"{units.count(pair.same_code)} of {units.count(pair.cells)} cells that both have."
    )


def _ratios_figure(key: str, pair: Pair) -> Figure:
    """A panel for each convolution: one mark per cell and policy, at its time ratio on either machine."""
    values = [plain(one.estimate) for ratio in pair.ratios for one in (ratio.first, ratio.second)]
    x, y = (scales.ratio_scale(values, f"step time / none's, {slug}") for slug in (pair.first, pair.second))
    policies = list(dict.fromkeys(ratio.policy for ratio in pair.ratios))
    several = len({ratio.allocator for ratio in pair.ratios}) > 1
    panels, drawn_lines = [], []
    for number, ((allocator, convolution), ratios) in enumerate(
        grouped(pair.ratios, lambda ratio: (ratio.allocator, ratio.convolution))
    ):
        id, title = f"ratios-{key}-{number}", f"{convolution}, allocator {allocator}" if several else convolution
        by_policy = {policy: [ratio for ratio in ratios if ratio.policy == policy] for policy in policies}
        lines = [Line(policy, tuple(map(_point, own))) for policy, own in by_policy.items() if own]
        drawn_lines.append(lines)
        panels.append(
            Panel(
                id=id,
                title=title,
                alternative=_alternative(title, pair, by_policy),
                svg=residual_panel(id, lines, looks(policies), x, y, diagonal=True),
                drawn=points_of(lines, x, y),
                convolution=convolution,
            )
        )
    return Figure(
        id=f"figure-{key}-ratios",
        caption=f"Step time of each policy / none's in the same cell: on {pair.first} and on {pair.second}.",
        how_to_read="Each mark is a cell and policy. On the line a policy costs the same share on both machines; above "
        f"it costs more on the second. Intervals are in the table below.{thinning(drawn_lines)}",
        panels=tuple(panels),
        source=COMPARISON,
    )


def _point(ratio: RatioPair) -> Point:
    second = ratio.second
    return Point(plain(ratio.first.estimate), plain(second.estimate), plain(second.low), plain(second.high))


def _alternative(title: str, pair: Pair, by_policy: dict[str, list[RatioPair]]) -> str:
    """For each policy how many marks there are, and where they lie on either machine."""
    sentences = [
        f"Scatter chart, {title}: step time / none's on {pair.second} against that on {pair.first}, one mark a cell, "
        "with the line on which both are equal."
    ]
    for policy, own in by_policy.items():
        if own:
            sides = {pair.first: [one.first.estimate for one in own], pair.second: [one.second.estimate for one in own]}
            spans = [f"{units.ratio(min(side))} to {units.ratio(max(side))} on {slug}" for slug, side in sides.items()]
            whole = next(one for one in pair.ratio_summaries if _series(one) == _series(own[0]))
            sentences.append(
                f"Policy {policy}, {units.count(whole.cells)} marks: {', '.join(spans)}; in the median "
                f"{units.ratio_estimate(whole.quotient)} times as much on the second."
            )
    return " ".join(sentences)


def _series(one: RatioSummary | RatioPair) -> tuple[str, str, str]:
    return one.convolution, one.policy, one.allocator
