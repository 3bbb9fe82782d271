"""What each kind of result depends on, as short digests: settings, sources, libraries (torch-free).

results/ keeps a folder for each: a study that is changed and changed back finds what it measured first where it was.
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
    "training": ("training.job",),
    "encoding": ("measurement.encoding_cost",),
    "explaining": ("explaining", "models.vision.weights"),
    "collecting": ("collecting",),
    "demonstrating": ("measurement.demonstrate",),
    "analysis": ("analysis",),
    "claims": ("claims",),
    "audit": ("audit.checks",),
    "planning": ("planning",),
    "report": ("report",),
}
"""The modules and packages that each part of the pipeline begins with; it depends on all that they import."""

_APART = tuple(f"measurement.{name}" for name in ("fork_server", "forked", "hardware", "fingerprint", "sources"))
"""What starts processes or says which machine this is: no measurement depends on it."""

_LIBRARIES = ("torch", "torch-geometric", "numpy")


@cache
def code_fingerprint(part: str) -> str:
    """A digest of the sources that one part of the pipeline runs: what they do, not their prose or dates."""
    package = __package__.partition(".")[0]
    roots, apart = ([f"{package}.{name}" for name in names] for names in (_ROOTS[part], _APART))
    return digest(sorted(of_this_package().of(roots, apart).items()))


def library_versions() -> dict[str, str]:
    """The versions of the libraries that decide what is measured."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES} | {"python": platform.python_version()}


def cell_fingerprint(study: Study, cell: Cell, graph_sha256: str) -> str:
    """A digest of everything that a cell's record depends on; a record with another one is stale."""
    # A study that nobody filled in does not list the contents of a model of the user's own.
    described = dataclasses.asdict(cell) | {"architecture": cell.architecture.model_dump(mode="json")}
    return digest([SCHEMA_VERSION, described, model_contents(cell.architecture), graph_sha256, *_measuring(study)])


def measuring_settings(study: Study) -> str:
    """A digest of what every measuring job of the study depends on besides its graph."""
    return digest([study.architecture.model_dump(mode="json"), study.seed, *_measuring(study)])


def _measuring(study: Study) -> list[Any]:
    settings = study.measurement.model_dump(mode="json", exclude={"repeats"})
    return [list(study.policies), settings, code_fingerprint("measuring"), library_versions()]


def of_graphs() -> str:
    """A digest of what every graph depends on besides its description and the files that it is read from."""
    return digest([code_fingerprint("graphs"), library_versions()], 8)


def of_measuring(study: Study) -> str:
    """A digest of what every measuring job depends on besides its graph's description and files."""
    return digest([measuring_settings(study), of_graphs()])


def of_training(study: Study) -> str:
    """A digest of what every training job depends on besides its graph and convolution."""
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
    """A digest of what the explanations of a trained model depend on; the study lists its weights and images."""
    explained = study.model_dump(mode="json", include={"explained"})
    return digest([explained, code_fingerprint("explaining"), library_versions()])


def of_encoding(specs: Iterable[GraphSpec]) -> str:
    """A digest of what the cost of counting the ego networks of these graphs depends on."""
    return digest([[place(spec) for spec in specs], code_fingerprint("encoding"), of_graphs()])
