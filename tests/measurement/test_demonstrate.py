"""What the wrong instruments say: too much after a parent that was large, and what a poll happened to see."""

from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.measurement.demonstrate import HELD_BYTES, step_demonstration, with_benchmark
from gnn_checkpointing.records.jobs import StepDemonstration, read_demonstration
from gnn_checkpointing.refusal import Refusal

pytestmark = pytest.mark.slow

BYTES = ("held_bytes", "exact_bytes", "high_water_bytes", "process_high_water_bytes", "child_maxrss_bytes")
STEP = StepDemonstration(workload="w", step_seconds=0.1, **{name: number for number, name in enumerate(BYTES, 1)})
HEADER = "s\th:m:s\tmax_rss\tmax_vms\n"


def test_a_large_parent_shows_in_its_childs_maxrss_and_not_in_the_reset_mark() -> None:
    found = step_demonstration()
    assert found.high_water_bytes == pytest.approx(found.exact_bytes, rel=0.1)
    assert found.exact_bytes > 100 * 2**20
    assert found.process_high_water_bytes < HELD_BYTES <= found.child_maxrss_bytes


@pytest.mark.parametrize(
    ("polled", "expected"), [("12.50", (13107200, 5.1)), ("-", (None, 5.1)), ("NA", (None, 5.1)), (None, (None, None))]
)
def test_the_benchmark_is_read_in_bytes(polled: str | None, expected: tuple[Any, Any], tmp_path: Path) -> None:
    """By hand there is none."""
    (tmp_path / "b.tsv").write_text(f"{HEADER}5.1\t0:00:05\t{polled}\t99\n")
    found = with_benchmark(STEP, tmp_path / "b.tsv" if polled else None)
    assert (found.benchmark_max_rss_bytes, found.benchmark_seconds) == expected
    write_json(tmp_path / "d.json", found.model_dump(mode="json"))
    assert read_demonstration(tmp_path / "d.json") == found


@pytest.mark.parametrize(
    "text", ["", HEADER, "s\n1\n", f"{HEADER}5.1\t0\tinf\t9\n", f"{HEADER}5.1\n", f"{HEADER}{'x' * 200_000}\t\n"]
)
def test_a_benchmark_file_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "b.tsv").write_text(text)
    with pytest.raises(Refusal, match=r"b\.tsv"):
        with_benchmark(STEP, tmp_path / "b.tsv")
