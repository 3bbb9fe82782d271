"""The catalogue was written before the data: its ids are unique, its sentences hold no results, its rules are fixed."""

import re
import string
from pathlib import Path

import pytest

from gnn_checkpointing.analysis.results import SAVES_BELOW
from gnn_checkpointing.claims.catalogue import OWN, catalogue
from gnn_checkpointing.claims.rules import at_least, below
from synthetic.findings import empty, ledger, synthetic

NUMBER = re.compile(r"\d+(?:\.\d+)?")
FIRST = [
    "layers-lower-the-peak",
    "layers-cost-time",
    "layers-save-less-when-dense",
    "layers-take-fewer-bytes-per-edge",
    "edge-blocks-are-flat-in-density",
    "edge-blocks-peak-below-layers",
    "edge-blocks-no-slower-than-layers",
    "hydragnn-time",
]


def test_every_template_has_an_id_of_its_own() -> None:
    ids = [template.id for template in catalogue()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id) for id in ids)


def test_the_claims_of_the_first_reports_keep_their_ids_and_their_order() -> None:
    """New ones may come between them."""
    assert [template.id for template in catalogue() if template.id in FIRST] == FIRST


def test_the_default_study_judges_at_least_thirty_claims_of_its_own_and_others() -> None:
    """Three convolutions and the policies none, layers and edge_blocks, without real graphs."""
    claims = ledger(synthetic()).claims
    templates = {claim.id.partition(":")[0] for claim in claims}
    tested = {claim.id.partition(":")[0] for claim in claims if claim.verdict != "untested"}
    assert len(templates) >= 30
    assert len(tested) >= 30
    assert len({claim.id for claim in claims}) == len(claims)


def test_no_own_sentence_holds_a_number_but_its_rule() -> None:
    """5 % is 0.05, or 0.95 and 1.05, in the rule. The literature's and the seeds' numbers are theirs."""
    for template in catalogue():
        rule = [float(number) for number in NUMBER.findall(template.rule.words)]
        # The saving of 1 % at which a policy breaks even is the query's; "in 100" is how a share is told.
        said = template.sentence.replace("in 100", "").replace("more than 1 %", "")
        for number in map(float, NUMBER.findall(said)) if template.kind == "study" else ():
            meant = (number, number / 100, 1 + number / 100, 1 - number / 100)
            assert any(one == pytest.approx(threshold) for one in meant for threshold in rule), template.sentence


def test_sentences_name_nothing_but_convolution_and_policy() -> None:
    for template in catalogue():
        names = {name for _, name, _, _ in string.Formatter().parse(template.sentence) if name is not None}
        asked = {"convolution"} if not template.of_study else set()
        assert asked <= names <= {"convolution", "policy"}, template.id
        assert template.policy or "policy" not in names, template.id


def test_the_kind_follows_the_source() -> None:
    assert all((template.source == OWN) == (template.kind == "study") for template in catalogue())


def test_a_new_claim_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is judged for each convolution, after all others."""
    (tmp_path / "mine.yaml").write_text(
        "claims: {mine: {sentence: 'Layers halve {convolution}.', policy: layers, query: {at_densest: memory_ratio}, "
        "rule: {below: 0.5}}}"
    )
    before, known = ledger(empty()).claims, catalogue()
    monkeypatch.setattr("gnn_checkpointing.claims.judge.catalogue", lambda: [*known, *catalogue(tmp_path)])
    after = ledger(empty()).claims
    assert after[: len(before)] == before
    assert [one.id for one in after[len(before) :]] == ["mine:GATv2:layers", "mine:GCN:layers"]
    assert after[-1].quantity == "peak memory, layers / none, at the densest level"


def test_the_claim_of_a_policy_that_stops_saving_has_the_threshold_of_the_analysis() -> None:
    rules = {template.id: template.rule.words for template in catalogue()}
    assert rules["layers-stop-saving-within-the-range"] == at_least(SAVES_BELOW).words
    assert rules["edge-blocks-save-at-every-density"] == below(SAVES_BELOW).words
