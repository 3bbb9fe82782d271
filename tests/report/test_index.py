import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.index import PICTURES, Compared, render_index
from gnn_checkpointing.report.texts import TEMPLATES
from rebuilt import ROOT, published

PICTURE = ROOT / "report" / PICTURES["frontier"]


def summary(root: Path, slug: str, label: str, name: str, **changes: Any) -> None:
    values = {
        "hardware": {"slug": slug, "label": label},
        "study": {"name": name, "title": f"Title of {name}"},
        "measured_on": "2026-11-24",
        "cells": 1080,
        "answer": [{"text": "It saves.", "verdict": "supported"}, {"text": "Second.", "verdict": "refuted"}],
    }
    write_json(root / slug / name / "summary.json", {**values, **changes})


def index(root: Path, *sentences: str, page: str = "") -> str:
    render_index(root, TEMPLATES, root / "index.html", Compared(sentences, page))
    return (root / "index.html").read_text()


def test_machines_and_studies_are_listed_with_relative_links(tmp_path: Path) -> None:
    summary(tmp_path, "desk", "Desk & chair", "default")
    summary(tmp_path, "desk", "Desk & chair", "real")
    summary(tmp_path, "rack", "Rack", "default", cells=1)
    html = index(tmp_path)
    assert html.count("<h2") == 3  # two machines, and the result of comparing them
    assert "Desk &amp; chair" in html
    for link in ("desk/default/report.html", "desk/real/report.pdf", "rack/default/report.html"):
        assert f'href="{link}"' in html
    assert "1,080 cells" in html
    assert "1 cell ·" in html
    assert html.count("It saves.") == 3
    assert "Second." not in html


def test_two_studies_of_one_question_on_a_machine_go_by_their_titles(tmp_path: Path) -> None:
    for name in ("frontier-gpu", "reddit-size"):
        summary(tmp_path, "rack", "Rack", name, kind="frontier")
    summary(tmp_path, "desk", "Desk", "frontier", kind="frontier")
    found = re.findall(r"<h3><a href=\"([^\"]+)/report.html\">([^<]+)</a>", index(tmp_path))
    titles = {"rack/frontier-gpu": "Title of frontier-gpu", "rack/reddit-size": "Title of reddit-size"}
    assert dict(found) == {"desk/frontier": "Which policy wins at which density?", **titles}


def test_hostile_text_is_inert(tmp_path: Path) -> None:
    hostile = '"><script>alert(1)</script>'
    summary(tmp_path, "desk", hostile, "default", study={"name": hostile, "title": hostile})
    html = index(tmp_path)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_documentation_is_linked_where_it_is_published(tmp_path: Path) -> None:
    assert "docs/index.html" not in index(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.html").write_text("a page")
    assert '<a href="docs/index.html">' in index(tmp_path)


def test_an_empty_folder_gives_a_page_that_says_so(tmp_path: Path) -> None:
    assert "No report has been published yet." in index(tmp_path)


def test_what_a_comparison_comes_to_stands_below_the_machines_with_its_page(tmp_path: Path) -> None:
    summary(tmp_path, "desk", "Desk", "default")
    html = index(tmp_path, "They agree & more.", page="comparison.html")
    told = html[html.index("Machines compared</h2>") :]
    assert "<p>They agree &amp; more.</p>" in told
    assert 'href="comparison.html"' in told
    assert 'href="comparison.html"' not in index(tmp_path, "There is one machine.")


def test_the_same_reports_give_the_same_bytes(tmp_path: Path) -> None:
    summary(tmp_path, "desk", "Desk", "default")
    assert index(tmp_path) == index(tmp_path)


def test_a_broken_summary_is_refused_by_name(tmp_path: Path) -> None:
    summary(tmp_path, "desk", "Desk", "default", cells="many")
    with pytest.raises(Refusal, match=r"desk/default/summary\.json: field cells"):
        index(tmp_path)


def test_the_default_studys_leading_figure_is_a_picture(tmp_path: Path) -> None:
    study = published("default")
    shutil.copytree(study, tmp_path / study.parent.name / "default")
    index(tmp_path)
    with Image.open(tmp_path / "preview.png") as picture:
        assert picture.size == (1200, 630)
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1200 * 630) or []}
    assert {(213, 94, 0), (26, 128, 196)} <= colours  # layers and edge_blocks are drawn


def test_the_frontiers_policies_are_the_readmes_picture(tmp_path: Path) -> None:
    study = published("frontier")
    shutil.copytree(study, tmp_path / study.parent.name / "frontier")
    index(tmp_path)
    shown, other = (np.asarray(Image.open(path).convert("RGB")) for path in (tmp_path / "frontier.png", PICTURE))
    assert shown.shape == other.shape == (630, 1200, 3)
    for policy in ("layers", "edge_blocks", "compiled", "memory_budget(0.5)", "fused_edge_blocks"):
        colour = [int(looks([policy])[policy].colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert (shown == colour).all(axis=2).any(), policy
    assert f"]({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text()


def drawn(folder: Path, text: str | bytes) -> bool:
    """Whether an index in a new folder gets a picture of these data of the default study's leading figure."""
    summary(folder, "desk", "Desk", "default")
    path = folder / "desk/default/figures/figure-lead.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    render_index(folder, TEMPLATES, folder / "new/index.html", Compared(()))
    return (folder / "new/preview.png").exists()


HEADER = "panel,convolution,average degree (edges per node),activation memory / none,low,high\n"
ROWS = "layers,GCN,4,0.5,0.4,0.6\nlayers,GCN,8,0.6,0.5,0.7\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.5", "abc"), ("0.5", "nan"), ("0.5", "0"), ("0.5", "1e308"), (",0.4,0.6", ""), (",4,", ",0,"),
        ("layers", "../../../elsewhere"), ("layers", "{here}/elsewhere"),
    ],
)  # fmt: skip
def test_a_leading_figure_with_other_values_than_ours_is_no_picture(old: str, new: str, tmp_path: Path) -> None:
    """Another's: its checksum is right, and nobody has computed its numbers again."""
    assert drawn(tmp_path / "good", HEADER + ROWS)
    assert not drawn(tmp_path / "bad", HEADER + ROWS.replace(old, new.format(here=tmp_path)))
    assert not drawn(tmp_path / "none", (HEADER + ROWS).encode("utf-16"))
    assert not list(tmp_path.rglob("elsewhere*"))
