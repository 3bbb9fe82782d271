"""Other people's reports: whatever one value of one file says, it ends in sentences that name the file."""

import lzma
import os
import pickle
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnn_checkpointing.audit import again
from gnn_checkpointing.audit.validate import quick_complaints
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.claims.ledger import Ledger
from gnn_checkpointing.cli import main
from gnn_checkpointing.packed import MOST_BYTES, packed_files
from gnn_checkpointing.records.measurements_table import read_table, write_table
from gnn_checkpointing.refusal import plain
from rebuilt import ROOT, copied, published, rebuild, rebuilt

from .drawn import at_random
from .hostile import signed, tampered

pytestmark = pytest.mark.slow

STUDIES = os.environ.get("STUDIES", "ten-million vision").split()
"""One whose single graph is large, and one of whole models that read images."""

STUDY = STUDIES[0]


def names(folder: Path) -> list[str]:
    """The files of a report that hold data."""
    found = [*packed_files(folder), *(path.relative_to(folder).as_posix() for path in folder.rglob("*"))]
    return sorted({name for name in found if name.endswith((".json", ".jsonl")) or name == "measurements.csv"})


NAMES = {study: names(published(study)) for study in STUDIES}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    assert {study: names(rebuilt(study)) for study in STUDIES} == NAMES
    return {study: copied(rebuilt(study), tmp_path_factory.mktemp("reports")) for study in STUDIES}


@lru_cache(4)
def _judged(given: bytes) -> Ledger:
    return judge(*pickle.loads(given))


@pytest.fixture
def judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge the same findings once: most draws spoil something else."""
    monkeypatch.setattr(again, "judge", lambda *given: _judged(pickle.dumps(given)))


@pytest.mark.usefixtures("judged_once")
@pytest.mark.parametrize(("study", "name"), [(study, name) for study in STUDIES for name in NAMES[study]])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_one_value_of_one_file(folders: dict[str, Path], study: str, name: str) -> None:
    folder = folders[study]
    path, manifest = folder / name, folder / "ro-crate-metadata.json"
    content, listed = path.read_bytes(), manifest.read_bytes()

    @at_random()
    @given(st.data())
    def check(data: st.DataObject) -> None:
        new, is_signed = tampered(content, name, data.draw), path == manifest or data.draw(st.booleans())
        path.write_bytes(new)
        if is_signed and path != manifest:
            signed(folder, name)
        try:
            found = quick_complaints(folder)
        finally:
            path.write_bytes(content)
            manifest.write_bytes(listed)
        assert found or is_signed or new == content
        for text in found:
            assert len(plain(text).splitlines()) == 1
            assert "nothing can be made of" not in text, text

    check()


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_commands_on_a_spoilt_folder_beside_a_good_one(
    folders: dict[str, Path],
    study: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`index` keeps the good one, `compare` and `rebuild` refuse or take it; the guard fires in none of them."""
    monkeypatch.chdir(tmp_path)
    folder, out = folders[study], tmp_path / "out"
    reports, spoilt = tmp_path / "report", tmp_path / "report" / "other" / study
    copied(folder, reports)
    places = (f"--reports={reports}", f"--templates={ROOT / 'templates'}")

    @at_random(10)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        shutil.rmtree(spoilt, ignore_errors=True)
        shutil.copytree(folder, spoilt)
        name = data.draw(st.sampled_from(NAMES[study]))
        (spoilt / name).write_bytes(tampered((spoilt / name).read_bytes(), name, data.draw))
        if name != "ro-crate-metadata.json" and data.draw(st.booleans()):
            signed(spoilt, name)
        assert main(["index", *places, f"--output={reports}/index.html"]) == 0
        assert folder.parent.name in (reports / "index.html").read_text()
        assert main(["compare", *places, f"--output-folder={out}"]) in (0, 2)
        code = rebuild(spoilt, out)
        assert code in (0, 2)
        assert code == 0 or not out.exists()
        shutil.rmtree(out, ignore_errors=True)
        for line in capsys.readouterr().err.splitlines():
            assert line.startswith(("error: ", "warning: "))
            assert len(line) < 10_000

    check()


ASKED = ("--convolution=GCN", "--memory-gib=2")
STAGES = ("judge", "audit", "knowledge", "plan", "report")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_on_a_spoilt_run(folders: dict[str, Path], study: str, tmp_path: Path, stage: str) -> None:
    """A run's folder without seals, as another may send it: exit code 0 or 2, and the guard does not fire."""
    run, out = tmp_path / "run", tmp_path / "out"
    options = {
        "plan": [
            f"--planner={run}/planner.json",
            *["--nodes=1000", "--edges=20000", "--convolution=GCN", "--memory-gib=2"],
        ],
        "report": [f"--run={run}", f"--templates={ROOT / 'templates'}", f"--output-folder={out}"],
    }

    @at_random(5)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(folders[study], run, ignore=shutil.ignore_patterns("*.pdf", "*.html", "figures"))
        name = "planner.json" if stage == "plan" else data.draw(st.sampled_from(NAMES[study]))
        (run / name).write_bytes(tampered((run / name).read_bytes(), name, data.draw))
        assert main([stage, *options.get(stage, [f"--run={run}"])]) in (0, 2)

    check()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data.tar.xz", lambda: lzma.compress(bytes(2**28), preset=0), "expands to more than"),
        ("claims.json", b"[" * 10**6, "not readable as JSON"),
        ("audit.json", b'{"passed": 1' + b"0" * 400 + b"}", "a whole number of 401 digits"),
        ("planner.json", b'{"a": 1e400}', "is no number up to"),
        ("summary.json", rb'{"title": "\ud800"}', "surrogates not allowed"),
        ("hardware.json", b'{"slug": NaN}', "NaN is no number in JSON"),
    ],
)
def test_a_bomb_or_an_impossible_number_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | Callable[[], bytes], said: str
) -> None:
    place = copied(rebuilt(STUDY), tmp_path)
    (place / name).write_bytes(content if isinstance(content, bytes) else content())
    signed(place, name)
    assert any(name in text and said in text for text in quick_complaints(place)), quick_complaints(place)


def test_a_file_that_memory_would_not_hold_is_not_read(tmp_path: Path) -> None:
    place = copied(rebuilt(STUDY), tmp_path)
    with (place / "measurements.csv").open("r+b") as stream:
        stream.truncate(MOST_BYTES + 1)  # holes take no room on the disk
    assert any(f"at most {MOST_BYTES} are read" in text for text in quick_complaints(place))


def test_formulas_and_addresses_are_inert_in_the_table(tmp_path: Path) -> None:
    row = read_table(rebuilt(STUDY) / "measurements.csv")[0]
    hostile = {"graph_label": '=HYPERLINK("http://x")', "message": "\ue000measurements.csv\ue001+1", "base_label": "-1"}
    write_table(tmp_path / "t.csv", [row | hostile])
    text = (tmp_path / "t.csv").read_text()
    assert "\"'=HYPERLINK" in text
    assert ",'-1," in text
    (found,) = read_table(tmp_path / "t.csv")
    assert found == row | hostile | {"message": "measurements.csv+1"}
