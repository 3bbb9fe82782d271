"""Further machines made from a published report: its folder under another name, changed in one place or another."""

import shutil
from pathlib import Path
from typing import Any

from changed import Table, in_json, in_records, in_table
from gnn_checkpointing.cli import main
from gnn_checkpointing.comparison import PAGE
from gnn_checkpointing.comparison.page import compare, index_sentences, render_comparison
from gnn_checkpointing.report.index import Compared, render_index
from gnn_checkpointing.report.provenance import CRATE
from pages import whole
from rebuilt import ROOT, once, unpack

TEMPLATES = ROOT / "templates"
(PUBLISHED,) = ROOT.glob("report/*/default")
OWN = PUBLISHED.parent.name
"""The machine that comes first in every pair: "amd-..." stands before "rack"."""


def measured_on(published: Path, slug: str, reports: Path) -> Path:
    """Publish a report below `reports` as if `slug` had measured it, whole and valid; return its folder."""
    folder = reports / slug / published.name
    shutil.copytree(published, folder)
    unpack(folder)
    (folder / CRATE).unlink(missing_ok=True)
    in_json(folder, "hardware.json", lambda values: values.update(slug=slug, label=f"The machine {slug}"))
    in_records(folder, lambda records: [record.update(hardware=slug) for record in records])
    in_table(folder, lambda rows: [row.update(hardware=slug) for row in rows])
    assert main(["rebuild", f"--frozen={folder}", f"--templates={TEMPLATES}", f"--output-folder={folder}"]) == 0
    unpack(folder)
    return folder


def page_of(reports: Path) -> str:
    """Compare machines whose reports are made up for it, which the command would not let in; return the page."""
    render_comparison(compare(reports), TEMPLATES, reports)
    return whole(reports / "comparison.html")


def index_of(reports: Path) -> str:
    """The index of such reports, and of what comparing them comes to."""
    found = Compared(tuple(index_sentences(compare(reports), TEMPLATES)), PAGE)
    render_index(reports, TEMPLATES, reports / "index.html", found)
    return (reports / "index.html").read_text()


def publish(reports: Path, slug: str = OWN, study: str = "default") -> Path:
    """Put the published default report below `reports` as if `slug` had measured it.

    Without faces and figures, without cells measured again later, and without the list of checksums that every change
    would be held to.
    """

    def make(folder: Path) -> None:
        ignored = shutil.ignore_patterns("report.*", "appendix.*", "manifest.json", CRATE)
        shutil.copytree(PUBLISHED, folder, ignore=ignored, dirs_exist_ok=True)
        unpack(folder)
        in_table(folder, keep_first_visits)
        name = {"slug": slug, "label": f"The machine {slug}"}
        in_json(folder, "hardware.json", lambda values: values.update(name))
        in_json(folder, "study.json", lambda values: values.update(name=study))
        in_json(folder, "summary.json", lambda values: values["hardware"].update(name))

    return shutil.copytree(once(f"machine-{slug}-{study}", make, str(PUBLISHED)), reports / slug / study)


def two(reports: Path) -> tuple[Path, Path]:
    """Publish the default report twice: as it is, and as a machine called rack."""
    return publish(reports), publish(reports, "rack")


def keep_first_visits(rows: Table) -> None:
    rows[:] = [row for row in rows if row.get("visit", "0") in ("", "0")]


def slow_down(folder: Path, factor: float) -> None:
    """Make a machine `factor` times as slow in everything: its seconds grow, its ratios stay."""

    def rows(found: Table) -> None:
        for row in found:
            for name in ("step_time_seconds", "forward_time_seconds", "backward_time_seconds", "cpu_time_seconds"):
                row[name] = repr(float(row[name]) * factor) if row[name] else ""

    def laws(values: Any) -> None:
        for law in values["laws"]:
            if law["response"] == "step_time_seconds":
                for name in ("constant", "per_node", "per_edge"):
                    law[name] = {end: value * factor for end, value in law[name].items()}

    in_table(folder, rows)
    in_json(folder, "analysis/regressions.json", laws)


def scale_ratios(folder: Path, policy: str, factor: float) -> None:
    """Make one policy `factor` times as dear beside none as it was."""

    def rows(found: Table) -> None:
        for row in found:
            if row["policy"] == policy:
                for name in ("time_ratio", "time_ratio_low", "time_ratio_high"):
                    row[name] = repr(float(row[name]) * factor)

    in_table(folder, rows)
