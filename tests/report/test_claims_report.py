"""Each claim is printed once with a verdict for each convolution, and beside them the report's own audit."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from lxml.html import fromstring, tostring

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.claims.ledger import Claim, Ledger
from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.grades import graded
from gnn_checkpointing.report.html import report_html
from gnn_checkpointing.report.index import Compared, render_index
from gnn_checkpointing.report.sections.claims import ClaimItem, Claims
from gnn_checkpointing.report.texts import TEMPLATES
from gnn_checkpointing.sourced import bare
from pages import whole
from synthetic import inputs as synthetic
from synthetic.results import about, made

from .reading import Text, block, pdf_text, prose


def tables(ledger: Ledger) -> list[Claims]:
    found = section(synthetic.inputs(ledger=ledger), "claims")
    return [one for one in found.blocks if isinstance(one, Claims)] if found else []


def item(ledger: Ledger, id: str) -> ClaimItem:
    (found,) = [one for table in tables(ledger) for one in table.items if one.id == id]
    return found


def fact(found: ClaimItem, name: str) -> str:
    return {one.name: one.value for one in found.facts}.get(name, "")


def test_a_sentence_is_printed_once_with_a_verdict_for_each_convolution(ledger: Ledger) -> None:
    judged = tables(ledger)
    assert [table.id for table in judged] == ["claims-study", "claims-literature", "claims-seed"]
    assert len(judged[2].items) == 12
    verdicts = [[outcome.verdict for outcome in one.outcomes] for table in judged for one in table.items]
    tested = Counter(claim.verdict for claim in ledger.claims if claim.verdict != "untested")
    assert Counter(verdict for own in verdicts for verdict in own if verdict != "untested") == tested
    assert tested.total() > 60
    assert ["untested"] not in [sorted(set(own)) for own in verdicts[: -len(judged[2].items)]]
    ids = [one.id for table in judged for one in table.items]
    assert len(ids) == len(set(ids))
    found = item(ledger, "layers-lower-the-peak:layers")
    assert found.sentence == (
        "On the densest graphs, checkpointing whole layers lowers the activation peak of each convolution."
    )
    assert [(one.about, one.verdict, one.estimate) for one in found.outcomes] == [
        ("GATv2", "refuted", "1"),
        ("GCN", "supported", "0.5"),
        ("SAGE (100 layers)", "supported", "0.21"),
        ("SAGE (200 layers)", "supported", "0.205"),
        ("SAGE (50 layers)", "supported", "0.22"),
    ]


@pytest.mark.parametrize(("reach", "text"), [(0.00001, "0.253"), (0.002, "0.253 (0.251\N{EN DASH}0.255)")])
def test_an_interval_that_no_digit_shows_is_left_out(ledger: Ledger, reach: float, text: str) -> None:
    known = ledger.claims[0].model_copy(update={"estimate": about(0.253, reach)})
    (table,) = tables(ledger.model_copy(update={"claims": [known]}))
    assert table.items[0].outcomes[0].estimate == text


def test_what_a_claim_rests_on_is_printed_with_it(ledger: Ledger) -> None:
    found = item(ledger, "layers-stop-saving-within-the-range:layers")
    reason = fact(found, "Reason")
    assert found.wants == ""
    assert reason.startswith("GATv2: at average degree 128, the densest of 2 levels; it rises through 0.99")
    assert "; GCN, SAGE (100 layers), SAGE (200 layers), SAGE (50 layers): no band along density was found" in reason
    found = item(ledger, "mlsys-edge-intermediates:GATv2")
    assert "at least 90 % of GATv2's activation peak" in found.sentence
    assert fact(found, "Conditions").startswith("CPU, 1 thread")
    assert "MLSys 2022" in fact(found, "Source")
    wants = {"kind": "seed", "verdict": "untested", "estimate": None, "reason": "no weights are there"}
    ((found,),) = (one.items for one in tables(ledger.model_copy(update={"claims": [made(Claim, **wants)]})))
    assert (found.wants, fact(found, "Reason")) == ("no weights are there", "")
    place = "analysis/effects.json#/rows/…/activation_ratio"
    assert fact(item(ledger, "anemoi-chunks-memory:GATv2:edge_blocks"), "Evidence") == f"{place} / {place}"


def test_the_counts_add_up(ledger: Ledger) -> None:
    table = block(section(synthetic.inputs(ledger=ledger), "claims"), "table-claims")
    rows = [[int(cell) if cell.isdecimal() else 0 for cell in row[1:]] for row in table.rows]
    assert sum(row[1] for row in rows) == len(ledger.claims)
    assert all(row[1] == sum(row[2:]) for row in rows)


def test_every_claim_is_on_the_page_which_stays_small(ledger: Ledger) -> None:
    html = report_html(documents(synthetic.inputs(ledger=ledger), {}).appendix, TEMPLATES, "appendix.html")
    printed = fromstring(html).get_element_by_id("claims")
    said = [words for found in tables(ledger) for one in found.items for words in (one.sentence, one.wants)]
    seen = " ".join(printed.text_content().split())
    assert all(words in seen for words in said)
    assert len(printed.find_class("verdict")) == sum(len(one.outcomes) for t in tables(ledger) for one in t.items)
    assert len(tostring(printed)) < 150_000


def test_a_ledger_without_claims_says_so() -> None:
    nothing = Ledger(study="x", hardware="y", confidence=0.95, claims=[])
    assert prose(section(synthetic.inputs(ledger=nothing), "claims")) == "This study judges no claims."


def test_a_claim_of_an_older_ledger_is_printed_as_it_stands() -> None:
    """Without `in_general`, a sentence has no form that holds for each convolution."""
    old = [
        made(Claim, id=f"old:{name}", convolution=name, sentence="An old sentence.", verdict="refuted", estimate=None)
        for name in ("GCN", "SAGE")
    ]
    (table,) = tables(Ledger(study="x", hardware="y", confidence=0.95, claims=old))
    assert [one.sentence for one in table.items] == ["An old sentence."]


def test_claims_and_checks_that_do_not_apply_are_counted_and_not_listed(ledger: Ledger) -> None:
    """Seven claims on what was not measured and one verdict, as in a study of one graph."""
    untested = [
        made(Claim, id=f"c{number}", sentence=f"Sentence {number}.", verdict="untested", estimate=None)
        for number in range(7)
    ]
    known = ledger.claims[0].model_copy(update={"sentence": "It was tested.", "in_general": "", "verdict": "refuted"})
    alone = ledger.model_copy(update={"claims": [*untested, known]})
    assert [item.sentence for table in tables(alone) for item in table.items] == ["It was tested."]
    said = prose(section(synthetic.inputs(ledger=alone), "claims"))
    assert "7 judgements need what this study does not measure" in said


def test_every_check_that_applies_is_listed_with_a_word_for_its_answer_and_the_score_counts() -> None:
    found = section(synthetic.inputs(), "claims.audit")
    assert "1 of 2 checks passed; 1 more does not apply to this study and is in audit.json alone" in prose(found)
    (_, *alone), (_, *steady) = ([bare(cell) for cell in row] for row in block(found, "table-audit").rows)
    assert alone[:2] == ["passed", "0 of 108 cells overlapped another"]
    assert (steady[0], steady[3]) == ("FAILED", "analysis/quality.json: sentinel_drift.median")
    assert steady[1].startswith("median drift: 5.607 %")
    passed = graded("default", "laptop", synthetic.audit().checks[:1])
    assert "1 of 1 checks passed." in prose(section(synthetic.inputs(audit=passed), "claims.audit"))


def test_the_report_says_its_score_and_what_failed_in_both_faces(rendered: Path) -> None:
    html = Text(whole(rendered / "report.html")).text
    flat = pdf_text(rendered / "report.pdf")
    for page in (html.replace("1 of 2 .", "1 of 2."), flat):
        assert "passes 1 of 2" in page.replace(" 1  of  2", " 1 of 2")
        assert "Was the machine steady?" in page


def test_the_grades_are_published_and_told_to_the_index(rendered: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(rendered, tmp_path / "reports" / "laptop" / "default"))
    assert bounded_bytes(folder / "audit.json") == (rendered.parent / "audit.json").read_bytes()
    told = {"passed": 1, "applicable": 2, "failed": ["Was the machine steady?"]}
    assert read_json(folder / "summary.json")["audit"] == told
    render_index(tmp_path / "reports", TEMPLATES, tmp_path / "reports" / "index.html", Compared(()))
    assert "passes 1 of 2 checks of its own quality" in (tmp_path / "reports" / "index.html").read_text()
