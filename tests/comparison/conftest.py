"""Two reports of one study that differ in everything that can be said of them, and the page of their comparison."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from changed import Table, in_json, in_records, in_table, table
from gnn_checkpointing.comparison.page import compare
from gnn_checkpointing.comparison.results import Pair

from .machines import index_of, page_of, scale_ratios, two


@dataclass
class Changed:
    """The reports' folder, either machine's table, what is found of them, and the ids of the changed claims."""

    reports: Path
    first: Table
    second: Table
    pair: Pair
    ids: dict[str, str]


@pytest.fixture(scope="session")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Changed:
    """The second is changed in many places that have nothing to do with each other."""
    reports, ids = tmp_path_factory.mktemp("reports"), dict[str, str]()
    first, second = two(reports)

    def rows(found: Table) -> None:
        found[7].update(saved_activation_bytes=str(int(found[7]["saved_activation_bytes"]) + 1), edges_at_once="7")
        found[1]["outcome"] = "out_of_memory"
        found.pop(4)

    def claims(values: Any) -> None:
        supported = [claim for claim in values["claims"] if claim["verdict"] == "supported"]
        for claim, verdict in zip(supported, ("refuted", "inconclusive"), strict=False):
            ids[verdict] = claim["id"]
            claim["verdict"] = verdict

    def laws(values: Any) -> None:
        saved = [law for law in values["laws"] if law["response"] == "saved_activation_bytes"]
        saved[0]["per_edge"]["estimate"] *= 1 + 1e-9
        saved[1]["per_edge"]["estimate"] += 4
        saved[1]["cells"] = 35

    def crossing(degree: float) -> Callable[[Any], None]:
        ends = {"estimate": degree, "low": 7 / 8 * degree, "high": 9 / 8 * degree}
        return lambda values: values["break_evens"][0].update(course="rises", average_degree=ends)

    def kernel(values: Any) -> None:
        next(fact for fact in values["facts"] if fact["name"] == "kernel")["value"] = "6.1"

    scale_ratios(second, "layers", 1.25)
    in_table(second, rows)
    in_table(first, lambda rows: [rows.pop() for _ in range(3)])
    in_json(second, "hardware.json", kernel)
    in_json(second, "claims.json", claims)
    in_json(second, "analysis/regressions.json", laws)
    in_json(second, "study.json", lambda values: values["measurement"].update(threads=2))
    in_records(second, lambda records: [record.update(fingerprint="other") for record in records])
    in_json(first, "analysis/trends.json", crossing(8.0))
    in_json(second, "analysis/trends.json", crossing(16.0))
    crosses = {"course": "crosses", "average_degree": None}
    in_json(second, "analysis/trends.json", lambda values: values["break_evens"][1].update(crosses))
    (pair,) = compare(reports).pairs
    page_of(reports)
    index_of(reports)
    return Changed(reports, table(first), table(second), pair, ids)
