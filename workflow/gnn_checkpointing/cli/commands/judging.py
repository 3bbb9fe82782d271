"""Commands from the table to verdicts: the analysis, the claims, the audit of both."""

from __future__ import annotations

import argparse


def analyse(options: argparse.Namespace) -> None:
    """Fit laws, pair effects, test interactions; write a JSON file each."""
    from gnn_checkpointing.analysis.analyse import analyse as analysed
    from gnn_checkpointing.analysis.analyse import write_analysis
    from gnn_checkpointing.analysis.protocol import protocol_of
    from gnn_checkpointing.artefacts import seal
    from gnn_checkpointing.records.encodings import read_encodings
    from gnn_checkpointing.records.explained import read_explained
    from gnn_checkpointing.records.measurements_table import read_table
    from gnn_checkpointing.records.training import read_trainings
    from gnn_checkpointing.study.reading import read_study

    study = read_study(options.study)
    explained = None if options.explanations is None else read_explained(options.explanations)
    trainings = read_trainings(options.trainings)
    encodings = [] if options.encodings is None else read_encodings(options.encodings)
    findings = analysed(read_table(options.table), trainings, protocol_of(study), explained, encodings)
    write_analysis(options.output_folder, findings)
    seal(*options.output_folder.glob("*.json"))


def judge(options: argparse.Namespace) -> None:
    """Judge every claim by its rule; write claims.json."""
    from gnn_checkpointing.analysis.analyse import read_analysis
    from gnn_checkpointing.artefacts import read_json, seal, write_json
    from gnn_checkpointing.audit.inputs import machine_facts
    from gnn_checkpointing.claims.judge import judge as judged
    from gnn_checkpointing.study.reading import read_study

    # The machine that measured, which need not be this one.
    machine = machine_facts(read_json(options.hardware_file))
    ledger = judged(read_analysis(options.analysis), read_study(options.study).name, machine.slug)
    write_json(options.output, ledger.model_dump(mode="json"))
    seal(options.output)


def audit(options: argparse.Namespace) -> None:
    """Grade everything found on the published rubric of yes/no checks; write audit.json."""
    from gnn_checkpointing.analysis.analyse import read_analysis
    from gnn_checkpointing.artefacts import read_json, seal, write_json
    from gnn_checkpointing.audit.inputs import AuditInputs, machine_facts
    from gnn_checkpointing.audit.rubric import audited
    from gnn_checkpointing.claims.ledger import read_ledger
    from gnn_checkpointing.records.demonstration import read_demonstration
    from gnn_checkpointing.records.graph_facts import read_graphs
    from gnn_checkpointing.records.measurements_table import read_table
    from gnn_checkpointing.study.reading import read_study

    inputs = AuditInputs(
        study=read_study(options.study),
        rows=read_table(options.table),
        findings=read_analysis(options.analysis),
        ledger=read_ledger(options.claims),
        graphs=read_graphs(options.graphs),
        machine=machine_facts(read_json(options.hardware_file)),
        demonstration=read_demonstration(options.demonstration),
    )
    write_json(options.output, audited(inputs).model_dump(mode="json"))
    seal(options.output)
