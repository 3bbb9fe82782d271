"""Other people's reports: whatever one value of one file says, it ends in sentences that name the file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnn_checkpointing.refusal import plain
from gnn_checkpointing.validation.validate import quick_complaints
from rebuilt import rebuilt

from .hostile import signed, tampered

STUDY = "ten-million"
DRAWN = int(os.environ.get("DRAWN", "50"))
"""`make test-faults` draws a thousand."""

PUBLISHED = rebuilt(STUDY)
NAMES = sorted(
    path.relative_to(PUBLISHED).as_posix()
    for path in PUBLISHED.rglob("*")
    if path.suffix in (".json", ".gz") or path.name == "measurements.csv"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("reports") / PUBLISHED.parent.name / STUDY
    shutil.copytree(PUBLISHED, place)
    return place


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_one_value_of_one_file(folder: Path, name: str) -> None:
    path, manifest = folder / name, folder / "manifest.json"
    content, listed = path.read_bytes(), manifest.read_bytes()

    @settings(max_examples=DRAWN, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        path.write_bytes(tampered(content, name, data.draw))
        if name != "manifest.json" and data.draw(st.booleans()):
            signed(folder, name)
        try:
            found = quick_complaints(folder)
        finally:
            path.write_bytes(content)
            manifest.write_bytes(listed)
        for text in found:
            assert len(plain(text).splitlines()) == 1
            assert "nothing can be made of" not in text, text

    check()
