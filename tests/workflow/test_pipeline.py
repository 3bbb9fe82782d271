"""The whole path, as a user runs it: killed, resumed, nothing the second time, and only what a change touches after."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from comparison.machines import measured_on
from gnn_checkpointing.packed import packed_files
from waiting import wait_for

from .checkout import COPIED, SMOKE, Checkout, measuring

pytestmark = pytest.mark.slow

PACKAGE = "workflow/gnn_checkpointing"
LAYERS = f"{PACKAGE}/checkpointing/layers.py"


class Killed(NamedTuple):
    """A run of the smoke study that was killed, and run again to its end."""

    checkout: Checkout
    said: str
    kept: dict[Path, int]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """kill -9 of Snakemake when some cells are measured."""
    checkout = Checkout(tmp_path_factory.mktemp("finished"))
    process = checkout.start()
    assert wait_for(lambda: len(checkout.records()) >= 3, 240)
    process.kill()
    assert wait_for(lambda: not measuring(checkout.folder))
    said, _ = process.communicate(timeout=60)
    kept = checkout.records()
    checkout.run()
    return Killed(checkout, said, kept)


@pytest.fixture(scope="module")
def finished(killed: Killed) -> Checkout:
    return killed.checkout


@pytest.fixture
def restored(finished: Checkout) -> Iterator[Checkout]:
    """The finished checkout, put back as it was after the test changed its sources."""
    paths = [path for name in COPIED for path in [finished.folder / name, *(finished.folder / name).rglob("*")]]
    kept = {path: (path.read_bytes(), path.stat()) for path in paths if path.is_file() and ".pyc" not in path.name}
    yield finished
    for path, (content, stat) in kept.items():
        if path.read_bytes() != content:
            path.write_bytes(content)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_killed_in_the_middle_and_run_again(killed: Killed) -> None:
    """No orphan goes on measuring, finished cells are kept, a plain run ends in the report."""
    assert "1 of 16: " in killed.said
    assert 3 <= len(killed.kept) < 16
    after = killed.checkout.records()
    assert len(after) == 16
    assert after.items() >= killed.kept.items()


def test_the_report_and_its_data_are_there(finished: Checkout) -> None:
    (folder,) = finished.folder.glob("report/*/smoke")
    documents = {f"{name}.{kind}" for name in ("report", "appendix") for kind in ("html", "pdf")}
    data = {f"{name}.json" for name in ("claims", "planner", "hardware", "study", "summary", "history")}
    assert {path.name for path in folder.iterdir()} == documents | data | {"ro-crate-metadata.json", "data.tar.xz"}
    tables = {"measurements.csv", "figures/figure-lead.csv", "figures/figure-memory-level.csv"}
    assert packed_files(folder).keys() >= tables | {"records.jsonl", "analysis/effects.json"}
    assert folder.parent.name in (finished.folder / "report/index.html").read_text()
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "GATv2" in (folder / "report.html").read_text()


def test_a_second_run_does_nothing(finished: Checkout) -> None:
    assert "Nothing to be done" in finished.run()


def test_a_second_machines_report_is_compared_by_itself(restored: Checkout) -> None:
    """Its folder is put beside the own one: the index is made again with a comparison, then nothing is to be done."""
    (own,) = restored.folder.glob("report/*/smoke")
    other = measured_on(own, "rack", restored.folder / "report")
    try:
        assert set(restored.jobs()) == {"index", "all"}
        assert "rack" in (restored.folder / "report/comparison.html").read_text()
        assert (restored.folder / "report/comparison.json").is_file()
        assert 'href="comparison.html"' in (restored.folder / "report/index.html").read_text()
        assert restored.planned() == {}
    finally:
        shutil.rmtree(other.parent)
        restored.run()
    assert not (restored.folder / "report/comparison.html").exists()


def test_a_published_report_without_its_run_is_no_reason_to_rest(finished: Checkout) -> None:
    """A fresh clone on the same hardware: the report is there, newer than anything, the results are not."""
    results, hidden = finished.folder / "results", finished.folder / "hidden"
    results.rename(hidden)
    try:
        assert finished.planned()["measure"] == 8
    finally:
        shutil.rmtree(results, ignore_errors=True)
        hidden.rename(results)


def test_editing_a_template_only_renders(restored: Checkout) -> None:
    template = restored.folder / "templates/html/report.html"
    template.write_text(template.read_text() + "\n<!-- changed -->\n")
    assert set(restored.planned()) == {"report", "index", "all"}


def test_editing_measuring_code_measures(restored: Checkout) -> None:
    restored.edit(LAYERS, "*args, use_reentrant=False", "*args, use_reentrant=bool()")
    assert restored.planned()["measure"] == 8


def test_editing_prose_does_nothing(restored: Checkout) -> None:
    """Comments, docstrings and layout, of what measures and of what analyses."""
    restored.edit(LAYERS, "use_reentrant=False", "use_reentrant = False")
    for room in ("checkpointing", "measurement", "graphs", "analysis", "collecting", "study", "records"):
        for source in sorted((restored.folder / PACKAGE / room).glob("*.py")):
            docstring = source.read_text().replace('"""', '"""In other words: ', 1)
            source.write_text(docstring + "\n# changed\n")
    assert restored.planned() == {}


def test_editing_analysis_code_does_not_measure(restored: Checkout) -> None:
    source = restored.folder / PACKAGE / "analysis/effects.py"
    source.write_text(source.read_text() + "\nCHANGED = 1\n")
    planned = restored.planned()
    assert "measure" not in planned
    assert planned["analyse"] == 1


def test_changing_one_degree_measures_only_its_graphs(restored: Checkout) -> None:
    """Two node counts at the new degree; the six graphs of the other degrees stay as they are."""
    restored.edit(SMOKE, "[4, 8, 16, 24]", "[4, 8, 16, 20]")
    planned = restored.planned()
    assert (planned["graph"], planned["measure"]) == (2, 2)


def refused(checkout: Checkout) -> str:
    """What a run says that ends before it measures."""
    before = checkout.records()
    output = checkout.refused()
    assert checkout.records() == before
    return output


def test_a_second_live_run_is_refused_in_one_sentence(restored: Checkout) -> None:
    restored.edit(SMOKE, "[4, 8, 16, 24]", "[4, 8, 16]")
    with (restored.folder / "results/.running").open("a") as live:
        fcntl.flock(live, fcntl.LOCK_EX)
        (sentence,) = re.findall("^error:.*", refused(restored), re.MULTILINE)
    assert "another run is at work" in sentence


def test_a_bad_study_is_one_sentence_and_nothing_else(restored: Checkout) -> None:
    restored.edit(SMOKE, "[4, 8, 16, 24]", "[4, 120]")
    assert "average degree 120 is impossible with 120 nodes" in refused(restored)


def test_another_study_of_the_same_graph_leaves_this_one_alone(finished: Checkout) -> None:
    """Its graph is drawn already; a policy more is measured, and without it again, nothing is."""
    text = (finished.folder / SMOKE).read_text().partition("training:")[0]
    for old, new in (
        ("name: smoke", "name: other"),
        ("[120, 200]", "[120]"),
        ("[4, 8, 16, 24]", "[8]"),
        (", GATv2]", "]"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    path, other = finished.folder / "other.yaml", ("--configfile", "other.yaml")
    path.write_text(text)
    first = finished.jobs(*other, "--until", "collect")
    assert (first["measure"], first["graph"]) == (1, 0)
    assert finished.planned() == {}
    path.write_text(text.replace("layers, ", "layers, selective, "))
    assert finished.jobs(*other, "--until", "measure")["measure"] == 1
    path.write_text(text)
    assert "measure" not in finished.planned(*other)
