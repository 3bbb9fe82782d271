"""Base of every record, reading with a one-sentence refusal of invalid files, and the machine of `hardware.json`."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, FailFast, Field, TypeAdapter, ValidationError, model_validator

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


@dataclass(frozen=True)
class Machine:
    """A machine's slug, its facts by name, and its label for readers."""

    slug: str
    facts: Mapping[str, str]
    label: str = ""


class _Fact(Record):
    name: str
    value: str


class _Described(Record):
    slug: str
    label: str = ""
    facts: list[_Fact] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name, count in Counter(fact.name for fact in self.facts).items():
            if count > 1:
                raise ValueError(f"the fact {name} is there {count} times")
        return self


def machine_of(values: Any, place: object = "hardware description") -> Machine:
    """Parse the content of a `hardware.json`; a refusal names the place."""
    try:
        found = _Described.model_validate(values)
    except ValidationError as error:
        raise Refusal(
            f"{place}: {complaint(error)}; it needs slug and facts (a list of name and value); write it "
            "again with `hardware`"
        ) from None
    return Machine(found.slug, {fact.name: fact.value for fact in found.facts}, found.label or found.slug)
