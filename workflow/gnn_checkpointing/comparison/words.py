"""What a comparison says in sentences; the index prints them, too."""

from __future__ import annotations

from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import Check, Comparison, Difference, Pair, RatioSummary, StudyCompared
from gnn_checkpointing.report import units
from gnn_checkpointing.sourced import sourced

_SAME = {
    "graphs": "the graphs are the same ({count})",
    "saved-bytes": "the saved bytes are the same in {count} of {count} measurements",
    "bytes-per-edge": "the bytes per edge are the same in {count} of {count} laws",
    "verdicts": "no verdict is turned round ({count} claims are decided on both)",
}
_DIFFERENT = {
    "graphs": "{differ} of {count} graphs are not the same",
    "saved-bytes": "the saved bytes differ in {differ} of {count} measurements (largest difference {worst})",
    "bytes-per-edge": "the bytes per edge differ in {differ} of {count} laws (largest difference {worst})",
    "verdicts": "{differ} of {count} verdicts that are decided on both go the other way",
}
_NOTHING = {
    "graphs": "no graph is on both",
    "saved-bytes": "no saved bytes can be compared",
    "bytes-per-edge": "no law of memory is on both",
    "verdicts": "no claim is decided on both",
}


def index_sentences(comparison: Comparison) -> list[str]:
    """Return a sentence for each pair of machines and study, every number with its address in `comparison.json`."""
    found = sourced(comparison, f"{COMPARISON}#")
    return [
        f"Study {study.name} on {pair.first} and {pair.second}: {same_sentence(pair)} {ratio_sentence(pair)}"
        for study in found.studies
        for pair in study.pairs
    ]


def same_sentence(pair: Pair) -> str:
    """Return what came of the checks of what must be the same."""
    if not pair.rows:
        return "they share the study's name and no measurement."
    return f"{'; '.join(check_words(check) for check in pair.checks)}."


def check_words(check: Check) -> str:
    """Return what came of one check, as a clause."""
    if check.word == "not compared":
        return _NOTHING[check.id]
    words = _SAME if check.word == "same" else _DIFFERENT
    worst = "" if check.worst is None else units.share(check.worst)
    return words[check.id].format(count=units.count(check.matched), differ=units.count(check.differ), worst=worst)


def ratio_sentence(pair: Pair) -> str:
    """Return how the time ratios of all cells agree, under each allocator."""
    whole = [one for one in pair.ratio_summaries if not one.convolution]
    if not whole:
        return "No time ratio is on both."
    return " ".join(_agreement(pair, one, several=len(whole) > 1) for one in whole)


def versions_sentence(pair: Pair, libraries: tuple[str, ...]) -> str:
    """Return which versions of the measured libraries differ, and in how many cells code and settings were the same."""
    differ = {fact.place: fact for fact in pair.facts}
    named = [_versions(differ[name]) for name in libraries if name in differ]
    told = f"Other versions: {'; '.join(named)}." if named else "The libraries have the same versions."
    return (
        f"{told} Code, libraries and settings were the same, by the records' fingerprints, in "
        f"{units.count(pair.same_code)} of {units.count(pair.cells)} cells that both have."
    )


def missing_sentence(study: StudyCompared) -> str:
    """Return which machines have not published the study; nothing where all have."""
    if not study.missing:
        return ""
    return f"Study {study.name} has not been published by {', '.join(study.missing)}."


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


def _versions(fact: Difference) -> str:
    return f"{fact.place} {fact.first or 'unknown'} on the first, {fact.second or 'unknown'} on the second"
