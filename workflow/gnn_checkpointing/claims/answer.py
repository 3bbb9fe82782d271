"""The answer in at most five sentences, each with the verdict of the claims that it tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Effects
from gnn_checkpointing.claims.answer_words import Told, decided, listed, over_convolutions, share, times
from gnn_checkpointing.claims.evidence import Ratio, joined, levels
from gnn_checkpointing.claims.ledger import Ledger, Sentence
from gnn_checkpointing.claims.measured_policies import measured_sentences
from gnn_checkpointing.claims.rules import together
from gnn_checkpointing.sourced import counted, mark

MOST_SENTENCES = 5
_FAILURES = {"out_of_memory": "ran out of memory", "timed_out": "took too long", "failed": "failed"}


@dataclass(frozen=True)
class Summary:
    """A sentence for one claim of the catalogue over all convolutions: what was found, then what that decides."""

    claim: str
    lead: str
    part: Callable[[Told], str]
    tested: str
    ratio: Ratio = "activation_ratio"


# In the order of their weight: what only some studies ask comes first, and is what those are for.
SUMMARIES = (
    Summary(
        "family-leaves-memory",
        "On graphs of equal nodes and edges, the share of the activation peak that whole layers checkpointed keep is, "
        "on other families of graphs, relative to that on the reference family (median and span),",
        lambda told: f"{times(told.estimate)} with {told.convolution}",
        "the family moves it by at most 5 %",
    ),
    Summary(
        "family-leaves-time",
        "On graphs of equal nodes and edges, a step with whole layers checkpointed, divided by one without, takes, on "
        "other families of graphs, relative to the reference family (median and span),",
        lambda told: f"{times(told.estimate)} times as long with {told.convolution}",
        "the family moves it by at most 10 %",
        "time_ratio",
    ),
    Summary(
        "layers-lower-the-peak-of-batches",
        "On mini-batches (median and span over their sizes), checkpointing whole layers keeps, of the activation peak "
        "without it,",
        lambda told: f"{share(told.estimate)} with {told.convolution}",
        "it lowers the peak of each",
    ),
    Summary(
        "edge-blocks-peak-below-layers-in-batches",
        "On mini-batches (median and span over their sizes), policy {policy} peaks, relative to whole layers "
        "checkpointed, at",
        lambda told: f"{share(told.estimate)} with {told.convolution}",
        "it lowers the peak of each further",
    ),
    Summary(
        "layers-lower-the-peak",
        "On the densest graphs ({densest}), checkpointing whole layers keeps, of the activation peak without it,",
        lambda told: f"{share(told.estimate)} with {told.convolution}",
        "it lowers the peak",
    ),
    Summary(
        "layers-save-less-when-dense",
        "From the sparsest graphs to the densest, the share of the activation peak that whole layers checkpointed keep "
        "goes",
        lambda told: _from_sparsest_to_densest(told),
        "it saves a smaller share of a denser graph's peak",
    ),
    Summary(
        "layers-cost-time",
        "On the densest graphs ({densest}), a training step with whole layers checkpointed takes",
        lambda told: f"{times(told.estimate)} times as long with {told.convolution}",
        "it is slower",
        "time_ratio",
    ),
    Summary(
        "edge-blocks-peak-below-layers",
        "On the densest graphs ({densest}), policy {policy} peaks, relative to whole layers checkpointed, at",
        lambda told: f"{share(told.estimate)} with {told.convolution}",
        "it lowers the peak further than they do",
    ),
    Summary(
        "edge-blocks-no-slower-than-layers",
        "On the densest graphs ({densest}), a training step with policy {policy} takes, relative to whole layers "
        "checkpointed,",
        lambda told: f"{times(told.estimate)} times as long with {told.convolution}",
        "it takes no longer than they do",
        "time_ratio",
    ),
    Summary(
        "edge-blocks-are-flat-in-density",
        "With policy {policy}, one more edge costs, of the activation bytes that it costs without checkpointing,",
        lambda told: f"{share(told.estimate)} with {told.convolution}",
        "it costs at most 1 %",
    ),
    Summary(
        "layers-lower-the-peak-on-real-graphs",
        "On the real graphs (median and span), checkpointing whole layers keeps, of the activation peak without it,",
        lambda told: f"{share(told.estimate)} with {told.convolution}",
        "it lowers the peak on each of them",
    ),
    Summary(
        "layers-cost-time-on-real-graphs",
        "On the real graphs (median and span), a training step with whole layers checkpointed takes",
        lambda told: f"{times(told.estimate)} times as long with {told.convolution}",
        "it is slower on each of them",
    ),
    Summary(
        "edge-blocks-peak-below-layers-on-real-graphs",
        "On the real graphs (median and span), policy {policy} peaks, relative to whole layers checkpointed, at",
        lambda told: f"{share(told.estimate)} with {told.convolution}",
        "it lowers the peak further on each of them",
    ),
)


def answer(ledger: Ledger, findings: Findings) -> list[Sentence]:
    """Return up to five sentences with numbers, those on graded densities first."""
    said = [sentence for summary in SUMMARIES for sentence in _sentences(summary, ledger, findings.effects)]
    # A claim of the catalogue may be about none of the policies that were compared.
    return (said or measured_sentences(findings))[:MOST_SENTENCES] or [_nothing_compared(findings)]


def _nothing_compared(findings: Findings) -> Sentence:
    """Say what became of every policy where none did not run to its end beside another one."""
    failed: dict[str, str] = {}
    for failure in findings.quality.failures:
        failed.setdefault(failure["policy"], _FAILURES.get(failure["outcome"], failure["outcome"]))
    for absences, words in (
        (findings.quality.refused, "was refused"),
        (findings.quality.unavailable, "was unavailable"),
    ):
        for absence in absences:
            failed.setdefault(absence.policy, words)
    ended = sorted({row["policy"] for row in findings.quality.not_compared})
    parts = [f"{policy} {words}" for policy, words in sorted(failed.items(), key=lambda item: item[0] != "none")]
    parts += [f"{policy} ran to its end" for policy in ended]
    laws = counted(findings.regressions.laws)
    parts += [f"{mark(str(laws), laws)} laws of single policies were fitted" if laws else "no law was fitted"]
    return Sentence(
        text=f"This study compares no policy with none, since no such pair ran to its end: {listed(parts)}.",
        verdict="untested",
        evidence="analysis/quality.json: outcomes, failures",
    )


def _sentences(summary: Summary, ledger: Ledger, effects: Effects) -> list[Sentence]:
    told = _told(summary.claim, ledger, effects)
    if not told:
        return []
    lead = summary.lead.format(policy=told[0].policy, densest=_densest(told, summary.ratio))
    return [
        Sentence(
            text=f"{lead} {over_convolutions(summary.part, told)}. {decided(summary.tested, told)}",
            verdict=together([one.verdict for one in told]),
            evidence=joined(one.evidence for one in told),
        )
    ]


def _told(claim: str, ledger: Ledger, effects: Effects) -> list[Told]:
    """Return the claims of this kind that have an estimate, of the first of a policy's variants."""
    found = []
    for candidate in ledger.claims:
        kind, convolution, policy = (*candidate.id.split(":"), "", "")[:3]
        if kind == claim and candidate.estimate is not None:
            found.append(Told(candidate.estimate, candidate.verdict, candidate.evidence, convolution, policy, effects))
    return [one for one in found if one.policy == found[0].policy]


def _densest(told: Sequence[Told], ratio: Ratio) -> str:
    """Return the densest level of each convolution, or their span where memory ended some earlier."""
    ends = [found[-1].level for one in told if (found := levels(one.effects, one.convolution, one.policy, ratio))]
    distinct = sorted(set(ends), key=float)
    return "average degree " + " to ".join(dict.fromkeys((distinct[0], distinct[-1]))) if distinct else ""


def _from_sparsest_to_densest(told: Told) -> str:
    found = levels(told.effects, told.convolution, told.policy)
    sparsest, densest = found[0], found[-1]
    return (
        f"from {share(sparsest.activation_ratio)} at average degree {sparsest.level} to "
        f"{share(densest.activation_ratio)} at {densest.level} with {told.convolution}"
    )
