"""Base of every record, and reading of records with a one-sentence refusal of invalid files."""

from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gnn_checkpointing.artefacts import AGAIN, read_json
from gnn_checkpointing.refusal import Refusal

SCHEMA_VERSION: Final = 2

Share = Annotated[float, Field(ge=0, le=1)]
"""A fraction from 0 to 1."""


class Record(BaseModel):
    """A part of a record: frozen, closed to unknown fields, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Kind = TypeVar("Kind")


def checked(path: Path, kind: type[Kind], remedy: str = AGAIN) -> Kind:
    """Read a JSON file as a record or a list of records; a refusal names the file and the field."""
    try:
        return TypeAdapter(kind).validate_python(read_json(path))
    except ValidationError as error:
        raise Refusal(f"{path}: {complaint(error)}; {remedy}") from None


def complaint(error: ValidationError) -> str:
    """First complaint of a validation error: the field and what is wrong with it."""
    first = error.errors(include_url=False)[0]
    return f"field {'.'.join(str(part) for part in first['loc']) or 'record'}: {first['msg']}"
