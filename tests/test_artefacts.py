"""Files are whole or not there, and a broken one is refused by name."""

from pathlib import Path

import pytest

from gnn_checkpointing.artefacts import read_json, whole_file, write_json
from gnn_checkpointing.refusal import Refusal


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
