"""What every record is, and the one sentence that refuses a file that holds none."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.refusal import Refusal

SCHEMA_VERSION = 2


class Record(BaseModel):
    """A part of a record: frozen, closed to unknown fields, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Kind = TypeVar("Kind", bound=Record)


def checked(path: Path, kind: type[Kind]) -> Kind:
    """Read a file of JSON that holds one record, or refuse naming the file and the field."""
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        raise Refusal(f"{path}: {complaint(error)}; delete the file and make it again") from None


def complaint(error: ValidationError) -> str:
    """Return the first complaint of a validation error: the field and what is wrong with it."""
    first = error.errors(include_url=False)[0]
    return f"field {'.'.join(str(part) for part in first['loc']) or 'record'}: {first['msg']}"


def refuse_other_schema(place: str, found: int) -> None:
    """Refuse a record of another schema version, naming the place that it was read from."""
    if found != SCHEMA_VERSION:
        raise Refusal(f"{place}: schema version {found}, this version reads {SCHEMA_VERSION}; measure again")
