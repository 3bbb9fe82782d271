"""What the wrong instruments say: too much after a parent that was large, and what a poll happened to see."""

from pathlib import Path

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.measurement.demonstrate import HELD_BYTES, step_demonstration, with_benchmark
from gnn_checkpointing.records.demonstration import StepDemonstration, read_demonstration
from gnn_checkpointing.refusal import Refusal

pytestmark = pytest.mark.slow

STEP = StepDemonstration(
    workload="w",
    held_bytes=1,
    step_seconds=0.1,
    exact_bytes=2,
    high_water_bytes=3,
    process_high_water_bytes=4,
    child_maxrss_bytes=5,
)
HEADER = "s\th:m:s\tmax_rss\tmax_vms\n"


def test_a_large_parent_shows_in_its_childs_maxrss_and_not_in_the_reset_mark() -> None:
    found = step_demonstration()
    assert found.high_water_bytes == pytest.approx(found.exact_bytes, rel=0.1)
    assert found.exact_bytes > 100 * 2**20
    assert found.process_high_water_bytes < HELD_BYTES <= found.child_maxrss_bytes


@pytest.mark.parametrize(("polled", "expected"), [("12.50", 13107200), ("-", None), ("NA", None)])
def test_the_benchmark_is_read_in_bytes(polled: str, expected: int | None, tmp_path: Path) -> None:
    (tmp_path / "b.tsv").write_text(f"{HEADER}5.1\t0:00:05\t{polled}\t99\n")
    found = with_benchmark(STEP, tmp_path / "b.tsv")
    assert (found.benchmark_max_rss_bytes, found.benchmark_seconds) == (expected, 5.1)
    write_json(tmp_path / "d.json", found.model_dump(mode="json"))
    assert read_demonstration(tmp_path / "d.json") == found


def test_by_hand_snakemake_says_nothing(tmp_path: Path) -> None:
    found = with_benchmark(STEP, None)
    assert found.benchmark_max_rss_bytes is found.benchmark_seconds is None
    write_json(tmp_path / "d.json", found.model_dump(mode="json"))
    assert read_demonstration(tmp_path / "d.json") == found


@pytest.mark.parametrize("text", ["", HEADER, "s\n1\n"])
def test_a_benchmark_file_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "b.tsv").write_text(text)
    with pytest.raises(Refusal, match=r"b\.tsv"):
        with_benchmark(STEP, tmp_path / "b.tsv")
