"""Origin of each file beside the report, in words and in `ro-crate-metadata.json`, and the check of that list.

The folder is a Process Run Crate (https://w3id.org/ro/wfrun/process/0.5), a format that other tools read. Its one
action is the run: it used this software on one machine, read a study and wrote measurements, analysis and pages. Every
file is listed with its size and SHA-256.
"""

import hashlib
import mimetypes
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rocrate.model import ContextEntity, File
from rocrate.rocrate import ROCrate

from gnn_checkpointing.artefacts import read_json, sha256_of
from gnn_checkpointing.packed import PACK, packed_files
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import inputs as names
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.page import Fact, Figure, Provenance, Section
from gnn_checkpointing.sourced import bare
from gnn_checkpointing.study.study import Study

FIGURES = "figures"
CRATE = "ro-crate-metadata.json"
CODE = "#code"
"""The entity whose `softwareVersion` is the digest of the code that made the report."""

_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_LICENCE = "https://spdx.org/licenses/MIT"
_GIVEN = (names.STUDY, names.HARDWARE)
_FORMATS = {".xz": "application/x-xz", ".jsonl": "application/jsonl"}

INSIDE = f"#{PACK}/"
"""Prefix of the addresses of files in the archive."""

_DESCRIPTIONS = {
    PACK: "the data behind the report, as a tar file compressed by xz",
    "history.json": "every measurement of this study on this machine",
    "summary.json": "what the index of reports shows",
    "report.html": "the report",
    "report.pdf": "the report, typeset",
    "appendix.html": "all tables, diagnostics, claims and checks",
    "appendix.pdf": "the appendix, typeset",
}


def study_command(study: Study) -> str:
    """The command that measures a study and makes its report."""
    command = "snakemake --cores 8"
    if study.name != "default":
        command += f" --configfile workflow/studies/{study.name}.yaml"
    if any(graph.dataset or not (graph.npz or graph.csv or Path()).is_absolute() for graph in study.graphs.real):
        command += " --config data_root=FOLDER_OF_REAL_GRAPHS"
    return command


SET_UP = "make setup\n. .venv/bin/activate\n"
"""Commands that install everything in a fresh clone, for those that follow."""


def measuring_command(study: Study) -> str:
    """The commands that measure a study and make its report in a fresh clone."""
    run = study_command(study)
    if "data_root" in run:
        return SET_UP + run
    return "make report" if study.name == "default" else f"make report STUDY={study.name}"


def with_provenance(section: Section, study: Study, checksums: Mapping[str, str]) -> Section:
    """The section with the provenance of each figure: of the file that it is drawn from, and of its own data."""
    blocks = (
        replace(block, provenance=provenance(block, study, checksums)) if isinstance(block, Figure) else block
        for block in section.blocks
    )
    return replace(section, blocks=tuple(blocks))


def provenance(figure: Figure, study: Study, checksums: Mapping[str, str]) -> Provenance:
    """How to remake a figure's source file, the SHA-256 of what that reads, and the file of the drawn numbers."""
    rule, command, read = _origin(figure.source, study, checksums)
    inputs = tuple(Fact(name, checksums.get(name, "")) for name in read)
    return Provenance(figure.source, rule, command, inputs, data=f"{FIGURES}/{figure.id}.csv")


def _origin(file: str, study: Study, checksums: Mapping[str, str]) -> tuple[str, str, tuple[str, ...]]:
    """Workflow rule that makes a file, its command to run in the report's folder, and the files there that it reads."""
    if file.startswith(f"{names.ANALYSIS}/"):
        given = {option: name for option, name in names.GIVEN.items() if name in checksums}
        options = "".join(f" --{option} {name}" for option, name in given.items())
        command = f"python -m gnn_checkpointing analyse --run .{options}"
        return "analyse", command, (names.STUDY, names.MEASUREMENTS, names.TRAININGS, names.GRAPHS, *given.values())
    if file == names.PLANNER:
        command = "python -m gnn_checkpointing knowledge --run ."
        return "knowledge", command, (names.STUDY, names.HARDWARE, names.MEASUREMENTS, names.GRAPHS)
    if file in (names.MEASUREMENTS, names.TRACES, names.GRAPHS, names.HISTORY):
        return "collect", study_command(study), (names.STUDY, names.RECORDS)
    raise ValueError(f"no rule is known to make {file}, and so no figure is drawn from it")


def crate(
    plain: Mapping[str, bytes], packed: Mapping[str, bytes], inputs: names.ReportInputs, answer: str, code: str
) -> dict[str, Any]:
    """Content of `ro-crate-metadata.json` for a report of `plain` files, one of them the archive of the `packed` ones.

    `answer` is the report's first sentence, `code` the digest of the sources that made the report.
    """
    made = ROCrate(version="1.1")
    made.metadata.extra_contexts.append(_TERMS)

    def entity(address: str, kind: str, **properties: Any) -> ContextEntity:
        return made.add(ContextEntity(made, address, properties={"@type": kind, **properties}))

    title = bare(inputs.study.title)
    stamps = sorted(bare(str(row[name])) for row in inputs.rows for name in ("started", "ended") if row[name])
    authors = entity("#authors", "Organization", name="The gnn-checkpointing authors")
    software = entity(CODE, "SoftwareApplication", name="gnn-checkpointing", softwareVersion=code)
    facts = [("seed", str(inputs.study.seed)), *inputs.machine.facts.items()]
    files = {
        name: made.add(File(made, dest_path=name, properties=_facts(name, content)))
        for name, content in sorted(plain.items())
    }
    # Other tools would look in the folder for a File entity; files in the archive get another type.
    files[PACK]["hasPart"] = [
        entity(f"{INSIDE}{name}", "CreativeWork", **_facts(name, content)) for name, content in sorted(packed.items())
    ]
    run = entity(
        "#run",
        "CreateAction",
        name=f"Measuring and publishing: {title}",
        description="Graphs were made, steps measured, laws fitted, claims judged and pages rendered.",
        actionStatus="http://schema.org/CompletedActionStatus",
        **({"startTime": stamps[0], "endTime": stamps[-1]} if stamps else {}),
    )
    run["instrument"] = software
    run["agent"] = authors
    run["object"] = [file for name, file in files.items() if name in _GIVEN]
    run["result"] = [file for name, file in files.items() if name not in _GIVEN]
    run["environment"] = [
        entity(f"#fact-{number}", "PropertyValue", name=bare(name), value=bare(value))
        for number, (name, value) in enumerate(facts)
    ]
    root = made.root_dataset
    root["name"], root["description"] = title, bare(answer) or title
    # The date of the last measurement, not today's: the same data must give the same file.
    root["datePublished"] = stamps[-1] if stamps else "1970-01-01"
    root["license"] = entity(_LICENCE, "CreativeWork", name="MIT licence", description="MIT")
    root["conformsTo"] = entity(_PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    root["author"] = root["publisher"] = authors
    root["mentions"] = run
    return dict(made.metadata.generate())


def _facts(name: str, content: bytes) -> dict[str, str]:
    descriptions = Texts("method").names("files") | _DESCRIPTIONS
    described = {"description": descriptions[name]} if name in descriptions else {}
    return described | {
        "name": name,
        "encodingFormat": _FORMATS.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/json",
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


_ADVICE = "; put back the file as it was published"
_NOT_PLAIN = "not a plain file, or one that cannot be read; put the file itself there"


def changed_files(folder: Path) -> list[str]:
    """A complaint for each file that is missing, is not listed, or has changed since it was published."""
    return list(_changed(folder).values())


def refuse_changed(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder in which any of the files `names` is not as published; accept a folder without a crate."""
    changed = _changed(folder) if (folder / CRATE).is_file() else {}
    for name in (*names, CRATE, PACK):
        if name in changed:
            raise Refusal(f"{changed[name].removesuffix(_ADVICE)}{_ADVICE}")


def made_with(folder: Path) -> str:
    """Digest of the code that made a report, from its crate; empty if the crate does not say."""
    try:
        return str(_entities(folder)[CODE]["softwareVersion"])
    except (Refusal, KeyError, TypeError):
        return ""


def _changed(folder: Path) -> dict[str, str]:
    """Complaints about files, by their names in the folder."""
    try:
        expected = {
            name.removeprefix(INSIDE): (str(one["sha256"]), str(one["contentSize"]))
            for name, one in _entities(folder).items()
            if one["@type"] == "File" or name.startswith(INSIDE)
        }
    except (KeyError, TypeError):
        return {CRATE: f"{folder / CRATE}: no list of files in it; make the report again with `make report-from`"}
    except Refusal as refusal:
        return {CRATE: str(refusal)}
    try:
        packed = packed_files(folder)
    except Refusal as refusal:
        return {PACK: str(refusal)}
    # Hidden files are not part of a report: Snakemake leaves a time stamp in each folder that it made.
    found = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    there = {path.relative_to(folder).as_posix(): path for path in found if not path.name.startswith(".")}
    strange = {name: _NOT_PLAIN for name, path in there.items() if path.is_symlink() or not path.is_file()}
    there = {name: path for name, path in there.items() if name not in (*strange, CRATE)}
    if PACK not in there:
        expected.pop(PACK, None)  # the pack was unpacked; its files are compared with their own checksums
    sums = [(name, (hashlib.sha256(content).hexdigest(), str(len(content)))) for name, content in packed.items()]
    sums += [(name, (sha256_of(path), str(path.stat().st_size))) for name, path in there.items()]
    names = {name for name, _ in sums}
    missing, foreign = sorted(expected.keys() - names), sorted(names - expected.keys())
    wrong = {
        name: _NOT_PLAIN if os.path.lexists(folder / name) else f"listed in {CRATE}, and not there" for name in missing
    }
    wrong |= strange | dict.fromkeys(foreign, f"not listed in {CRATE}")
    for name, measures in sorted(sums):
        for what, own, listed in zip(("SHA-256", "size"), measures, expected.get(name, measures), strict=True):
            if own != listed:
                wrong.setdefault(name, f"has changed since it was published ({what} differs from {CRATE})")
    return {name: f"{folder / name}: {text}" for name, text in wrong.items()}


def _entities(folder: Path) -> dict[str, dict[str, Any]]:
    return {str(one["@id"]): one for one in read_json(folder / CRATE)["@graph"]}
