"""The published default report is valid; spoilt in one place, it is not, and the complaint names the place."""

import csv
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable
from functools import partial, reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pikepdf
import pytest

import changed
from faults.hostile import signed as sign
from gnn_checkpointing.analysis.rounding import significant
from gnn_checkpointing.artefacts import sha256_of, write_json
from gnn_checkpointing.audit.again import differences
from gnn_checkpointing.audit.validate import complaints, quick_complaints
from gnn_checkpointing.cli import main
from gnn_checkpointing.report.pdf import _written
from gnn_checkpointing.report.provenance import CODE, CRATE, INSIDE
from gnn_checkpointing.report.render import report_code
from gnn_checkpointing.report.texts import TEMPLATES
from rebuilt import ROOT, copied, rebuilt, unpack

STUDIES = sorted(path.parent.name for path in ROOT.glob("report/*/*/study.json"))
(PUBLISHED,) = ROOT.glob("report/*/default/hardware.json")
_FACTS = {fact["name"]: fact["value"] for fact in json.loads(PUBLISHED.read_text())["facts"]}
OF_THE_TYPE = {name: _FACTS[name] for name in ("processor", "cores", "memory", "accelerator")}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of the report that is computed again in the least time of those with generated graphs."""
    return copied(rebuilt("batches"), tmp_path)


def signed(folder: Path) -> None:
    """Write the checksums of the crate anew, as someone would who hides a change."""
    unpack(folder)

    def sign(crate: dict[str, Any]) -> None:
        files = {entity["@id"]: folder / entity["@id"].removeprefix(INSIDE) for entity in crate["@graph"]}
        crate["@graph"] = [
            entity for entity in crate["@graph"] if "sha256" not in entity or files[entity["@id"]].exists()
        ]
        for entity in crate["@graph"]:
            if "sha256" in entity:
                entity["sha256"] = sha256_of(files[entity["@id"]])
                entity["contentSize"] = str(files[entity["@id"]].stat().st_size)
            elif entity["@id"] == CODE:
                entity["softwareVersion"] = ""

    in_json(CRATE, sign)(folder)


def in_json(name: str, change: Callable[[Any], None]) -> Callable[[Path], None]:
    return lambda folder: changed.in_json(folder, name, change)


def in_records(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[Path], None]:
    return lambda folder: changed.in_records(folder, change)


def put(name: str, path: str, value: object) -> Callable[[Path], None]:
    """Set what lies at a path of keys and positions in a JSON file, or in records."""
    change = in_records if name.endswith("jsonl") else partial(in_json, name)
    return change(lambda values: set_at(values, path, value))


def measured(path: str, value: object) -> Callable[[Path], None]:
    """The same of the first completed policy."""
    return in_records(lambda records: set_at(completed(records), path, value))


def set_at(values: Any, path: str, value: object) -> None:
    *above, last = (int(step) if step.isdigit() else step for step in path.split("."))
    reduce(getitem, above, values)[last] = value


def in_table(column: str, value: str) -> Callable[[Path], None]:
    """Change a field of the first completed row."""

    def spoil(rows: changed.Table) -> None:
        next(row for row in rows if row["outcome"] == "completed")[column] = value

    return lambda folder: changed.in_table(folder, spoil)


def completed(records: list[dict[str, Any]]) -> dict[str, Any]:
    return next(policy for record in records for policy in record["policies"] if policy["memory"])


def turn_round(records: list[dict[str, Any]]) -> None:
    records[0]["started"], records[0]["ended"] = records[0]["ended"], records[0]["started"]


def forgiven(records: list[dict[str, Any]]) -> None:
    """An error beyond the tolerance that passes for none."""
    found = next(policy for record in records for policy in record["policies"] if policy["sameness"])
    found["sameness"] |= {"loss_error": 0.5, "same_loss": True}


def twice_as_dense(graph: dict[str, Any]) -> None:
    for name in ("num_edges", "average_degree", "density"):
        graph[name] *= 2


def hurry(records: list[dict[str, Any]]) -> None:
    """A step faster than any machine's."""
    timed = completed(records)["steps"]
    for name in ("wall_seconds", "forward_seconds", "cpu_seconds"):
        timed[name] = [1e-9 if name == "wall_seconds" else 5e-10 for _ in timed[name]]


def of_hosts(*changes: dict[str, str]) -> Callable[[list[dict[str, Any]]], None]:
    """Let the first records be of machines of the report's type, but for what is changed of each."""

    def spoil(records: list[dict[str, Any]]) -> None:
        for record, change in zip(records, changes, strict=False):
            record["host"] = {"id": "one", **OF_THE_TYPE, **change}

    return spoil


def forged_rows(folder: Path) -> None:
    """Put each row before itself, a hundred times as slow."""

    def slow(row: dict[str, str]) -> dict[str, str]:
        return row | {"time_ratio": repr(100 * float(row["time_ratio"])) if row["time_ratio"] else ""}

    changed.in_table(folder, lambda rows: rows.__setitem__(slice(0, 0), [slow(row) for row in rows]))


def concluded_again(folder: Path) -> None:
    """Run all stages after the analysis again, as someone would who changed the analysis."""
    for command in ("judge", "audit", "knowledge"):
        assert main([command, f"--run={folder}"]) == 0
    assert main(["report", f"--run={folder}", f"--templates={TEMPLATES}", f"--output-folder={folder}"]) == 0
    for path in folder.rglob(".*.sha256"):
        path.unlink()


def ten_times_better(folder: Path) -> None:
    def scale(values: Any) -> None:
        for effect in (row for row in values["rows"] if row["activation_ratio"]):
            effect["activation_ratio"] = {end: 0.1 * value for end, value in effect["activation_ratio"].items()}

    in_json("analysis/effects.json", scale)(folder)
    concluded_again(folder)


def of_another_report(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (other,) = ROOT.glob("report/*/ten-million")
        shutil.copy(other / name, folder / name)

    return spoil


def moved(points: float) -> Callable[[Path], None]:
    """Move the ends of lines on printed pages."""

    def longer(line: re.Match[bytes]) -> bytes:
        return b"%.2f%b" % (float(line[1]) + points, line[2])

    def spoil(folder: Path) -> None:
        with pikepdf.open(folder / "report.pdf") as document:
            for page in document.pages:
                drawn = re.sub(rb"(\d+\.\d+)( \d+\.?\d* l\b)", longer, page.Contents.read_bytes())
                page.Contents.write(zlib.compress(drawn), filter=pikepdf.Name.FlateDecode)
            (folder / "report.pdf").write_bytes(_written(document))

    return spoil


def in_text(name: str, old: str, new: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return spoil


def in_crate(id: str, **changes: str) -> Callable[[Path], None]:
    """Change fields of one entity of the crate."""
    return in_json(CRATE, lambda crate: next(one for one in crate["@graph"] if one["@id"] == id).update(changes))


def linked(path: Path) -> None:
    """Move a file out of its folder, and leave a link to it."""
    other = path.rename(path.parents[1] / path.name)
    path.symlink_to(other)


def rows_beside(folder: Path) -> None:
    """A first column of forged peaks before the true one, which some programs read."""
    with (folder / "measurements.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    at = header.index("peak_memory_bytes")
    forged = [[*header[:at], header[at], *header[at:]], *([*row[:at], "1", *row[at:]] for row in rows)]
    with (folder / "measurements.csv").open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(forged)


def in_lines(name: str, change: Callable[[list[str]], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        lines = (folder / name).read_text().splitlines(keepends=True)
        change(lines)
        (folder / name).write_text("".join(lines))

    return spoil


def of_a_graph(change: Callable[[Any], None]) -> Callable[[Path], None]:
    """Change a graph wherever it is described but in the table."""

    def spoil(folder: Path) -> None:
        id = json.loads((folder / "graphs.json").read_text())["graphs"][0]["id"]
        in_json("graphs.json", lambda values: change(values["graphs"][0]))(folder)
        changed.in_records(folder, lambda all: [change(one["graph"]) for one in all if one["graph"]["id"] == id])

    return spoil


def overturn(values: Any) -> None:
    claim = next(one for one in values["claims"] if one["verdict"] == "supported")
    claim["verdict"] = "refuted"


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_published_reports_are_what_their_analysis_gives(study: str) -> None:
    assert quick_complaints(rebuilt(study)) == []


@pytest.mark.minutes
@pytest.mark.parametrize("study", STUDIES)
def test_published_reports_are_valid(study: str) -> None:
    assert complaints(rebuilt(study)) == []


def test_a_valid_folder_is_said_to_be(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small / "figures/.snakemake_timestamp").touch()
    assert main(["validate", str(small)]) == 0
    assert capsys.readouterr().out == f"{small}: valid\n"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "traces.json").unlink(), "traces.json: no such file"),
        (lambda folder: (folder / "figures/figure-lead.csv").write_text("x"), "figure-lead.csv: has changed"),
        (lambda folder: os.mkfifo(folder / "notes"), "notes: not a plain file"),
        (lambda folder: (folder / "notes.txt").write_text("x"), "notes.txt: not listed in ro-crate-metadata.json"),
        (lambda folder: (folder / CRATE).unlink(), "ro-crate-metadata.json: no such file"),
        (lambda folder: (folder / CRATE).write_text("[1]"), "ro-crate-metadata.json: no list of files"),
        (lambda folder: (folder / "records.jsonl").write_bytes(b"\xff\n"), "not readable as records"),
        (in_json("claims.json", overturn), "claims.json: has changed"),
        (lambda folder: (folder / "notes").symlink_to("/"), "notes: not a plain file"),
        (lambda folder: linked(folder / "claims.json"), "claims.json: not a plain file"),
        (in_crate("report.html", contentSize="1"), "report.html: has changed"),
        (in_crate("#authors", name="Me"), f"{CRATE}: not what the data"),
        (in_json(CRATE, lambda crate: crate.update(note="x")), f"{CRATE}: not what the data"),
    ],
)
def test_a_file_that_was_touched_is_named(small: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(small)
    found = complaints(small)
    assert any(said in text for text in found), found


ALLOCATED = {"allocated_bytes": 10**15, "reserved_bytes": 10**14}
IMPOSSIBLE = {
    "batches": [
        (in_json("claims.json", overturn), "verdict is refuted, not supported"),
        (put("hardware.json", "slug", "another"), "hardware another lies in a folder"),
        (put("study.json", "name", "other"), "study other lies in a folder called"),
        (in_json("study.json", lambda values: values["policies"].append("selective")), "but the study's are others"),
        (put("study.json", "seed", 1), "asked for by the study, and not measured"),
        (put("graphs.json", "graphs.0.num_edges", 10**15), "a simple graph has"),
        (put("graphs.json", "graphs.0.average_degree", 3.0), "edges / nodes are"),
        (in_table("step_time_seconds", "1e-3"), "step_time_seconds is 0.001, the records say"),
        (in_table("peak_memory_bytes", "12345"), "peak_memory_bytes is 12345, the records say"),
        (in_table("activation_ratio", "0.123"), "activation_ratio is 0.123, the records say"),
        (in_table("time_ratio_low", "0.123"), "time_ratio_low is 0.123, the records say"),
        (in_records(lambda records: records.append(records[0])), "2 records of it"),
        (in_records(lambda records: records[0].pop("seed")), "record 1: field seed"),
        (measured("memory.transient_bytes", 1), "add up to"),
        (measured("memory.policy_resident_bytes", 10**15), "bytes of the policy among"),
        (in_records(lambda records: completed(records)["readings"].update(ALLOCATED)), "each holds the one before"),
        (put("records.jsonl", "0.memory_limit_bytes", 1), "over the limit 1"),
        (measured("outcome", "failed"), "failed, with bytes"),
        (measured("steps.forward_seconds.0", 1e9), "a forward pass of"),
        (measured("steps.cpu_seconds.0", 1e9), "s of CPU in a step of"),
        (in_records(turn_round), "before it started"),
        (in_records(lambda records: records[0]["policies"].append(records[0]["policies"][0])), "is there twice"),
        (in_records(lambda records: records[0]["again"][0]["steps"].pop("none")), "and not in each further one"),
        (measured("memory.resident_bytes", 10**15), "1000000000000000 of them resident"),
        (measured("steps.wall_seconds", []), "values of as many rounds"),
        (in_records(hurry), "edges x layers x channels"),
        (in_records(of_hosts({"cores": "64"}, {})), "process 1 ran on another type of machine: cores 64, not "),
        (in_records(of_hosts({}, {"id": "other"})), "hosts is '', the records say"),
        (put("records.jsonl", "0.measured_seconds", 1e9), "measured for 1000000000.000 s"),
        (in_records(lambda records: completed(records)["steps"]["page_faults"].append(1)), "values of"),
        (put("records.jsonl", "0.threads", 0), "field threads"),
        (in_records(lambda records: records[0].update(threads=records[0]["threads"] + 1)), "the study asks for"),
        (put("records.jsonl", "0.architecture.num_layers", 7), "num_layers is 7, the study asks for"),
        (in_records(forgiven), "is called the same"),
        (of_a_graph(twice_as_dense), "num_edges is"),
        (put("study.json", "measurement.repeats", 1), "visit 1 asked for by the study or"),
        (rows_beside, "measurements.csv: column peak_memory_bytes is there twice"),
        (
            in_lines("measurements.csv", lambda lines: lines.__setitem__(0, f"note,{lines[0]}")),
            "column note is none of",
        ),
        (
            in_lines("measurements.csv", lambda lines: lines.__setitem__(1, f"x,{lines[1]}")),
            "line 2: not as many values",
        ),
        (in_table("num_nodes", "20_000"), "num_nodes is '20_000', not a integer"),
        (in_lines("records.jsonl", lambda lines: lines.append('{"cell"')), "records.jsonl: ends within a record"),
        (in_json("hardware.json", lambda values: values["facts"].append(values["facts"][0])), "is there 2 times"),
        (in_json("hardware.json", lambda values: values.update(note="x")), "field note: Extra inputs are not"),
        (of_a_graph(lambda graph: graph["structure"].update(isolated_nodes=10**9)), "1000000000 isolated nodes of"),
        (of_a_graph(lambda graph: graph["structure"].update(maximum_degree=1)), "degrees from quantile to quantile"),
        (of_a_graph(lambda graph: graph.update(training_nodes=10**9)), "1000000000 training nodes of"),
        (put("demonstration.json", "workload", "a year of training"), "of another step than `demonstrate` runs"),
        (put("demonstration.json", "held_bytes", 1), "1 bytes held before"),
        (put("demonstration.json", "exact_bytes", 1000), "1000 bytes of a step that takes"),
        (put("demonstration.json", "process_high_water_bytes", 5), "took more than the 5 bytes of the process"),
        (put("demonstration.json", "step_seconds", 1e6), "a step of 1e+06 s in a job of"),
        (put("study.json", "architecture.depths", list(range(5, 9000))), "and not measured"),
        (put("study.json", "measurement.memory_limit_gib", 0.5), "the study asks for 536870912"),
        (
            in_records(lambda records: records[0].update(load_before=9.0, warnings=[])),
            "its numbers say that the machine was shared",
        ),
    ],
    "default": [
        (put("demonstration.json", "exact_bytes", -1), "demonstration.json: field exact_bytes"),
        (in_json("trainings.json", lambda values: values.pop()), "asked for by the study, and not there"),
        (put("trainings.json", "0.policy", "selective"), "not asked for by the study"),
        (put("trainings.json", "0.test_accuracy", 1.5), "field 0.test_accuracy"),
        (in_json("trainings.json", lambda values: values[0]["losses"].pop()), "losses is"),
    ],
}


@pytest.mark.parametrize(
    ("study", "spoil", "said"), [(study, *case) for study, cases in IMPOSSIBLE.items() for case in cases]
)
def test_what_cannot_be_is_said_though_it_was_signed(
    tmp_path: Path, study: str, spoil: Callable[[Path], None], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(rebuilt(study), tmp_path)
    spoil(folder)
    signed(folder)
    with pytest.raises(SystemExit, match="2"):
        main(["validate", str(folder)])
    errors = capsys.readouterr().err.splitlines()
    assert all(line.startswith("error: ") for line in errors)
    assert all(line.count(str(folder)) == 1 or "make report-from" in line for line in errors), errors
    assert any(said in line for line in errors), errors


CONCLUDED = [
    (ten_times_better, "analysis/effects.json: not what measurements.csv gives: /rows/0/activation_ratio/estimate"),
    (in_json("analysis/trends.json", lambda values: values["break_evens"].pop()), "analysis/trends.json: not what"),
    (put("analysis/regressions.json", "confidence", 0.9), "analysis/regressions.json: not what"),
    (put("analysis/quality.json", "failures", [{"cell": "c", "policy": "layers"}]), "analysis/quality.json: not what"),
    (in_text("report.html", "\xa0%", "0\xa0%"), "report.html: not what the data beside it give"),
    (in_text("report.html", ">0.5</text>", ">0.6</text>"), "report.html: not what the data beside it give"),
    (in_text("report.html", 'data-x="log ', 'data-x="log 0.'), "report.html: not what the data beside it give"),
    (in_text("report.html", "</h1>", "</h1><p>The best of all policies.</p>"), "best of all"),
    (of_another_report("report.pdf"), "report.pdf: not what the data beside it give"),
    (moved(0.3), "report.pdf: not what the data beside it give"),
    (in_text("figures/figure-lead.csv", "layers", "selective"), "figures/figure-lead.csv: not what the figure draws"),
]
QUICK = {
    "batches": [
        (put("records.jsonl", "0.started", "yesterday"), "field started: Value error, Invalid isoformat string"),
        (forged_rows, "policy none: there 2 times"),
        (lambda folder: (folder / "summary.json").unlink(), "summary.json: no such file"),
        (in_text("summary.json", '"cells"', '"cells": 1, "cells"'), "the key cells is there twice"),
        (put("summary.json", "cells", 7), "summary.json: not what"),
        (
            in_text("summary.json", '"cells": ', '"cells": NaN, "x": '),
            "summary.json: not readable as JSON (NaN is no number",
        ),
        (put("traces.json", "traces", []), "traces.json: no trace of"),
        (put("traces.json", "traces.0.peak_bytes", 1), "the record says"),
        (in_json("claims.json", lambda values: values["claims"].extend(values["claims"])), "claims.json: not what"),
        (in_json("claims.json", lambda values: values["claims"].pop()), "claims.json: not what"),
        (put("claims.json", "claims.0.sentence", "All is well."), "sentence is All is"),
        (put("claims.json", "hardware", "laptop"), "hardware is laptop, not"),
        (put("audit.json", "checks.0.found", "nothing"), "audit.json: not what"),
        (in_json("history.json", lambda values: values[-1].update(cells=999)), "history.json: not what"),
        (in_json("history.json", lambda values: values.pop()), "history.json: not what"),
        (in_json("history.json", lambda values: values.append(values[0])), "history.json: not what"),
        (in_json("history.json", lambda values: values[0].update(cells=-1)), "history.json: field 0.cells"),
        (in_json("history.json", lambda values: values[0].update(measured_on="soon")), "field 0.measured_on"),
        (put("records.jsonl", "0.schema_version", 99), "record 1: field schema_version: Input should be 2"),
        (put("traces.json", "traces.0.graph_label", "x"), "graph_label is 'x', the record says"),
        (put("traces.json", "traces.0.events", 1), "fewer events than points"),
        (in_json("graphs.json", lambda values: values["graphs"].append(values["graphs"][0])), "there 2 times"),
    ],
    "default": [
        (put("planner.json", "policies", []), "planner.json: not what"),
        (put("trainings.json", "0.schema_version", 99), "field 0.schema_version: Input should be 1 or 2"),
        (in_json("trainings.json", lambda values: values.append(values[0])), "there 2 times"),
    ],
}


@pytest.mark.parametrize(("spoil", "said"), CONCLUDED)
def test_what_the_measurements_do_not_give_is_said_though_it_was_signed(
    small: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(small)
    signed(small)
    found = complaints(small)
    assert any(said in text for text in found), found


@pytest.mark.parametrize(
    ("study", "spoil", "said"), [(study, *case) for study, cases in QUICK.items() for case in cases]
)
def test_the_index_leaves_it_out_and_says_why(
    tmp_path: Path, study: str, spoil: Callable[[Path], None], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but what takes long to compute again; a good report beside it stays listed."""
    folder = copied(rebuilt(study), tmp_path)
    other = rebuilt("ten-million")
    shutil.copytree(other, folder.parent / other.name)
    spoil(folder)
    signed(folder)
    reports = folder.parents[1]
    assert main(["index", f"--reports={reports}", f"--templates={TEMPLATES}", f"--output={reports}/index.html"]) == 0
    if (folder / "summary.json").exists():
        assert said in capsys.readouterr().err
        assert "Left out" in (reports / "index.html").read_text()
    assert "ten-million/report.html" in (reports / "index.html").read_text()
    assert f"{study}/report.html" not in (reports / "index.html").read_text()


def test_other_code_is_said_in_one_sentence_with_the_remedy(small: Path) -> None:
    """Every claim's words are others, as after a change of the catalogue; the crate names no code or another."""

    def reworded(values: Any) -> None:
        for claim in values["claims"]:
            claim["sentence"] += " Indeed."

    in_json("claims.json", reworded)(small)
    signed(small)
    (sentence,) = complaints(small)
    assert "made with another version of this project" in sentence
    assert f"make report-from FROZEN={small}" in sentence
    assert quick_complaints(small) == [sentence]


def test_what_was_changed_in_todays_report_is_not_blamed_on_another_version(small: Path) -> None:
    put("claims.json", "claims.0.sentence", "All is well.")(small)
    signed(small)
    in_crate(CODE, softwareVersion=report_code(TEMPLATES))(small)
    (sentence,) = complaints(small)
    assert "version" not in sentence
    assert "claims.json: not what" in sentence


def test_numbers_of_another_processor_are_the_same(small: Path) -> None:
    """The last digits of every computed number of the analysis are others; so is a drawing by less than can be seen."""

    def shaken(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shaken(item) for key, item in value.items()}
        if isinstance(value, list):
            return [shaken(item) for item in value]
        # As each processor rounds what it has computed before it writes it.
        return significant(value * (1 + 3e-12)) if isinstance(value, float) else value

    for path in (small / "analysis").glob("*.json"):
        write_json(path, shaken(json.loads(path.read_text())))
    concluded_again(small)
    moved(0.2)(small)
    sign(small, "report.pdf")
    assert complaints(small) == []


def test_real_graphs_of_other_files_than_the_study_lists_are_named(tmp_path: Path) -> None:
    real = copied(rebuilt("real"), tmp_path)
    listed = lambda values: values["graphs"]["real"][0].update(files={"some.npz": "0" * 64})  # noqa: E731
    in_json("study.json", listed)(real)
    signed(real)
    assert any("study.json lists no such file" in text for text in quick_complaints(real))


def test_a_false_report_is_not_rebuilt(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forged_rows(small)
    signed(small)
    output = small.parent / "again"
    assert main(["rebuild", f"--frozen={small}", f"--templates={TEMPLATES}", f"--output-folder={output}"]) == 2
    assert "there 2 times" in capsys.readouterr().err
    assert not output.exists()


def test_values_differ_where_one_side_lacks_a_place_or_more_than_last_digits_do() -> None:
    assert list(differences({"a": [1.0, {"b": 2}]}, {"a": [1 + 1e-9]})) == [("/a/1/b", 2, "missing")]
    assert list(differences(["missing"], [])) == [("/0", "missing", "missing"), ("", "missing", [])]
    assert [place for place, *_ in differences({"a": True, "b": 1.0}, {"a": 1, "b": 1.1})] == ["/a", "/b"]


def test_no_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(tmp_path / "none")]) == 2
    assert "no such folder; name that of a published report" in capsys.readouterr().err
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SystemExit):
        main(["validate", str(tmp_path)])
    assert capsys.readouterr().err == (
        f"error: {tmp_path}: no published report there; name its folder, report/<hardware>/<study>\n"
    )
    (tmp_path / "study.json").touch()
    assert complaints(tmp_path) == [
        f"{tmp_path / 'data.tar.xz'}: not there, nor what it holds; copy the report with all its files"
    ]
