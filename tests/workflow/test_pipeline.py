"""The whole path, as a user runs it: measured once, nothing the second time, and only what a change touches after."""

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from comparison.machines import measured_on
from gnn_checkpointing.packed import packed_files

from .checkout import COPIED, SMOKE, Checkout, measuring, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout(tmp_path_factory.mktemp("finished"))
    output = checkout.run()
    assert "1 of 16: " in output
    return checkout


@pytest.fixture
def restored(finished: Checkout) -> Iterator[Checkout]:
    """The finished checkout, put back as it was after the test changed its sources."""
    kept = {path: path.read_bytes() for name in COPIED for path in _files(finished.folder / name)}
    times = {path: path.stat() for path in kept}
    yield finished
    for path, content in kept.items():
        if path.read_bytes() != content:
            path.write_bytes(content)
            os.utime(path, ns=(times[path].st_atime_ns, times[path].st_mtime_ns))


def _files(place: Path) -> list[Path]:
    return (
        [place]
        if place.is_file()
        else [path for path in place.rglob("*") if path.is_file() and ".pyc" not in path.name]
    )


def test_the_report_and_its_data_are_there(finished: Checkout) -> None:
    (folder,) = finished.folder.glob("report/*/smoke")
    assert {path.name for path in folder.iterdir()} == {
        "report.html",
        "report.pdf",
        "appendix.html",
        "appendix.pdf",
        "claims.json",
        "planner.json",
        "hardware.json",
        "study.json",
        "summary.json",
        "history.json",
        "ro-crate-metadata.json",
        "data.tar.xz",
    }
    assert set(packed_files(folder)) >= {
        "measurements.csv",
        "records.jsonl",
        "analysis/effects.json",
        "figures/figure-lead.csv",
        "figures/figure-memory-level.csv",
    }
    assert folder.parent.name in (finished.folder / "report/index.html").read_text()
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "GATv2" in (folder / "report.html").read_text()


def test_a_second_run_does_nothing_within_five_seconds(finished: Checkout) -> None:
    start = time.monotonic()
    output = finished.run()
    assert "Nothing to be done" in output
    assert time.monotonic() - start < 5


def test_a_second_machines_report_is_compared_by_itself(restored: Checkout) -> None:
    """Its folder is put beside the own one: the index is made again with a comparison, then nothing is to be done."""
    (own,) = restored.folder.glob("report/*/smoke")
    other = measured_on(own, "rack", restored.folder / "report")
    try:
        assert set(restored.planned()) == {"index", "all"}
        restored.run()
        page = (restored.folder / "report/comparison.html").read_text()
        assert "rack" in page
        assert (restored.folder / "report/comparison.json").is_file()
        assert 'href="comparison.html"' in (restored.folder / "report/index.html").read_text()
        assert "Nothing to be done" in restored.run()
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
    (template,) = (restored.folder / "templates/html").glob("report.html")
    template.write_text(template.read_text() + "\n<!-- changed -->\n")
    assert set(restored.planned()) == {"report", "index", "all"}


def test_editing_measuring_code_measures(restored: Checkout) -> None:
    restored.edit(
        "workflow/gnn_checkpointing/checkpointing/layers.py",
        "*args, use_reentrant=False",
        "*args, use_reentrant=bool()",
    )
    assert restored.planned()["measure"] == 8


def test_editing_prose_does_nothing(restored: Checkout) -> None:
    """Comments, docstrings and layout, of what measures and of what analyses."""
    package = restored.folder / "workflow/gnn_checkpointing"
    restored.edit("workflow/gnn_checkpointing/checkpointing/layers.py", "use_reentrant=False", "use_reentrant = False")
    for room in ("checkpointing", "measurement", "graphs", "analysis", "collecting", "study", "records"):
        for source in sorted((package / room).glob("*.py")):
            text = source.read_text()
            docstring = text.replace('"""', '"""In other words: ', 1)
            source.write_text(docstring + "\n# changed\n")
    assert restored.planned() == {}


def test_editing_analysis_code_does_not_measure(restored: Checkout) -> None:
    (source,) = (restored.folder / "workflow/gnn_checkpointing/analysis").glob("effects.py")
    source.write_text(source.read_text() + "\nCHANGED = 1\n")
    planned = restored.planned()
    assert "measure" not in planned
    assert planned["analyse"] == 1


def test_changing_one_degree_measures_only_its_graphs(restored: Checkout) -> None:
    """Two node counts at the new degree; the six graphs of the other degrees stay as they are."""
    restored.edit(SMOKE, "[4, 8, 16, 24]", "[4, 8, 16, 20]")
    planned = restored.planned()
    assert (planned["graph"], planned["measure"]) == (2, 2)


def test_a_second_live_run_is_refused_in_one_sentence(restored: Checkout) -> None:
    restored.edit(SMOKE, "[4, 8, 16, 24]", "[4, 8, 16]")
    with (restored.folder / "results/.running").open("a") as live:
        fcntl.flock(live, fcntl.LOCK_EX)
        process = restored.start()
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert len([line for line in output.splitlines() if line.startswith("error:")]) == 1
    assert "another run is at work" in output


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("policies: [none", "policys: [none", "unknown key policys"),
        ("[4, 8, 16, 24]", "[4, -8]", "greater than 0"),
        ("[4, 8, 16, 24]", "[4, 120]", "average degree 120 is impossible with 120 nodes"),
        ("[GCN, GATv2]", "[GCN, GATv3]", "GATv3"),
    ],
)
def test_a_bad_study_is_one_sentence_and_nothing_else(restored: Checkout, old: str, new: str, words: str) -> None:
    restored.edit(SMOKE, old, new)
    before = restored.records()
    process = restored.start()
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert words in output
    assert "Traceback" not in output
    assert restored.records() == before


def test_killed_in_the_middle_and_run_again(tmp_path: Path) -> None:
    """kill -9 of Snakemake: no orphan goes on measuring, finished cells are kept, a plain run ends in the report."""
    checkout = Checkout(tmp_path)
    process = checkout.start()
    assert wait_for(lambda: len(checkout.records()) >= 3, 240)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_for(lambda: not measuring(tmp_path), 15)
    kept = checkout.records()
    assert len(kept) < 16
    checkout.run()
    after = checkout.records()
    assert len(after) == 16
    assert all(after[path] == stamp for path, stamp in kept.items())
    assert list(tmp_path.glob("report/*/smoke/report.html"))
