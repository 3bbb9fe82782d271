"""Short digests of everything that each kind of result depends on: settings, sources, libraries (torch-free).

results/ keeps one folder per digest, so a study that is changed and changed back finds its first measurements again.
"""

import dataclasses
import importlib.metadata
import platform
from collections.abc import Iterable
from functools import cache
from typing import Any

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.measurement.sources import of_this_package
from gnn_checkpointing.records.record import SCHEMA_VERSION
from gnn_checkpointing.study.contents import model_contents
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.graph_design import GraphSpec, place
from gnn_checkpointing.study.study import Study

_ROOTS = {
    "graphs": ("graphs.make", "graphs.storage"),
    "measuring": ("measurement.worker", "measurement.supervise"),
    "training": ("training",),
    "encoding": ("measurement.encoding_cost",),
    "explaining": ("explaining",),
    "collecting": ("collecting",),
    "demonstrating": ("measurement.demonstrate",),
    "analysis": ("analysis",),
    "claims": ("claims",),
    "audit": ("audit.checks",),
    "planning": ("planning",),
    "report": ("report",),
}
"""Root modules and packages of each part of the pipeline; the part depends on everything that they import."""

_APART = tuple(f"measurement.{name}" for name in ("fork_server", "forked", "hardware", "fingerprint", "sources"))
"""Modules that start processes or identify the machine: no measurement depends on them."""

_LIBRARIES = ("torch", "torch-geometric", "numpy")


@cache
def code_fingerprint(part: str) -> str:
    """Digest of the sources that one part of the pipeline runs; their prose and dates do not count."""
    package = __package__.partition(".")[0]
    roots, apart = ([f"{package}.{name}" for name in names] for names in (_ROOTS[part], _APART))
    return digest(sorted(of_this_package().of(roots, apart).items()))


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that influence measurements."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES} | {"python": platform.python_version()}


def cell_fingerprint(study: Study, cell: Cell, graph_sha256: str) -> str:
    """Digest of everything that a cell's record depends on; a record with a different digest is stale."""
    # A study that has not been completed does not list the contents of a user's own model.
    described = dataclasses.asdict(cell) | {"architecture": cell.architecture.model_dump(mode="json")}
    return digest([SCHEMA_VERSION, described, model_contents(cell.architecture), graph_sha256, *_measuring(study)])


def measuring_settings(study: Study) -> str:
    """Digest of everything besides its graph that a measuring job of the study depends on."""
    return digest([study.architecture.model_dump(mode="json"), study.seed, *_measuring(study)])


def _measuring(study: Study) -> list[Any]:
    settings = study.measurement.model_dump(mode="json", exclude={"repeats"})
    return [list(study.policies), settings, code_fingerprint("measuring"), library_versions()]


def of_graphs() -> str:
    """Digest of everything that a graph depends on besides its description and the files that it is read from."""
    return digest([code_fingerprint("graphs"), library_versions()], 8)


def of_measuring(study: Study) -> str:
    """Digest of everything besides its graph's description and files that a measuring job depends on."""
    return digest([measuring_settings(study), of_graphs()])


def of_training(study: Study) -> str:
    """Digest of everything besides its graph and convolution that a training job depends on."""
    return digest(
        [
            study.architecture.model_dump(mode="json", exclude={"convolutions"}),
            list(study.policies),
            study.training.model_dump(mode="json", exclude={"graphs", "save_every"}),
            study.seed,
            code_fingerprint("training"),
            of_graphs(),
        ]
    )


def of_explaining(study: Study) -> str:
    """Digest of everything that the explanations of a trained model depend on; weights and images are in the study."""
    explained = study.model_dump(mode="json", include={"explained"})
    return digest([explained, code_fingerprint("explaining"), library_versions()])


def of_encoding(specs: Iterable[GraphSpec]) -> str:
    """Digest of everything that the cost of counting the ego networks of these graphs depends on."""
    return digest([[place(spec) for spec in specs], code_fingerprint("encoding"), of_graphs()])
