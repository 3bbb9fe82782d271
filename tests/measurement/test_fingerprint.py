"""A part's fingerprint is that of sources which are there: a name that no file has would be passed over in silence."""

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
