"""YAML that anyone may have written: read without tags, refused where it unfolds into more than a study can be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from gnn_checkpointing.artefacts import sealed_bytes
from gnn_checkpointing.refusal import Refusal, shown

MOST_BYTES, MOST_VALUES, DEEPEST = 1_000_000, 100_000, 40
"""The longest study here has 4,000 bytes and 200 values, eight deep."""


class _EachKeyOnce(yaml.SafeLoader):
    """YAML without tags whose mappings have each key once: of two, YAML would take the last without a word."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """The mapping as it is written, refused where a key is in it twice."""
        node = super().compose_mapping_node(anchor)
        found: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in found:
                    first = found[key.value]
                    raise yaml.YAMLError(
                        f"key {shown(key.value)} is on line {first} and again on line {line}; keep one"
                    )
                found[key.value] = line
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge `<<` into a mapping, refused where it becomes more than a study can be."""
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
        """A number that every version of YAML reads alike: 010 is 8 or 10, and 1:30 is 90 or a text."""
        text = node.value
        if ":" in text or (node.tag.endswith(":int") and _OCTAL.fullmatch(text)):
            raise yaml.YAMLError(
                f"{shown(text)} on line {node.start_mark.line + 1} is one number in YAML 1.1 and another value in 1.2; "
                "write a decimal number, or put a text in quotes"
            )
        number: int | float = (
            self.construct_yaml_int(node) if node.tag.endswith(":int") else self.construct_yaml_float(node)
        )
        return number


_OCTAL = re.compile(r"[-+]?0[0-7_]+")
for _kind in ("int", "float"):
    _EachKeyOnce.add_constructor(f"tag:yaml.org,2002:{_kind}", _EachKeyOnce.plain_number)


def read_yaml(path: Path) -> Any:
    """Return the values of a YAML (or JSON) file, or refuse in one sentence that names it."""
    try:
        content = sealed_bytes(path)
        if len(content) > MOST_BYTES:
            raise Refusal(f"{path}: {len(content)} bytes; allowed are {MOST_BYTES}, and a study needs a few thousand")
        values: Any = _EachKeyOnce(content.decode()).get_single_data()
    except FileNotFoundError:
        raise Refusal(f"{path}: no such study file") from None
    except RecursionError:
        raise Refusal(f"{path}: nested deeper than the {DEEPEST} levels that are allowed") from None
    except (LookupError, AttributeError, TypeError):
        raise Refusal(f"{path}: not readable as YAML (a value is not what its !!tag says); leave the tag out") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise Refusal(f"{path}: not readable as YAML ({reason[:300]})") from None
    refuse_bomb(values, str(path))
    return values


def refuse_bomb(values: Any, source: str) -> None:
    """Refuse values that are too many or too deep once every alias is followed; a few lines of YAML can be both."""
    seen, level = 0, [values]
    for _ in range(DEEPEST):
        seen += len(level)
        deeper: list[Any] = []
        for value in level:
            # Keys count, too; only values can hold more.
            held = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list | tuple) else []
            deeper += held
            if seen + len(deeper) > MOST_VALUES:
                raise Refusal(f"{source}: more than {MOST_VALUES} values once its aliases are followed; write it out")
        level = deeper
        if not level:
            return
    raise Refusal(f"{source}: nested deeper than the {DEEPEST} levels that are allowed, or in itself")
