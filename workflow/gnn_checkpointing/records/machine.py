"""The machine as `hardware.json` describes it."""

from collections import Counter
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from gnn_checkpointing.records.record import Record, complaint
from gnn_checkpointing.refusal import Refusal


class MachineFact(Record):
    """What a machine has, by name."""

    name: str
    value: str


class Machine(Record):
    """A machine's slug, what people call it ("": as its slug), and its facts, each once."""

    slug: str
    label: str = ""
    facts: list[MachineFact] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name, count in Counter(fact.name for fact in self.facts).items():
            if count > 1:
                raise ValueError(f"the fact {name} is there {count} times")
        return self


def machine_of(values: Any, place: object = "hardware description") -> Machine:
    """The machine that the content of a `hardware.json` describes, or a refusal that names the place."""
    try:
        return Machine.model_validate(values)
    except ValidationError as error:
        raise Refusal(
            f"{place}: {complaint(error)}; it needs slug and facts (a list of name and value); write it "
            "again with `hardware`"
        ) from None
