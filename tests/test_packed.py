"""A published folder keeps its data in one archive; both forms can be read, and no archive leads out of its folder."""

import io
import json
import lzma
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gnn_checkpointing.audit.validate import quick_complaints
from gnn_checkpointing.cli import main
from gnn_checkpointing.packed import PACK, bounded_bytes, is_there, pack_of, packed_files
from gnn_checkpointing.records.cell import read_records
from gnn_checkpointing.records.measurements_table import read_table
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.provenance import CRATE, changed_files
from rebuilt import ROOT, copied, packed, rebuild, unpack

STUDY = "ten-million"
FILES = {"a.json": b"[1]", "analysis/b.json": b"[2]"}
SMALL, LARGEST = 1.2e6, 2.4e6
"""Limits in bytes of a published study: on the mean of all studies, and on each."""


def test_published_folders_are_small() -> None:
    sizes = {
        folder.name: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        for folder in (path.parent for path in ROOT.glob("report/*/*/study.json"))
    }
    assert sum(sizes.values()) <= SMALL * len(sizes), sizes
    assert max(sizes.values()) <= LARGEST, sizes
    assert all(page.stat().st_size <= 2e6 for page in ROOT.glob("report/*/*/*.html"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(packed(STUDY), tmp_path)


def test_both_forms_are_valid_and_give_the_same_report(folder: Path, tmp_path: Path) -> None:
    assert quick_complaints(folder) == []
    plain = copied(folder, tmp_path / "plain")
    unpack(plain)
    assert quick_complaints(plain) == []
    for frozen in (folder, plain):
        assert rebuild(frozen, tmp_path / "again") == 0
        found = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
        assert found == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_plain_report_made_again_in_its_place_becomes_packed(folder: Path) -> None:
    unpack(folder)
    (folder / "figures/.snakemake_timestamp").touch()
    assert rebuild(folder, folder) == 0
    assert {path.name for path in folder.iterdir()} == {path.name for path in packed(STUDY).iterdir()}


def test_the_history_goes_with_a_report_that_is_made_again_elsewhere(folder: Path, tmp_path: Path) -> None:
    history = json.loads((folder / "history.json").read_text())
    earlier = history[0] | {"measured_on": "2020-01-01"}
    (folder / "history.json").write_text(json.dumps([earlier, *history]))
    (folder / CRATE).unlink()
    assert rebuild(folder, tmp_path / "again") == 0
    assert json.loads((tmp_path / "again/history.json").read_text())[0]["measured_on"] == "2020-01-01"


def test_what_was_unpacked_beside_the_archive_is_held_to_its_checksum(folder: Path) -> None:
    with tarfile.open(folder / PACK) as archive:
        archive.extractall(folder, filter="data")
    assert changed_files(folder) == []
    (folder / "trainings.json").write_text("[] ")
    assert changed_files(folder) == [
        f"{folder / 'trainings.json'}: has changed since it was published (SHA-256 differs from {CRATE})"
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: files.update({"trainings.json": b"[] "}), "trainings.json: has changed"),
        (lambda files: files.pop("trainings.json"), f"trainings.json: listed in {CRATE}, and not there"),
        (lambda files: files.update({"more.json": b"[]"}), f"more.json: not listed in {CRATE}"),
    ],
)
def test_a_changed_archive_is_found_by_the_file_in_it(
    folder: Path, change: Callable[[dict[str, bytes]], object], said: str
) -> None:
    files = dict(packed_files(folder))
    change(files)
    (folder / PACK).write_bytes(pack_of(files))
    assert any(said in text for text in quick_complaints(folder))


def test_readers_take_either_form(folder: Path, tmp_path: Path) -> None:
    plain = Path(shutil.copytree(folder, tmp_path / "plain"))
    unpack(plain)
    assert read_table(folder / "measurements.csv") == read_table(plain / "measurements.csv")
    assert read_records(folder / "records.jsonl") == read_records(plain / "records.jsonl")
    assert main(["export", str(folder), "--format=csv", f"--output-folder={tmp_path / 'out'}"]) == 0


def test_the_same_files_give_the_same_archive(tmp_path: Path) -> None:
    assert pack_of(FILES) == pack_of(dict(reversed(FILES.items())))
    (tmp_path / PACK).write_bytes(pack_of(FILES))
    assert packed_files(tmp_path) == FILES
    assert is_there(tmp_path / "analysis/b.json")
    assert not is_there(tmp_path / "b.json")
    with pytest.raises(FileNotFoundError):
        bounded_bytes(tmp_path / "b.json")
    (tmp_path / "a.json").write_bytes(b"[3]")
    assert bounded_bytes(tmp_path / "a.json") == b"[3]"


def archive(*entries: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for name, kind in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            made.addfile(entry)
    return lzma.compress(stream.getvalue())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no archive", "not readable"),
        (b"", "not readable"),
        (pack_of(FILES)[:-40], "not readable"),
        (lzma.compress(b"no tar file" * 100), "not readable"),
        (lambda: lzma.compress(bytes(2**28), preset=0), "expands to more than"),
        (lambda: lzma.compress(bytes(10), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 2**28}]), "not readable"),
        (lzma.compress(lzma.decompress(pack_of(FILES)) + b"hidden"), "holds more than its files"),
        (lzma.compress(2 * lzma.decompress(pack_of(FILES))), "holds more than its files"),
        (archive(("./a.json", tarfile.REGTYPE), ("a.json", tarfile.REGTYPE)), "there twice"),
        (archive(("../a", tarfile.REGTYPE)), "leads out of the folder"),
        (archive(("/a", tarfile.REGTYPE)), "leads out of the folder"),
        (archive(("a", tarfile.SYMTYPE)), "no plain file"),
        (archive(("a", tarfile.REGTYPE), ("a", tarfile.REGTYPE)), "there twice"),
    ],
)
def test_a_hostile_archive_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes | Callable[[], bytes], said: str
) -> None:
    # Content that takes seconds to compress is made here, not during collection.
    (tmp_path / PACK).write_bytes(content if isinstance(content, bytes) else content())
    with pytest.raises(Refusal, match=said) as refusal:
        bounded_bytes(tmp_path / "a.json")
    assert str(tmp_path / PACK) in str(refusal.value)


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to(path), os.mkfifo])
@pytest.mark.parametrize("name", [PACK, "claims.json"])
def test_what_is_no_plain_file_is_not_called_missing(folder: Path, name: str, make: Callable[[Path], object]) -> None:
    (folder / name).unlink()
    make(folder / name)
    found = quick_complaints(folder)
    assert any(name in text and "not a plain file" in text for text in found), found
    assert not any("no such file" in text or "not there" in text for text in found), found


def test_a_table_that_was_changed_is_not_exported(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = bounded_bytes(folder / "measurements.csv")
    (folder / "measurements.csv").write_bytes(table.replace(b"completed", b"timed_out", 1))
    assert main(["export", str(folder), "--format=csv", f"--output-folder={tmp_path / 'out'}"]) == 2
    assert "measurements.csv: has changed" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
