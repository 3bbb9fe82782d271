"""Commands about what is measured, and on what: the design, graphs, the machine, and how files describe them."""

import json
import os
from pathlib import Path
from typing import Annotated, Literal

from gnn_checkpointing.artefacts import write_sealed
from gnn_checkpointing.cli.app import STUDY, GraphId, Output, OutputFolder, Study, says
from gnn_checkpointing.refusal import Refusal, plain
from gnn_checkpointing.study import reading
from gnn_checkpointing.study.design import graph_cells, visits
from gnn_checkpointing.study.graph_design import DerivedGraph, GraphSpec, LoadedGraph, graph_spec


def design(*, study: Study = STUDY) -> None:
    read = reading.read_study_to_measure(study)
    print("cell\tgraph\tconvolution\tpolicies\tvisit")
    for visit in visits(read):
        for cell in graph_cells(read, visit.graph):
            print(cell.id, visit.graph.id, cell.convolution, ", ".join(read.policies), visit.number, sep="\t")


def schema(
    *, of: Annotated[Literal["study", "claims", "summary"], says("a study file, claims.json or summary.json")] = "study"
) -> None:
    from gnn_checkpointing.claims.ledger import ledger_schema
    from gnn_checkpointing.report.index import summary_schema

    schemas = {"study": reading.study_schema, "claims": ledger_schema, "summary": summary_schema}
    print(json.dumps(schemas[of](), indent=2))


def model(*, study: Study = STUDY) -> None:
    from gnn_checkpointing.models.own import tried_models

    for line in tried_models(reading.read_study_to_measure(study)):
        print(line)


def hardware(*, study: Study = STUDY, output: Output) -> None:
    from gnn_checkpointing.measurement.hardware import hardware_record

    write_sealed(output, hardware_record(reading.read_study(study)))


def graph(*, study: Study = STUDY, graph: GraphId, output: Output) -> None:
    from gnn_checkpointing.graphs.make import make_graph
    from gnn_checkpointing.graphs.storage import save_graph
    from gnn_checkpointing.measurement.exclusive import machine
    from gnn_checkpointing.measurement.forked import leave_to_server

    read = reading.read_study(study)
    spec = graph_spec(read, graph)
    if _imports_torch(spec):
        leave_to_server(read)
    with machine(shared=True):
        save_graph(output, make_graph(spec))


def _imports_torch(spec: GraphSpec) -> bool:
    """Whether PyG loads the graph, or samples it."""
    if isinstance(spec, DerivedGraph):
        return spec.method in ("neighbours", "clusters") or _imports_torch(spec.base)
    return isinstance(spec, LoadedGraph) and spec.source.dataset is not None


def describe(*, csv: Annotated[Path, says("folder with edges.csv, features.csv and labels.csv")]) -> None:
    from gnn_checkpointing.graphs.make import described

    print("\n".join(map(plain, described(csv))))


def export(
    folder: Annotated[Path, says("a published report: report/<hardware>/<study>")],
    /,
    *,
    format: Annotated[Literal["parquet", "csv", "json"], says("of the table")] = "parquet",
    output_folder: OutputFolder,
) -> None:
    from gnn_checkpointing.records.exporting import export as exported
    from gnn_checkpointing.report.provenance import refuse_changed

    if Path(os.path.realpath(output_folder)).is_relative_to(os.path.realpath(folder)):
        raise Refusal(
            f"--output-folder {output_folder}: lies in the report's own, which must stay as it is; name another"
        )
    refuse_changed(folder, ["measurements.csv"])
    print(exported(folder, format, output_folder))
