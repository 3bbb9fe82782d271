"""What a comparison says in sentences; the index prints them, too."""

from __future__ import annotations

from gnn_checkpointing.comparison.checks import LIBRARIES
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import Check, Comparison, Pair, RatioSummary
from gnn_checkpointing.report import units
from gnn_checkpointing.sourced import sourced

_WORDS = {
    ("graphs", "same"): "the graphs are the same ({count})",
    ("graphs", "different"): "{differ} of {count} graphs are not the same",
    ("graphs", "not compared"): "no graph is on both",
    ("saved-bytes", "same"): "the saved bytes are the same in {count} of {count} measurements",
    ("saved-bytes", "different"): "the saved bytes differ in {differ} of {count} measurements (largest difference "
    "{worst})",
    ("saved-bytes", "not compared"): "no saved bytes can be compared",
    ("bytes-per-edge", "same"): "the bytes per edge are the same in {count} of {count} laws",
    ("bytes-per-edge", "different"): "the bytes per edge differ in {differ} of {count} laws (largest difference "
    "{worst})",
    ("bytes-per-edge", "not compared"): "no law of memory is on both",
    ("verdicts", "same"): "no verdict is turned round ({count} claims are decided on both)",
    ("verdicts", "different"): "{differ} of {count} verdicts that are decided on both go the other way",
    ("verdicts", "not compared"): "no claim is decided on both",
}


def index_sentences(comparison: Comparison) -> list[str]:
    """A sentence for each pair of machines and study, every number with its address in `comparison.json`."""
    found = sourced(comparison, f"{COMPARISON}#")
    return [
        f"Study {study.name} on {pair.first} and {pair.second}: {same_sentence(pair)} {ratio_sentence(pair)}"
        for study in found.studies
        for pair in study.pairs
    ]


def same_sentence(pair: Pair) -> str:
    """The results of the checks of what must be the same, a clause each."""
    if not pair.rows:
        return "they share the study's name and no measurement."
    return f"{'; '.join(map(_check_words, pair.checks))}."


def ratio_sentence(pair: Pair) -> str:
    """How the time ratios of all cells agree, under each allocator."""
    whole = [one for one in pair.ratio_summaries if not one.convolution]
    if not whole:
        return "No time ratio is on both."
    return " ".join(_agreement(pair, one, several=len(whole) > 1) for one in whole)


def versions_sentence(pair: Pair) -> str:
    """Which versions of the measured libraries differ, and in how many cells code and settings were the same."""
    differ = {fact.place: fact for fact in pair.facts}
    named = [
        f"{name} {differ[name].first or 'unknown'} on the first, {differ[name].second or 'unknown'} on the second"
        for name in LIBRARIES
        if name in differ
    ]
    versions = f"Other versions: {'; '.join(named)}." if named else "The libraries have the same versions."
    return (
        f"{versions} Code, libraries and settings were the same, by the records' fingerprints, in "
        f"{units.count(pair.same_code)} of {units.count(pair.cells)} cells that both have."
    )


def _check_words(check: Check) -> str:
    worst = "" if check.worst is None else units.share(check.worst)
    words = _WORDS[check.id, check.word]
    return words.format(count=units.count(check.matched), differ=units.count(check.differ), worst=worst)


def _agreement(pair: Pair, one: RatioSummary, *, several: bool) -> str:
    under = f"Under allocator {one.allocator} a" if several else "A"
    ranks = (
        "they do not rank"
        if one.rank_agreement is None
        else f"they rank alike with Kendall's tau {units.ratio_estimate(one.rank_agreement)}"
    )
    return (
        f"{under} policy's time / none's is, in the median of {units.count(one.cells)} cells and policies, "
        f"{units.ratio_estimate(one.quotient)} times as large on {pair.second} as on {pair.first}; {ranks}."
    )
