"""What each kind of result depends on, as short digests: results/ keeps a folder for each (torch-free).

A study that is changed and changed back finds what it measured first where it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.measurement.fingerprint import code_fingerprint, library_versions, measuring_settings
from gnn_checkpointing.study.graph_design import GraphSpec, place
from gnn_checkpointing.study.study import Study


def of_graphs() -> str:
    """What every graph depends on besides its description and the files that it is read from."""
    return digest([code_fingerprint("graphs"), library_versions()], 8)


def of_measuring(study: Study) -> str:
    """What every measuring job depends on besides its graph's description and files."""
    return digest([measuring_settings(study), of_graphs()])


def of_training(study: Study) -> str:
    """What every training job depends on besides its graph and convolution."""
    return digest(
        [
            study.architecture.model_dump(mode="json", exclude={"convolutions"}),
            list(study.policies),
            study.training.model_dump(mode="json", exclude={"graphs", "save_every"}),
            study.seed,
            code_fingerprint("training"),
            library_versions(),
            of_graphs(),
        ]
    )


def of_explaining(study: Study) -> str:
    """What the explanations of a trained model depend on; the study lists the checksums of weights and images."""
    return digest(
        [study.model_dump(mode="json", include={"explained"}), code_fingerprint("explaining"), library_versions()]
    )


def of_encoding(specs: Iterable[GraphSpec]) -> str:
    """What the cost of counting the ego networks of these graphs depends on."""
    return digest([[place(spec) for spec in specs], code_fingerprint("encoding"), library_versions(), of_graphs()])
