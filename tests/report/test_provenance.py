"""Figures and files say where they come from and how they were made; one figure leads the page."""

import csv
import io
import json
import math
import shutil
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from gnn_checkpointing.analysis.regression import laws
from gnn_checkpointing.analysis.table import completed
from gnn_checkpointing.artefacts import sha256_of
from gnn_checkpointing.audit.pages import pages
from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.documents import Documents, documents
from gnn_checkpointing.report.page import Figure, Panel
from gnn_checkpointing.report.provenance import CODE, CRATE, measuring_command, provenance
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.report.sections.lead import lead_figure
from gnn_checkpointing.report.units import NOTHING
from gnn_checkpointing.study.study import Study
from rebuilt import packed
from synthetic import inputs as synthetic
from synthetic.rows import LAWS, table

CHECKSUMS = {
    "measurements.csv": "a" * 64,
    "study.json": "b" * 64,
    "trainings.json": "c" * 64,
    "graphs.json": "e" * 64,
    "records.jsonl": "d" * 64,
}


@pytest.fixture(scope="module")
def page() -> Documents:
    return documents(synthetic.inputs(), CHECKSUMS)


def test_every_figure_has_a_rule_a_command_and_hashes(page: Documents) -> None:
    for figure in page.figures():
        found = figure.provenance
        assert found is not None
        assert found.rule in ("analyse", "collect")
        assert found.command.startswith(("python -m gnn_checkpointing analyse", "snakemake --cores 8"))
        assert all(len(fact.value) == 64 for fact in found.inputs)
        assert found.data == f"figures/{figure.id}.csv"


def test_a_figure_of_an_unknown_file_is_an_error() -> None:
    figure = Figure("figure-x", "", "", (), source="elsewhere.json")
    with pytest.raises(ValueError, match=r"no rule is known to make elsewhere\.json"):
        provenance(figure, synthetic.inputs().study, {})


def test_the_files_hold_what_is_drawn(rendered: Path) -> None:
    drawn = bounded_bytes(rendered / "figures/figure-memory-level.csv").decode()
    rows = list(csv.DictReader(io.StringIO(drawn)))
    assert set(rows[0]) == {"panel", "policy", "average degree (edges per node)", "activation memory", "low", "high"}
    one = [row for row in rows if (row["panel"], row["policy"]) == ("GATv2", "layers")]
    assert [float(row["average degree (edges per node)"]) for row in one] == list(synthetic.DEGREES)
    slope = (float(one[-1]["activation memory"]) - float(one[0]["activation memory"])) / (2000 * (128 - 4))
    assert slope == pytest.approx(LAWS["GATv2", "layers"][0].per_edge, rel=0.05)


def test_the_first_screen_has_a_panel_for_layers_and_one_for_edge_blocks(page: Documents) -> None:
    lead = page.report.lead
    assert lead is not None
    assert [panel.title for panel in lead.panels] == ["layers", "edge_blocks"]
    drawn = lead.panels[0].drawn
    assert drawn.columns[0] == "convolution"
    assert {row[0] for row in drawn.rows} == set(synthetic.CONVOLUTIONS)


def test_plain_training_has_no_ratio_to_itself_in_the_table_of_real_graphs() -> None:
    sections = documents(synthetic.real_inputs(), {}).report.sections
    (table,) = [one for part in sections for one in part.blocks if getattr(one, "id", "") == "table-real-short"]
    ratios = {row[4]: row[5:7] for row in table.rows}
    assert ratios["none"] == (NOTHING, NOTHING)
    assert NOTHING not in ratios["layers"]


@pytest.mark.parametrize(
    ("study", "commands"),
    [
        (synthetic.study(), "make report"),
        (synthetic.study(name="depth"), "make report STUDY=depth"),
        (synthetic.real_inputs().study, "make setup\n. .venv/bin/activate\nsnakemake --cores 8 --configfile workflow"),
    ],
    ids=["default", "another", "real graphs"],
)
def test_a_study_is_measured_again_by_one_command_unless_it_needs_files(study: Study, commands: str) -> None:
    found = measuring_command(study)
    assert found == commands or (found.startswith(commands) and found.endswith("data_root=FOLDER_OF_REAL_GRAPHS"))


def test_a_study_of_real_graphs_leads_with_them(page: Documents) -> None:
    lead = lead_figure(synthetic.real_inputs())
    assert lead is not None
    assert "real graphs" in lead.caption
    assert {row[0] for row in lead.panels[0].drawn.rows} == {"Cora", "amherst41", "tolokers"}


def test_residuals_stand_against_a_normal_distribution() -> None:
    """Standardised residuals that equal normal quantiles lie on the diagonal."""
    inputs = synthetic.inputs()
    laws = [
        law.model_copy(
            update={
                "residuals": [
                    residual.model_copy(update={"standardised": place / 10, "normal_quantile": place / 10})
                    for place, residual in enumerate(law.residuals)
                ]
            }
        )
        for law in inputs.regressions.laws
    ]
    changed = inputs.regressions.model_copy(update={"laws": laws})
    made = section(synthetic.inputs(regressions=changed), "predictions.laws")
    figures = [block for block in made.blocks if isinstance(block, Figure) and "quantiles" in block.id]
    assert len(figures) == 2
    panel: Panel = figures[0].panels[0]
    assert all(math.isclose(float(row[1]), float(row[2])) for row in panel.drawn.rows)
    assert "furthest from the diagonal" in panel.alternative


def test_laws_that_are_exact_have_no_quantiles() -> None:
    exact, _ = laws(completed(table(0, noise=0.0)), 0.95)
    regressions = synthetic.inputs().regressions.model_copy(update={"laws": exact})
    made = section(synthetic.inputs(regressions=regressions), "predictions.laws")
    assert not [block for block in made.blocks if isinstance(block, Figure) and "quantiles" in block.id]


@pytest.fixture(scope="module")
def report() -> Path:
    return packed("ten-million")


def test_its_reader_finds_every_file_with_its_checksum_and_no_other(report: Path) -> None:
    crate = ROCrate(report)
    listed = {file.id: file["sha256"] for file in crate.get_by_type("File") if file.id != CRATE}
    there = {path.relative_to(report).as_posix(): path for path in report.rglob("*") if path.is_file()}
    del there[CRATE]
    assert listed == {name: sha256_of(path) for name, path in there.items()}


def test_it_is_described_by_the_title_and_the_first_sentence(report: Path) -> None:
    summary = json.loads((report / "summary.json").read_text())
    root = ROCrate(report).root_dataset
    assert (root["name"], root["description"]) == (summary["study"]["title"], summary["headline"])
    assert root["conformsTo"].id == "https://w3id.org/ro/wfrun/process/0.5"


def test_one_action_of_this_code_read_the_study_and_made_the_rest(report: Path) -> None:
    crate = ROCrate(report)
    (run,) = crate.get_by_type("CreateAction")
    assert run["instrument"].id == CODE
    assert {file.id for file in run["object"]} == {"study.json", "hardware.json"}
    files = {file.id for file in crate.get_by_type("File")} - {CRATE}
    assert {file.id for file in run["result"]} == files - {"study.json", "hardware.json"}
    assert run["startTime"] < run["endTime"]
    facts = {fact["name"]: fact["value"] for fact in run["environment"]}
    described = json.loads((report / "hardware.json").read_text())["facts"]
    assert facts.items() >= {fact["name"]: fact["value"] for fact in described}.items()


@pytest.mark.parametrize(("name", "value"), [("endTime", "2031-01-01T00:00:00+00:00"), ("result", [])])
def test_a_changed_statement_about_the_run_is_not_valid(report: Path, tmp_path: Path, name: str, value: object) -> None:
    folder = tmp_path / report.parent.name / report.name
    shutil.copytree(report, folder)
    crate = json.loads((folder / CRATE).read_text())
    next(entity for entity in crate["@graph"] if entity["@id"] == "#run")[name] = value
    (folder / CRATE).write_text(json.dumps(crate))
    assert list(pages(RunFolder(folder))) == [f"{CRATE}: not what the data beside it give: #run"]
