"""Types and words that a study file may use, and the base class of its parts."""

import os
import re
import unicodedata
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gnn_checkpointing.refusal import shown, unknown

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Checksum = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=10**9)]
FromTwo = Annotated[int, Field(ge=2, le=10**9)]
Amount = Annotated[float, Field(ge=1e-9, le=10**9)]
"""A number of seconds (up to thirty years), gibibytes (from a byte on) or anything else that is multiplied before it is
used."""


_TURNS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""Bidirectional classes of characters that change the direction of writing, even for the rest of a page."""


def _one_line(text: str) -> str:
    kinds = {unicodedata.category(letter) for letter in text}
    if kinds & {"Cc", "Zl", "Zp"} or any(unicodedata.bidirectional(letter) in _TURNS for letter in text):
        raise ValueError("it holds a line break or another control character; write it on one line, without any")
    if kinds <= {"Cf", "Mn", "Zs"}:
        raise ValueError("nothing of it can be seen; write a text, or leave the key out")
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_one_line)]
Degree = Annotated[float, Field(ge=1e-6, le=10**9)]
"""A degree, which is part of file names: 1e300 would make them too long."""


def _path_text(value: Any) -> Any:
    """Check that a path is a text: YAML converts some names irreversibly, such as 007 to the number 7."""
    if value == "":
        raise ValueError("an empty path; write . for data_root itself, or leave the key out")
    if not isinstance(value, str | Path):
        raise ValueError(f"not a path but, as YAML reads it, {type(value).__name__}; put ./ before the name")
    try:
        usable = b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise ValueError("a path cannot hold a NUL or half a surrogate pair")
    return value


UserPath = Annotated[Path, BeforeValidator(_path_text)]

Norm = Literal["none", "batch", "layer"]
VisionTask = Literal["patches", "images"]
Aggregation = Literal["gather_scatter", "spmm"]
Allocator = Literal["retaining", "default", "jemalloc"]
Grading = Literal["thinned", "capped", "two_hop"]
Sampler = Literal["neighbours", "clusters"]
EgoForm = Literal["encodings", "ego_networks"]
MemoryForm = Literal[
    "additive", "blocks", "several_blocks", "largest_of_two", "largest_of_two_blocks", "quadratic", "power"
]
TimeForm = Literal["additive", "blocks", "knee", "quadratic", "power"]


class Part(BaseModel):
    """A part of a study: frozen, without unknown keys, with finite numbers only and no duplicates in its lists.

    Numbers that agree in their first six digits have the same name below results/, and so count as duplicates.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_bool(cls, values: Any) -> Any:
        """Refuse true and false where a number or a text belongs."""
        for key, value in values.items() if isinstance(values, dict) else ():
            field, given = cls.model_fields.get(key), value if isinstance(value, list | tuple) else [value]
            if field and field.annotation is not bool and any(isinstance(one, bool) for one in given):
                raise ValueError(
                    f"{key} is no switch; write a number, or put a text in quotes (YAML reads yes, no, on and off as "
                    "true and false)"
                )
        return values

    @field_validator("*")
    @classmethod
    def _each_once(cls, values: Any, info: ValidationInfo) -> Any:
        found: dict[str, Any] = {}
        for value in values if isinstance(values, tuple) else ():
            name = f"{value:.6g}" if isinstance(value, float) else repr(value)
            if name in found:
                first = found[name]
                entry = "one entry" if isinstance(value, Part) else first
                given = f"{entry} twice" if first == value else f"{first} and {value}, one number to six digits"
                raise ValueError(f"{info.field_name} has {shown(given)}; name each once")
            found[name] = value
        return values


def known(kind: str, names: Collection[str], name: str) -> str:
    """Check that a name is among `names`; otherwise raises `ValueError`, which lists them."""
    if name not in names:
        raise ValueError(unknown(f"{kind} '{shown(name[:60])}'", name, names))
    return name


def slug(text: str, fallback: str = "graph") -> str:
    """Turn any text into a name that may be part of an id: lower-case letters, digits and single hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-") or fallback


def expanded(path: Path) -> Path:
    """Expand ~ to the user's home; ~name remains a folder's name if there is no such user."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises if there is no such user
