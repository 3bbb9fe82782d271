"""Commands about what is to be measured, and on what: the design, the schemas of files, the machine."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from gnn_checkpointing.cli.options import STUDY, Output, Study, says


def design(*, study: Study = STUDY) -> None:
    from gnn_checkpointing.study.design import graph_cells
    from gnn_checkpointing.study.order import visits
    from gnn_checkpointing.study.reading import read_study_to_measure

    read = read_study_to_measure(study)
    print("cell\tgraph\tconvolution\tpolicies\tvisit")
    for visit in visits(read):
        for cell in graph_cells(read, visit.graph):
            print(cell.id, visit.graph.id, cell.convolution, ", ".join(read.policies), visit.number, sep="\t")


def schema(*, of: Annotated[Literal["study", "claims"], says("a study file or claims.json")] = "study") -> None:
    from gnn_checkpointing.claims.ledger import ledger_schema
    from gnn_checkpointing.study.reading import study_schema

    print(json.dumps(ledger_schema() if of == "claims" else study_schema(), indent=2))


def model(*, study: Study = STUDY) -> None:
    from gnn_checkpointing.measurement.own_models import tried_models
    from gnn_checkpointing.study.reading import read_study_to_measure

    for line in tried_models(read_study_to_measure(study)):
        print(line)


def hardware(*, study: Study = STUDY, output: Output) -> None:
    from gnn_checkpointing.artefacts import write_sealed
    from gnn_checkpointing.measurement.hardware import hardware_record
    from gnn_checkpointing.study.reading import read_study

    write_sealed(output, hardware_record(read_study(study)))
