"""Base of every record, and reading of records with a one-sentence refusal of invalid files."""

from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, FailFast, Field, TypeAdapter, ValidationError

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
        form: Any = Annotated[kind, FailFast()] if get_origin(kind) is list else kind
        return TypeAdapter[Kind](form).validate_python(read_json(path))
    except ValidationError as error:
        raise Refusal(f"{path}: {complaint(error)}; {remedy}") from None


def complaint(error: ValidationError) -> str:
    """First complaint of a validation error: the field and what is wrong with it; of very many only their number.

    A million of them take a gigabyte once they are asked for.
    """
    if error.error_count() > 10_000:
        return f"{error.error_count():,} values in it are wrong; it is no file of this project"
    first = error.errors(include_url=False)[0]
    return f"field {'.'.join(str(part) for part in first['loc']) or 'record'}: {first['msg']}"
