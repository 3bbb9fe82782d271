"""Read a study file as typed values; unknown keys and impossible values are refused by name.

The YAML may be from anyone: it is read without tags, and refused if it expands to more than any study has.
"""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gnn_checkpointing.artefacts import read_json, sealed_bytes
from gnn_checkpointing.refusal import Refusal, shown, unknown
from gnn_checkpointing.study.policy_names import refuse_retired
from gnn_checkpointing.study.study import Study

MOST_BYTES, MOST_VALUES, DEEPEST = 1_000_000, 100_000, 40
"""Limits of a study file; the longest study here has 4,000 bytes and 200 values, eight levels deep."""

_KINDS = ("neighbours", "clusters")
"""Tags that pydantic adds after the index of a list entry if entries may be of several kinds."""

_PYTHONS = re.compile(r"valid (tuple|dictionary|string)(?: or instance of \w+)?")
_YAMLS = {"tuple": "list", "dictionary": "mapping of keys to values", "string": "text"}
"""Pydantic's names for kinds of values, and their names in YAML."""

_FORMS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "lower-case letters and digits are needed, words joined by -, such as my-graph",
    r"^[0-9a-f]{64}$": "64 hexadecimal digits are needed, as sha256sum prints them",
}
"""What the patterns of texts ask for, in words."""

_AMBIGUOUS = re.compile(r".*[:_].*|[-+]?0(b[01]+|[0-7]+)")


def parse_study(values: Any, source: str) -> Study:
    """Make the study that `values` describe; a refusal names the key, its value and what is allowed."""
    _refuse_bomb(values, source)
    refuse_other_than_keys(values, source)
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise Refusal(f"{source}: {_sentence(error)}; see workflow/studies/README.md") from None


def refuse_other_than_keys(values: Any, source: str) -> None:
    """Refuse a list, a text or nothing where a study is needed."""
    if not isinstance(values, dict):
        raise Refusal(f"{source}: a study file is a mapping of keys to values; see workflow/studies/README.md")


def read_study(path: Path) -> Study:
    """Read a study from a YAML (or JSON) file."""
    return parse_study(read_json(path, MOST_VALUES) if path.suffix == ".json" else read_yaml(path), str(path))


def read_study_to_measure(path: Path) -> Study:
    """Read a study that is to be measured; unlike `read_study`, this refuses retired policies of older reports."""
    study = read_study(path)
    refuse_unmeasurable(study, str(path))
    return study


def refuse_unmeasurable(study: Study, source: str) -> None:
    """Refuse a study that names a retired policy."""
    for policy in study.policies:
        try:
            refuse_retired(policy)
        except Refusal as refusal:
            raise Refusal(f"{source}: key policies: {refusal}; see workflow/studies/README.md") from None


def study_schema() -> dict[str, Any]:
    """The JSON schema of a study file."""
    schema = Study.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def read_yaml(path: Path) -> Any:
    """Read the values of a YAML (or JSON) file; a refusal is one sentence that names the file."""
    try:
        content = sealed_bytes(path)
        if len(content) > MOST_BYTES:
            raise Refusal(f"{path}: {len(content)} bytes; allowed are {MOST_BYTES}, and a study needs a few thousand")
        return yaml_values(content.decode(), str(path))
    except UnicodeDecodeError:
        raise Refusal(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except FileNotFoundError:
        raise Refusal(f"{path}: no such study file") from None
    except ValueError as error:
        raise Refusal(f"{path}: not readable as YAML ({error})") from None


def yaml_values(text: str, source: str) -> Any:
    """Parse YAML text; a refusal is one sentence."""
    try:
        values: Any = _EachKeyOnce(text).get_single_data()
    except RecursionError:
        raise Refusal(f"{source}: nested deeper than the {DEEPEST} levels that are allowed") from None
    except (LookupError, AttributeError, TypeError):
        what = "a value is not what its !!tag says"
        raise Refusal(f"{source}: not readable as YAML ({what}); leave the tag out") from None
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise Refusal(f"{source}: not readable as YAML ({reason[:300]})") from None
    _refuse_bomb(values, source)
    return values


class _EachKeyOnce(yaml.SafeLoader):
    """YAML loader without tags that refuses duplicate keys, of which YAML would silently take the last."""

    nodes = 0

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        self.nodes += 1
        if self.nodes > MOST_VALUES:
            raise yaml.YAMLError(f"more than {MOST_VALUES} keys and values; a study needs a few hundred")
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in lines:
                    where = f"on line {lines[key.value]} and again on line {line}"
                    raise yaml.YAMLError(f"key {shown(key.value)} is {where}; keep one")
                lines[key.value] = line
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        merged = [value for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"]
        parts = [one for value in merged for one in (value.value if isinstance(value, yaml.SequenceNode) else [value])]
        entries = 0
        for part in parts:
            if isinstance(part, yaml.MappingNode):
                self.flatten_mapping(part)
                entries += len(part.value)
                if entries > MOST_VALUES:
                    raise yaml.YAMLError(f"more than {MOST_VALUES} values once << is followed; write it out")
        super().flatten_mapping(node)

    def plain_number(self, node: yaml.ScalarNode) -> int | float:
        """Parse a number that all YAML versions read alike, unlike 010 (8 or 10), 1:30 or 1_000 (number or text)."""
        if _AMBIGUOUS.fullmatch(node.value):
            line = node.start_mark.line + 1
            raise yaml.YAMLError(
                f"{shown(node.value)} on line {line} is one number in YAML 1.1 and another value in 1.2; "
                "write a decimal number, or put a text in quotes"
            )
        is_whole = node.tag.endswith(":int")
        number: int | float = self.construct_yaml_int(node) if is_whole else self.construct_yaml_float(node)
        return number

    def no_set(self, node: yaml.Node) -> None:
        """Refuse a set, whose order would differ between processes."""
        raise yaml.YAMLError(f"the set on line {node.start_mark.line + 1} has no order; write a list")


for _kind in ("int", "float"):
    _EachKeyOnce.add_constructor(f"tag:yaml.org,2002:{_kind}", _EachKeyOnce.plain_number)
_EachKeyOnce.add_constructor("tag:yaml.org,2002:set", _EachKeyOnce.no_set)


def _refuse_bomb(values: Any, source: str) -> None:
    """Refuse values that are too many or nested too deep once aliases are followed, as a few lines of YAML can be."""
    seen, level = 0, [values]
    for _ in range(DEEPEST):
        seen += len(level)
        deeper: list[Any] = []
        for value in level:
            deeper += value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
            if seen + len(deeper) > MOST_VALUES:
                raise Refusal(f"{source}: more than {MOST_VALUES} values once its aliases are followed; write it out")
        level = deeper
        if not level:
            return
    raise Refusal(f"{source}: nested deeper than the {DEEPEST} levels that are allowed, or in itself")


def _sentence(error: ValidationError) -> str:
    """Format the first complaint of a validation error as one sentence, with the number of further ones."""
    complaints = error.errors(include_url=False)
    # A misspelt key also makes the right one missing; reporting the misspelling is more helpful.
    first = next((complaint for complaint in complaints if complaint["type"] == "extra_forbidden"), complaints[0])
    above = (None, *first["loc"])
    parts = [
        part for part, before in zip(first["loc"], above, strict=False) if not (part in _KINDS and type(before) is int)
    ]
    key = ".".join(str(part) or "''" for part in parts if part != "constrained-str") or "study"
    if first["type"] == "extra_forbidden":
        what = unknown(f"key {key}", str(first["loc"][-1]), _allowed_keys(first["loc"]))
    elif first["type"] == "missing":
        what = f"key {key} is missing"
    else:
        asked = first.get("ctx", {})
        said = _FORMS.get(str(asked.get("pattern")), first["msg"].removeprefix("Value error, "))
        if first["type"].startswith("union_tag"):
            said = f"{asked['discriminator']} must be there, and {' or '.join(map(repr, _KINDS))}"
        what = f"key {key}: {_PYTHONS.sub(lambda found: _YAMLS[found[1]], said)}"
        if first["type"] != "value_error":
            try:
                given = repr(first["input"])
            except ValueError:  # Python does not print integers of more than 4,300 digits
                given = "a number of thousands of digits"
            what += f" (given: {given if len(given) <= 80 else given[:77] + '...'})"
    more = len(complaints) - 1
    return what + (f" (and {more} more)" if more else "")


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys allowed in place of the unknown one at `location`."""
    schema = study_schema()
    node: dict[str, Any] = schema
    for part in location[:-1]:
        kinds = node.get("discriminator", {}).get("mapping", {})
        inside = {kind: {"$ref": of} for kind, of in kinds.items()} | node.get("properties", {})
        node = node["items"] if isinstance(part, int) else inside.get(part, {})
        node = next((one for one in node.get("anyOf", ()) if "$ref" in one), node)  # a part that may be left out
        node = schema["$defs"].get(node.get("$ref", "").rsplit("/", 1)[-1], node)
    return sorted(node.get("properties", {}))
