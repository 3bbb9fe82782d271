"""`complete.json`: what a graph's folder of records has, with checksums, once all its cells are measured."""

from functools import partial
from typing import Annotated

from pydantic import NonNegativeFloat, StringConstraints

from gnn_checkpointing.records.record import Record, checked
from gnn_checkpointing.study.vocabulary import Checksum

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\.(json|npz)$", max_length=255)]


class Complete(Record):
    """Records and byte traces by their files, each with its SHA-256."""

    graph: str
    settings: str
    seconds: NonNegativeFloat
    cells: dict[FileName, Checksum]
    traces: dict[FileName, Checksum]


read_complete = partial(checked, kind=Complete, remedy="delete its folder and measure again")
"""The content of a `complete.json`, or a refusal that names the file and the field."""
