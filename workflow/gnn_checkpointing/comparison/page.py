"""The page of a comparison as data: an overview of all pairs of machines, then each study and pair in full."""

from __future__ import annotations

from gnn_checkpointing.comparison.checks import LIBRARIES
from gnn_checkpointing.comparison.figure import ratios_figure
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import Comparison, Pair, StudyCompared
from gnn_checkpointing.comparison.tables import (
    alone_table,
    break_evens_table,
    checks_table,
    differences_table,
    findings_table,
    machines_table,
    overview_table,
    per_edge_table,
    ratios_table,
    summaries_table,
    throughput_table,
)
from gnn_checkpointing.comparison.words import missing_sentence, ratio_sentence, same_sentence, versions_sentence
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.page import Block, Note, Page, Paragraph, Score, Section
from gnn_checkpointing.sourced import counted, sourced


def comparison_page(comparison: Comparison) -> Page:
    """Return the whole page; every number on it knows its address in `comparison.json`."""
    found = sourced(comparison, f"{COMPARISON}#")
    return Page(
        title="Machines compared",
        subtitle="The same studies on other hardware: what must be the same, and how alike times rank",
        date="",
        facts=(
            Fact("Machines", units.count(counted(found.machines))),
            Fact("Studies on two or more", units.count(counted(found.studies))),
            Fact("Findings", units.count(found.findings)),
        ),
        lead=None,
        score=Score("", ()),
        sections=(
            _overview(found),
            *(
                _pair_section(f"{study.name}-{number}", study, pair)
                for study in found.studies
                for number, pair in enumerate(study.pairs, start=1)
            ),
            _method(found),
        ),
    )


def _overview(found: Comparison) -> Section:
    missing = [text for study in found.studies if (text := missing_sentence(study))]
    return Section(
        "overview",
        "Overview",
        (
            Paragraph(
                "Bytes follow from the graph, the model and the policy, so two machines must agree on them; a "
                "difference is a finding. Seconds are each machine's own: what can agree is their ratio to those of "
                "policy none in the same cell, and the order of such ratios."
            ),
            overview_table(found),
            machines_table(found),
            *(Paragraph(text) for text in missing),
        ),
    )


def _pair_section(key: str, study: StudyCompared, pair: Pair) -> Section:
    """Return what one study says on two machines; `key` is its address within the page."""
    blocks: list[Block] = [
        Paragraph(f"{units.count(pair.rows)} measurements in {units.count(pair.cells)} cells are on both machines."),
        Paragraph(f"What must be the same: {same_sentence(pair)}"),
        Paragraph(ratio_sentence(pair)),
        Paragraph(versions_sentence(pair, LIBRARIES)),
    ]
    blocks += [checks_table(key, pair)]
    blocks += [Note(text) for text in dict.fromkeys(check.note for check in pair.checks if check.note)]
    if pair.findings:
        blocks.append(findings_table(key, pair))
    if pair.ratios:
        blocks += [summaries_table(key, pair), ratios_figure(key, pair), ratios_table(key, pair)]
    if pair.throughput:
        blocks.append(throughput_table(key, pair))
    blocks += _densities(key, pair)
    blocks += _around(key, pair)
    return Section(key, f"{study.name}: {pair.first} and {pair.second}", tuple(blocks))


def _densities(key: str, pair: Pair) -> list[Block]:
    """Return time per edge and break-even densities, where there are laws and trends on both machines."""
    blocks: list[Block] = []
    if pair.per_edge:
        blocks.append(per_edge_table(key, pair))
    ranks = pair.per_edge_ranks
    if ranks is not None:
        blocks.append(
            Paragraph(
                f"The ratios of time per edge of {units.count(ranks.series)} convolutions and policies rank alike with "
                f"Kendall's tau {units.ratio(ranks.tau)} (p {units.probability(ranks.p_value)} under no agreement)."
            )
        )
    if pair.break_evens:
        blocks.append(break_evens_table(key, pair))
    if pair.no_break_even:
        blocks.append(
            Paragraph(
                f"{units.count(pair.no_break_even)} ratios of a policy stay on the same side of their threshold at "
                "every density on both machines."
            )
        )
    return blocks


def _around(key: str, pair: Pair) -> list[Block]:
    """Return what differs around the measurements: machines, settings, what only one has or decides."""
    listed = (
        ("facts", "What hardware.json says otherwise of the two machines.", pair.facts),
        ("settings", "What the two studies ask otherwise though they share a name.", pair.settings),
        ("outcomes", "Measurements that ended otherwise on either machine.", pair.outcomes),
        ("half", "Claims that one machine decides and the other leaves open.", pair.half_decided),
    )
    blocks: list[Block] = [
        differences_table(key, name, caption, pair, differences) for name, caption, differences in listed if differences
    ]
    if pair.alone:
        blocks.append(alone_table(key, pair))
    return blocks


def _method(found: Comparison) -> Section:
    level = units.confidence(found.confidence)
    return Section(
        "method",
        "How this is compared",
        (
            Paragraph(
                "Measurements of two machines are one where their cell and policy are: a cell's id names its graph, "
                "architecture, aggregation and allocator. Folders are taken as published; whether one can be believed "
                "is what the command validate says."
            ),
            Paragraph(
                "A quotient is the second machine's ratio over the first's; the ratio itself is formed within a "
                "machine, policy over none in the same rounds, so a faster clock leaves it as it is. Its "
                f"{level} interval resamples graphs whole, {units.count(found.resamples)} times, and is never narrower "
                "than the cells' own intervals leave open."
            ),
            Paragraph(
                "Rank agreement is Kendall's tau-b: one where any two cells stand in the same order on both machines, "
                "zero where the orders have nothing in common. Its interval resamples graphs whole; noise of timing "
                "alone keeps tau below one where many ratios are nearly equal."
            ),
        ),
    )
