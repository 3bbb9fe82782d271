"""Commands from the table to verdicts: the analysis, the claims, the audit of both."""

from __future__ import annotations

from gnn_checkpointing.cli.options import Encodings, Explanations, Run
from gnn_checkpointing.refusal import Refusal


def analyse(*, run: Run, explanations: Explanations = None, encodings: Encodings = None) -> None:
    from gnn_checkpointing.analysis.analyse import analyse as analysed
    from gnn_checkpointing.analysis.analyse import write_analysis
    from gnn_checkpointing.analysis.protocol import protocol_of
    from gnn_checkpointing.artefacts import seal
    from gnn_checkpointing.records.explained import read_explained
    from gnn_checkpointing.records.graph_facts import read_encodings
    from gnn_checkpointing.records.measurements_table import read_table
    from gnn_checkpointing.records.training import read_trainings
    from gnn_checkpointing.report.inputs import ANALYSIS, MEASUREMENTS, STUDY, TRAININGS
    from gnn_checkpointing.study.reading import read_study

    protocol = protocol_of(read_study(run / STUDY))
    explained = None if explanations is None else read_explained(explanations)
    counted = [] if encodings is None else read_encodings(encodings)
    jobs = read_trainings(run / TRAININGS)
    write_analysis(run / ANALYSIS, analysed(read_table(run / MEASUREMENTS), jobs, protocol, explained, counted))
    seal(*(run / ANALYSIS).glob("*.json"))


def judge(*, run: Run) -> None:
    from pydantic import ValidationError

    from gnn_checkpointing.analysis.analyse import read_analysis
    from gnn_checkpointing.artefacts import read_json, write_sealed
    from gnn_checkpointing.audit.inputs import machine_facts
    from gnn_checkpointing.claims.judge import judge as judged
    from gnn_checkpointing.records.record import complaint
    from gnn_checkpointing.report.inputs import ANALYSIS, CLAIMS, HARDWARE, STUDY
    from gnn_checkpointing.study.reading import read_study

    # The machine that measured, which need not be this one.
    machine = machine_facts(read_json(run / HARDWARE))
    try:
        ledger = judged(read_analysis(run / ANALYSIS), read_study(run / STUDY).name, machine.slug)
    except ValidationError as error:  # of a claim: estimates that no analysis gives
        raise Refusal(f"{run / ANALYSIS}: {complaint(error)}; make it again with `analyse`") from None
    write_sealed(run / CLAIMS, ledger.model_dump(mode="json"))


def audit(*, run: Run) -> None:
    from gnn_checkpointing.artefacts import write_sealed
    from gnn_checkpointing.audit.inputs import read_audit_inputs
    from gnn_checkpointing.audit.rubric import audited
    from gnn_checkpointing.report.inputs import AUDIT

    write_sealed(run / AUDIT, audited(read_audit_inputs(run)).model_dump(mode="json"))
