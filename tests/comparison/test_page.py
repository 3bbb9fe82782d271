"""The page prints nothing that comparison.json does not say, and that nothing that the folders do not say."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from changed import in_json, in_table, table
from gnn_checkpointing.cli import main
from gnn_checkpointing.comparison.page import compare, render_comparison
from pages import whole
from rebuilt import copied, rebuilt
from report.derivation import Derivation, pieces_of, readings
from report.test_rebuild import WITHOUT_TORCH

from .conftest import Changed
from .machines import OWN, TEMPLATES, measured_on, page_of, two

DIGIT = re.compile(r"\d")


@pytest.fixture(scope="module")
def reports(changed: Changed) -> Path:
    return changed.reports


@pytest.fixture(scope="module")
def found(reports: Path) -> Any:
    return json.loads((reports / "comparison.json").read_text())


@pytest.mark.parametrize("name", ["comparison.html", "index.html"])
def test_every_number_is_what_its_address_says(reports: Path, name: str) -> None:
    derive = Derivation(reports)
    bound = [piece for piece in pieces_of((reports / name).read_text()) if piece.source]
    assert len(bound) > (1000 if name == "comparison.html" else 8)
    for piece in bound:
        assert piece.text in readings(derive.values(piece)), f"{piece.text!r} is not {piece.source} of {piece.file}"


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in comparison.json, which may have digits of its own; no number is one."""
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_of(item)


def test_no_number_stands_there_without_an_address(reports: Path, found: Any) -> None:
    known = {word.rstrip(".") for text in texts_of(found) for word in re.findall(r"[^\s;,():]+", text)}
    loose = [
        (word, piece.text)
        for piece in pieces_of(whole(reports / "comparison.html"))
        if not piece.source
        for word in re.findall(r"[^\s;,():\N{EN DASH}]+", piece.text)
        if DIGIT.search(word) and word.rstrip(".") not in known
    ]
    assert loose == []


def test_the_ratios_are_those_of_the_tables(reports: Path, found: Any) -> None:
    """Each by the row that it names, formed from the step times of policy and none within rounding of medians."""
    pair = found["pairs"][0]
    tables = [table(reports / slug / "default") for slug in (pair["first"], pair["second"])]
    assert len(pair["ratios"]) > 200
    for ratio in pair["ratios"]:
        rows = [rows[ratio[f"{side}_row"]] for side, rows in zip(("first", "second"), tables, strict=True)]
        assert rows[0]["cell"] == rows[1]["cell"]
        assert {row["policy"] for row in rows} == {ratio["policy"]}
        for side, row in zip(("first", "second"), rows, strict=True):
            told = [float(row[f"time_ratio{end}"]) for end in ("", "_low", "_high")]
            # Written, they have eight significant digits.
            assert list(ratio[side].values()) == pytest.approx(told, rel=1e-7)
        assert ratio["quotient"]["estimate"] == pytest.approx(
            ratio["second"]["estimate"] / ratio["first"]["estimate"], rel=1e-7
        )


def test_times_per_edge_are_those_of_the_laws(reports: Path, found: Any) -> None:
    pair = found["pairs"][0]
    laws = [
        {
            (law["convolution"], law["policy"]): law["per_edge"]
            for law in json.loads((reports / slug / "default/analysis/regressions.json").read_text())["laws"]
            if law["response"] == "step_time_seconds"
        }
        for slug in (pair["first"], pair["second"])
    ]
    assert len(pair["per_edge"]) == 9
    for one in pair["per_edge"]:
        place = one["convolution"], one["policy"]
        assert one["first_seconds"] == pytest.approx(laws[0][place], rel=1e-7)
        if one["first"] is not None:
            none = laws[0][one["convolution"], "none"]
            assert one["first"]["estimate"] == pytest.approx(laws[0][place]["estimate"] / none["estimate"], rel=1e-7)
            assert one["first"]["low"] == pytest.approx(laws[0][place]["low"] / none["high"], rel=1e-7)


def test_every_mark_of_the_figure_is_a_row_of_its_table(reports: Path, found: Any) -> None:
    html = whole(reports / "comparison.html")
    ratios = found["pairs"][0]["ratios"]
    body = html.partition('id="table-default-1-ratios"')[2].partition("</table>")[0]
    assert len(re.findall("<tr", body)) - 1 == len(ratios)
    figure = html.partition('id="figure-default-1-ratios"')[2].partition("</figure>")[0]
    assert figure.count('role="img"') == len({ratio["convolution"] for ratio in ratios}) == 6
    assert figure.count("Scatter chart") == 6
    for policy in {ratio["policy"] for ratio in ratios}:
        groups = re.findall(rf'<g class="p:{policy}"[^>]*>(.*?)</g>', figure)
        marks = [path for group in groups for path in re.findall('class="marks" d="(.*?)"', group)]
        assert sum(path.count("M") for path in marks) == sum(ratio["policy"] == policy for ratio in ratios)


def test_what_came_of_the_checks_and_each_finding_stand_in_tables_and_in_the_index(reports: Path) -> None:
    html = whole(reports / "comparison.html")
    body = html.partition('id="table-default-1-findings"')[2].partition("</table>")[0]
    checks = html.partition('id="table-default-1-checks"')[2].partition("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.split("<tr[^>]*>", checks)[2:]]
    measured = table(reports / OWN / "default")
    both = str(len(measured) - 2)  # one ran out of memory, and one is not there
    assert [row[1:3] + row[4:5] for row in rows] == [
        [str(len({row["graph"] for row in measured})), "0", "same"],
        [both, "1", "different"],
        ["18", "1", "different"],
        [rows[3][1], "1", "different"],
    ]
    assert f"{measured[7]['cell']}, {measured[7]['policy']}" in body
    assert f"{measured[7]['edges_at_once'] or None} and 7 edges at once" in body
    index = (reports / "index.html").read_text()
    text = re.sub("<[^>]+>", "", index)
    assert f"Study default on {OWN} and rack:" in text
    assert f"the saved bytes differ in 1 of {both} measurements (largest difference" in text
    assert 'href="comparison.html"' in index


def test_the_same_reports_give_the_same_bytes(reports: Path, tmp_path: Path) -> None:
    render_comparison(compare(reports), TEMPLATES, tmp_path)
    for name in ("comparison.json", "comparison.html"):
        assert (tmp_path / name).read_bytes() == (reports / name).read_bytes()


@pytest.mark.slow
def test_comparing_takes_no_torch_and_the_index_has_the_same_page(tmp_path: Path) -> None:
    """By the commands, which let in what is valid; a second time nothing is computed again.

    Of the study that is validated in the least time of those with several policies.
    """
    published = rebuilt("reddit-size")
    reports = tmp_path / "report"
    copied(published, reports)
    measured_on(published, "rack", reports)
    options = ("--reports", reports, "--templates", TEMPLATES, "--output-folder", tmp_path)
    command = [sys.executable, "-c", WITHOUT_TORCH, "compare", *map(str, options)]
    for _ in range(2):
        found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert found.returncode == 0, found.stderr
    assert len(json.loads((tmp_path / "results/.believed.json").read_text())) == 2
    assert main(["index", f"--reports={reports}", f"--templates={TEMPLATES}", f"--output={reports}/index.html"]) == 0
    for name in ("comparison.json", "comparison.html"):
        assert (reports / name).read_bytes() == (tmp_path / name).read_bytes()


def test_hostile_names_are_inert(tmp_path: Path) -> None:
    _, second = two(tmp_path)
    hostile = '"><script>alert(1)</script>'
    in_json(second, "hardware.json", lambda values: values.update(label=hostile))
    in_table(second, lambda rows: rows[0].update(cell=hostile))
    html = page_of(tmp_path)
    assert html.count("<script") == 1
    assert "&lt;script&gt;alert" in html


def test_the_index_says_what_is_missing_and_keeps_no_page_of_what_was(tmp_path: Path) -> None:
    published = rebuilt("ten-million")
    shutil.copytree(published, tmp_path / OWN / "ten-million")
    for name in ("comparison.json", "comparison.html"):
        (tmp_path / name).write_text("of a machine that is gone")
    assert main(["index", f"--reports={tmp_path}", f"--templates={TEMPLATES}", f"--output={tmp_path}/index.html"]) == 0
    html = (tmp_path / "index.html").read_text()
    assert f"Only one machine, {OWN}, has published a report" in html
    assert "comparison.html" not in html
    assert sorted(path.name for path in tmp_path.iterdir()) == [OWN, "index.html"]


def test_an_index_is_made_of_the_folder_of_all_reports_and_deletes_nothing_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the folder of one machine or report it would say that none has been published."""
    reports, mine = tmp_path / "report", tmp_path / "comparison.json"
    reports.mkdir()
    mine.write_text("mine")
    command = ["index", f"--templates={TEMPLATES}", f"--output={tmp_path}/index.html"]
    assert main([*command, f"--reports={reports}"]) == 0
    assert mine.read_text() == "mine"
    (reports / OWN / "ten-million").mkdir(parents=True)
    (reports / OWN / "ten-million/summary.json").write_text("{}")
    for place in (reports / OWN, reports / OWN / "ten-million"):
        assert main([*command, f"--reports={place}"]) == 2
        assert "summary.json lies too high in it; name the folder that holds" in capsys.readouterr().err
