"""A study file as typed values: unknown keys and impossible values are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.policy_names import refuse_retired
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.study.yaml_files import read_yaml, refuse_bomb


def parse_study(values: Any, source: str) -> Study:
    """Return the study that `values` describe, or refuse naming the key, its value and what is allowed."""
    refuse_bomb(values, source)
    if not isinstance(values, dict):
        raise Refusal(f"{source}: a study file is a mapping of keys to values; see workflow/studies/README.md")
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise Refusal(f"{source}: {_sentence(error)}; see workflow/studies/README.md") from None


def read_study(path: Path) -> Study:
    """Read a study from a YAML (or JSON) file."""
    return parse_study(read_yaml(path), str(path))


def read_study_to_measure(path: Path) -> Study:
    """Read a study that is to be measured: the policies of older reports, which `read_study` knows, are refused."""
    study = read_study(path)
    refuse_unmeasurable(study, str(path))
    return study


def refuse_unmeasurable(study: Study, source: str) -> None:
    """Refuse a study that names a policy which is measured no more."""
    for policy in study.policies:
        try:
            refuse_retired(policy)
        except Refusal as refusal:
            raise Refusal(f"{source}: key policies: {refusal}; see workflow/studies/README.md") from None


def study_schema() -> dict[str, Any]:
    """Return the JSON schema of a study file."""
    schema = Study.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _sentence(error: ValidationError) -> str:
    """Return the first complaint of a validation error as one sentence, and how many more there are."""
    complaints = error.errors(include_url=False)
    # A misspelt key also leaves the right one missing; the misspelling is what helps.
    first = next((complaint for complaint in complaints if complaint["type"] == "extra_forbidden"), complaints[0])
    key = ".".join(str(part) for part in first["loc"]) or "study"
    if first["type"] == "extra_forbidden":
        what = f"unknown key {key}; {_allowed_keys(first['loc'])}"
    elif first["type"] == "missing":
        what = f"key {key} is missing"
    else:
        message = first["msg"].removeprefix("Value error, ")
        what = f"key {key}: {message}" + (
            "" if first["type"] == "value_error" else f" (given: {_short(first['input'])})"
        )
    more = len(complaints) - 1
    return what + (f" (and {more} more)" if more else "")


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python prints no number of more than 4,300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 80 else text[:77] + "..."


def _allowed_keys(location: tuple[int | str, ...]) -> str:
    """Return the keys that are allowed beside the unknown one at `location`."""
    schema = study_schema()
    node: dict[str, Any] = schema
    for part in location[:-1]:
        node = node["items"] if isinstance(part, int) else node.get("properties", {}).get(part, {})
        reference = node.get("$ref", "")
        if reference:
            node = schema["$defs"][reference.rsplit("/", 1)[-1]]
    allowed = sorted(node.get("properties", {}))
    return "allowed: " + ", ".join(allowed) if allowed else "see the allowed keys"
