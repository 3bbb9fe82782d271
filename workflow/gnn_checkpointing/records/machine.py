"""The machine that `hardware.json` describes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from gnn_checkpointing.records.record import Record, complaint
from gnn_checkpointing.refusal import Refusal


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
