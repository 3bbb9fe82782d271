"""Sentences on policies that were compared with none and that no claim of the catalogue is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.claims.answer_words import Told, decided, over_convolutions, share, times
from gnn_checkpointing.claims.evidence import Picked, Ratio, at_densest, joined
from gnn_checkpointing.claims.evidence.effects import EFFECTS
from gnn_checkpointing.claims.ledger import Sentence
from gnn_checkpointing.claims.rules import Above, Below, Rule, together


@dataclass(frozen=True)
class Place:
    """Graphs on which policies were compared: what they are called, the effects on them, and where these stand."""

    words: str
    effects: Sequence[Effect]
    address: str


@dataclass(frozen=True)
class Question:
    """What is said of a policy, and the rule that decides it."""

    ratio: Ratio
    words: str
    part: Callable[[Told], str]
    tested: str
    rule: Rule


QUESTIONS = (
    Question(
        "activation_ratio",
        "policy {policy} keeps, of the activation peak without it,",
        lambda told: f"{share(told.estimate)} with {told.convolution}",
        "it lowers the peak",
        Below(1.0),
    ),
    Question(
        "time_ratio",
        "a training step with policy {policy} takes",
        lambda told: f"{times(told.estimate)} times as long as without it with {told.convolution}",
        "it is slower",
        Above(1.0),
    ),
)


def measured_sentences(findings: Findings) -> list[Sentence]:
    """Return a sentence for each policy on its memory, then one for each on its time, on the first graphs of these:
    generated, real, of other families, graded, mini-batches.
    """
    for place in _places(findings):
        policies = dict.fromkeys(effect.policy for effect in place.effects)
        found = [_sentence(findings, place, policy, question) for question in QUESTIONS for policy in policies]
        if any(found):
            return [sentence for sentence in found if sentence is not None]
    return []


def _places(findings: Findings) -> list[Place]:
    effects, variants = findings.effects, findings.variants
    return [
        Place("On the densest graphs", effects.generated, ""),
        Place("On the real graphs (median and span)", effects.real, f"{EFFECTS}: real"),
        Place("On the families of graphs (median and span)", variants.families, f"{EFFECTS}: families"),
        Place("On the graded graphs (median and span)", variants.graded, f"{EFFECTS}: graded"),
        Place("On batches (median and span)", variants.batches, f"{EFFECTS}: batches"),
    ]


def _sentence(findings: Findings, place: Place, policy: str, question: Question) -> Sentence | None:
    told, levels = [], []
    for convolution in dict.fromkeys(effect.convolution for effect in place.effects if effect.policy == policy):
        picked = _picked(findings, place, convolution, policy, question.ratio)
        if picked.summary is not None:
            verdict = question.rule.verdict(picked.estimates)
            told.append(Told(picked.summary, verdict, picked.evidence, convolution, policy, findings.effects))
            levels += [] if place.address else [_densest(place, convolution, policy, question.ratio)]
    if not told:
        return None
    ends = [f"{level:g}" for level in sorted({min(levels), max(levels)})] if levels else []
    where = f"{place.words} (average degree {' to '.join(ends)})" if ends else place.words
    return Sentence(
        text=f"{where}, {question.words.format(policy=policy)} {over_convolutions(question.part, told)}. "
        f"{decided(question.tested, told)}",
        verdict=together([one.verdict for one in told]),
        evidence=joined(one.evidence for one in told),
    )


def _picked(findings: Findings, place: Place, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio at the densest level of generated graphs, of others all of them."""
    if not place.address:
        return at_densest(findings, convolution, policy, ratio)
    found = [e for e in _of(place, convolution, policy) if getattr(e, ratio) is not None]
    key = f"{place.address}[convolution={convolution},policy={policy}].{ratio}"
    return Picked(tuple(getattr(effect, ratio) for effect in found), key if found else "", "")


def _densest(place: Place, convolution: str, policy: str, ratio: Ratio) -> float:
    return max(float(e.level) for e in _of(place, convolution, policy) if getattr(e, ratio) is not None)


def _of(place: Place, convolution: str, policy: str) -> list[Effect]:
    return [e for e in place.effects if (e.convolution, e.policy) == (convolution, policy)]
