"""Commands from the table to conclusions: the analysis, claims, audit, and what a planner knows."""

from pathlib import Path

from pydantic import ValidationError

from gnn_checkpointing.analysis.analyse import analyse as analysed
from gnn_checkpointing.analysis.analyse import protocol_of, write_analysis
from gnn_checkpointing.analysis.rounding import all_significant
from gnn_checkpointing.artefacts import seal, write_sealed
from gnn_checkpointing.audit import audited
from gnn_checkpointing.claims.judge import judge as judged
from gnn_checkpointing.claims.ledger import written
from gnn_checkpointing.cli.app import Encodings, Explanations, Run
from gnn_checkpointing.planning.gather import knowledge as gathered
from gnn_checkpointing.records.graph_facts import read_encodings
from gnn_checkpointing.records.jobs import read_explained
from gnn_checkpointing.records.record import complaint
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import inputs as names
from gnn_checkpointing.report.run_folder import RunFolder


def analyse(*, run: Run, explanations: Explanations = None, encodings: Encodings = None) -> None:
    write_findings(RunFolder(run), explanations, encodings)


def write_findings(given: RunFolder, explanations: Path | None, encodings: Path | None) -> None:
    protocol = protocol_of(given.study)
    explained = None if explanations is None else read_explained(explanations)
    counted = [] if encodings is None else read_encodings(encodings)
    found = analysed(given.rows, given.trainings, protocol, explained, counted, given.graphs)
    folder = given.folder / names.ANALYSIS
    write_analysis(folder, found)
    seal(*folder.glob("*.json"))


def judge(*, run: Run) -> None:
    write_claims(RunFolder(run))


def write_claims(given: RunFolder) -> None:
    # The machine that measured, which need not be this one.
    try:
        ledger = judged(given.findings, given.study.name, given.machine.slug)
    except ValidationError as error:  # of a claim: estimates that no analysis gives
        raise Refusal(f"{given.folder / names.ANALYSIS}: {complaint(error)}; make it again with `analyse`") from None
    write_sealed(given.folder / names.CLAIMS, written(ledger))


def audit(*, run: Run) -> None:
    write_audit(RunFolder(run))


def write_audit(given: RunFolder) -> None:
    write_sealed(given.folder / names.AUDIT, audited(given).model_dump(mode="json"))


def knowledge(*, run: Run) -> None:
    write_knowledge(RunFolder(run))


def write_knowledge(given: RunFolder) -> None:
    found = gathered(given.study, given.findings.predictions, given.graphs, given.machine, given.rows)
    # Ten digits, not eight: its numbers are quotients of rounded ones, and their products are bytes.
    write_sealed(given.folder / names.PLANNER, all_significant(found.model_dump(mode="json"), digits=10))
