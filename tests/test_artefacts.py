"""Files are written completely or not at all, and a broken file is refused by name."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gnn_checkpointing.artefacts import AGAIN, read_json, whole_file, write_json
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.records.cell import read_records
from gnn_checkpointing.records.measurements_table import read_table
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.reading import read_yaml


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"a": 1})

    def interrupted() -> None:
        with whole_file(path) as stream:
            stream.write(b'{"a": 2')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_plain_file_is_not_replaced(tmp_path: Path) -> None:
    """A pipe stands for devices, which no test may touch: root could replace /dev/null."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(Refusal, match=f"{name}: a device or pipe, which is no place for a file"):
            write_json(tmp_path / name, {})
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert len(list(tmp_path.iterdir())) == 2


def test_values_that_json_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "value.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", None])
def test_a_broken_or_missing_file_is_refused_by_name(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refusal, match=r"record\.json"):
        read_json(path)


@pytest.mark.parametrize("read", [read_json, read_yaml, read_table, read_records, load_graph])
def test_a_file_that_cannot_be_reached_is_not_called_wrong(read: Callable[[Path], object], tmp_path: Path) -> None:
    """The message does not advise deleting a file that could not be read: it may be the only copy."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_bytes(b"")
    for name, words in {
        "loop": "too many levels of symbolic links",
        "file/below": "not a directory",
        "x" * 300: "file name too long",
    }.items():
        with pytest.raises(Refusal, match=f"{words}; correct the path, or make it readable") as refused:
            read(tmp_path / name)
        assert "delete" not in str(refused.value)
    (tmp_path / "file").write_bytes(b"\xff: [")
    with pytest.raises(Refusal) as refused:
        read(tmp_path / "file")
    assert "delete" not in str(refused.value).replace(AGAIN, "")
