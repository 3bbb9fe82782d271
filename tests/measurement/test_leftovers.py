"""A measured graph leaves nothing behind but its records."""

import getpass
from pathlib import Path

import pytest

from measurement.test_measure_graph import measured, study_of


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyG writes files of generated code, which nobody removes."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (record,) = measured(study_of(60, 4), tmp_path)
    assert {found.outcome for found in record.policies} == {"completed"}
    left = {path.name for path in (tmp_path / "temporary").iterdir()}
    assert left <= {f"torchinductor_{getpass.getuser()}"}  # torch's own cache, one folder for all processes
