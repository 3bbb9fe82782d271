"""The page of a comparison as data: an overview of all pairs of machines, then each study and pair in full."""

from __future__ import annotations

from gnn_checkpointing.comparison.figure import ratios_figure
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import Comparison, Pair
from gnn_checkpointing.comparison.tables import machines_table, overview_table, pair_tables
from gnn_checkpointing.comparison.words import ratio_sentence, same_sentence, versions_sentence
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.page import Block, Note, Page, Paragraph, Section
from gnn_checkpointing.sourced import counted, sourced

_WHY = (
    "Bytes follow from the graph, the model and the policy, so two machines must agree on them; a difference is a "
    "finding. Seconds are each machine's own: what can agree is their ratio to those of policy none in the same cell, "
    "and the order of such ratios."
)
_METHOD = (
    "Measurements of two machines are one where their cell and policy are: a cell's id names its graph, architecture, "
    "aggregation and allocator. Folders are taken as published; whether one can be believed is what the command "
    "validate says.",
    "A quotient is the second machine's ratio over the first's; the ratio itself is formed within a machine, policy "
    "over none in the same rounds, so a faster clock leaves it as it is. Its {level} interval resamples graphs whole, "
    "{resamples} times, and is never narrower than the cells' own intervals leave open.",
    "Rank agreement is Kendall's tau-b: one where any two cells stand in the same order on both machines, zero where "
    "the orders have nothing in common. Its interval resamples graphs whole; noise of timing alone keeps tau below one "
    "where many ratios are nearly equal.",
)


def comparison_page(comparison: Comparison) -> Page:
    """The whole page; every number on it knows its address in `comparison.json`."""
    found = sourced(comparison, f"{COMPARISON}#")
    missing = [
        f"Study {study.name} has not been published by {', '.join(study.missing)}."
        for study in found.studies
        if study.missing
    ]
    tables = (overview_table(found), machines_table(found))
    method = {"level": units.confidence(found.confidence), "resamples": units.count(found.resamples)}
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
            Section("overview", "Overview", (Paragraph(_WHY), *tables, *map(Paragraph, missing))),
            *(
                _pair_section(f"{study.name}-{number}", study.name, pair)
                for study in found.studies
                for number, pair in enumerate(study.pairs, start=1)
            ),
            Section("method", "How this is compared", tuple(Paragraph(text.format_map(method)) for text in _METHOD)),
        ),
    )


def _pair_section(key: str, study: str, pair: Pair) -> Section:
    """What one study says on two machines; `key` is its address within the page."""
    ranks, never = pair.per_edge_ranks, pair.no_break_even
    blocks: list[Block | None] = [
        Paragraph(f"{units.count(pair.rows)} measurements in {units.count(pair.cells)} cells are on both machines."),
        Paragraph(f"What must be the same: {same_sentence(pair)}"),
        Paragraph(ratio_sentence(pair)),
        Paragraph(versions_sentence(pair)),
    ]
    for name, one in pair_tables(key, pair).items():
        blocks.append(one)
        if name == "checks":
            blocks += [Note(text) for text in dict.fromkeys(check.note for check in pair.checks if check.note)]
        elif name == "agreement" and pair.ratios:
            blocks.append(ratios_figure(key, pair))
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
