"""Over 200 seeded corruptions of a run's files: each is refused by the file's name, and no page is made of it."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.artefacts import seal_file
from gnn_checkpointing.cli import main
from gnn_checkpointing.records.traces import ByteTrace, read_byte_traces, write_byte_traces
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.provenance import CRATE, changed_files

from .damage import DAMAGES, Damage
from .finished import Run, complete, finished_run, with_change

pytestmark = pytest.mark.slow

READ_BY_REPORT = (
    "study.json", "hardware.json", "measurements.csv", "claims.json", "audit.json", "planner.json", "graphs.json",
    "traces.json", "demonstration.json", "records.jsonl", "trainings.json", "analysis/effects.json",
    "analysis/regressions.json", "analysis/predictions.json", "analysis/quality.json",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished_run(tmp_path_factory.mktemp("run"), "real")  # of the smaller ones that train


def assert_refused(command: list[str], path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command: one sentence that names the file, and no page."""
    assert main(command) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert len(told.splitlines()) == 1
    assert path.name in told
    page = Path(command[command.index("--output-folder") + 1]) if "--output-folder" in command else None
    assert page is None or not page.exists()


@contextmanager
def put_back(*paths: Path) -> Iterator[list[bytes]]:
    """The contents of files, which are there again after the context."""
    kept = [path.read_bytes() for path in paths]
    try:
        yield kept
    finally:
        for path, content in zip(paths, kept, strict=True):
            path.write_bytes(content)


def damaged(path: Path, damage: Damage, seed: int, check: Callable[[], None]) -> None:
    """Let `check` look at a damaged file."""
    with put_back(path) as (content,):
        spoilt = damage(content, random.Random(seed))
        assert spoilt != content
        path.write_bytes(spoilt)
        check()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", READ_BY_REPORT)
def test_what_a_report_is_made_of(run: Run, name: str, damage: Damage, capsys: pytest.CaptureFixture[str]) -> None:
    path = run.results / name
    damaged(path, damage, 1, lambda: assert_refused(run.render(), path, capsys))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("seed", range(8))
def test_records_and_their_lists(run: Run, damage: Damage, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    path = random.Random(seed).choice(run.records)
    path = path.with_name("complete.json") if seed % 4 == 0 else path
    damaged(path, damage, seed, lambda: assert_refused(run.collect(), path, capsys))


@pytest.mark.parametrize("name", ["measurements.csv", "claims.json", "hardware.json"])
def test_a_seal_that_is_damaged_itself(run: Run, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = run.results / name
    damaged(seal_file(path), DAMAGES[0], 3, lambda: assert_refused(run.render(), path, capsys))


@pytest.mark.parametrize("seed", range(4))
def test_two_files_that_changed_places(run: Run, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = random.Random(seed).sample(run.records, 2)
    with put_back(one, other) as kept:
        one.write_bytes(kept[1])
        other.write_bytes(kept[0])
        assert main(run.collect()) == 2
        told = capsys.readouterr().err
        assert one.name in told or other.name in told


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"schema_version": 1}, ("schema_version: Input should be 2", "measure again")),
        ({"hardware": "another-machine"}, ("measured on", "another-machine", "measure again")),
        ({"study": "another"}, ("measured for the study another",)),
        ({"seed": "none"}, ("field seed",)),
    ],
)
def test_records_that_someone_meant_to_put_there(
    run: Run, values: dict[str, object], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Their list says that they are whole; they are refused for what they say."""
    path = run.records[7]
    listed = path.with_name("complete.json")
    with put_back(path, listed, seal_file(listed)):
        with_change(path, **values)
        complete(path.parent)
        assert main(run.collect()) == 2
        told = capsys.readouterr().err
        assert all(word in told for word in (path.name, *words))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["measurements.csv", "hardware.json", "records.jsonl", "study.json", "trainings.json"])
def test_a_published_report_is_not_rebuilt_from_changed_data(
    run: Run, name: str, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run.report / name
    damaged(path, damage, 5, lambda: assert_refused(run.rebuild(), path, capsys))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["report.html", "report.pdf", "claims.json", CRATE, "analysis/effects.json"])
def test_a_published_page_that_changed_is_not_valid(
    run: Run, name: str, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged(run.report / name, damage, 7, lambda: _complains(run.report, name, capsys))


def _complains(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = changed_files(folder)
    if name == CRATE and not found:  # the crate's words are no checksums: they are compared with what the data give
        with pytest.raises(SystemExit):
            main(["validate", str(folder)])
        found = [capsys.readouterr().err]
    assert any(name in complaint for complaint in found) or (name == CRATE and found)


@pytest.mark.parametrize("damage", DAMAGES)
def test_byte_traces(tmp_path: Path, damage: Damage) -> None:
    path = tmp_path / "cell.npz"
    write_byte_traces(path, {"none": ByteTrace(np.arange(50.0), np.arange(50), 20, 1.0)})

    def check() -> None:
        with pytest.raises(Refusal, match=r"cell\.npz"):
            read_byte_traces(path)

    damaged(path, damage, 1, check)
