"""Commands about what is to be measured, and on what: the design, the schemas of files, the machine."""

from __future__ import annotations

import argparse
import json


def design(options: argparse.Namespace) -> None:
    """Print the study's cells in the order they are measured, one line each."""
    from gnn_checkpointing.study.design import graph_cells, measuring_priority
    from gnn_checkpointing.study.graph_design import study_graphs
    from gnn_checkpointing.study.reading import read_study_to_measure

    study = read_study_to_measure(options.study)
    specs = sorted(study_graphs(study), key=lambda spec: -measuring_priority(study, spec.id))
    print("cell\tgraph\tconvolution\tpolicies")
    for spec in specs:
        for cell in graph_cells(study, spec):
            print(cell.id, spec.id, cell.convolution, ", ".join(study.policies), sep="\t")


def schema(options: argparse.Namespace) -> None:
    """Print the JSON schema of a study file, or of claims.json."""
    from gnn_checkpointing.claims.ledger import ledger_schema
    from gnn_checkpointing.study.reading import study_schema

    schemas = {"study": study_schema, "claims": ledger_schema}
    print(json.dumps(schemas[options.of](), indent=2))


def hardware(options: argparse.Namespace) -> None:
    """Write what this machine is: slug, label, processor, memory, versions."""
    from gnn_checkpointing.artefacts import seal, write_json
    from gnn_checkpointing.measurement.hardware import hardware_record
    from gnn_checkpointing.study.reading import read_study

    write_json(options.output, hardware_record(read_study(options.study)))
    seal(options.output)
