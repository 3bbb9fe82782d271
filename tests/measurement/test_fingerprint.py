"""A part's fingerprint is that of sources which are there: a name that no file has would be passed over in silence."""

from pathlib import Path

import pytest

from gnn_checkpointing.measurement import fingerprint


@pytest.mark.parametrize("part", fingerprint._SOURCES)
def test_every_source_is_there(part: str) -> None:
    for name in fingerprint._SOURCES[part]:
        place = fingerprint._PACKAGE / name
        assert place.is_file() or list(place.rglob("*.py")), name


def test_what_measures_nothing_is_there_to_be_left_out() -> None:
    for name in fingerprint._NOT_MEASURING:
        assert (fingerprint._PACKAGE / "measurement" / name).is_file(), name


@pytest.mark.parametrize("ending", ["py", "cpp", "h"])
@pytest.mark.parametrize("part", ["measuring", "training"])
def test_another_kernel_is_another_fingerprint(
    part: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in fingerprint._SOURCES[part]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".py"):
            (tmp_path / name).touch()
    kernels = tmp_path / "checkpointing/kernels/csrc"
    kernels.mkdir(parents=True)
    monkeypatch.setattr(fingerprint, "_PACKAGE", tmp_path)
    found = [fingerprint.code_fingerprint(part)]
    for content in ("one", "another"):
        (kernels / f"attention.{ending}").write_text(content)
        found.append(fingerprint.code_fingerprint(part))
    (kernels / "notes.txt").write_text("nothing that is compiled")
    assert len({*found, fingerprint.code_fingerprint(part)}) == 3


def test_the_kernels_own_sources_have_one_of_the_endings() -> None:
    sources = [file for file in (fingerprint._PACKAGE / "checkpointing/kernels").rglob("*") if file.is_file()]
    compiled = {file.suffix.removeprefix(".") for file in sources if "__pycache__" not in file.parts}
    assert {"cpp", "h"} <= compiled <= set(fingerprint._KINDS)
