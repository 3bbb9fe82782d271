"""What stands at a claim's evidence: the addresses are read as a reviewer would, from the files of the analysis."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_FILE = re.compile(r"analysis/(\w+\.json): (.*)")
_STEP = re.compile(r"(\w*)(?:(\[)([^\]]*)\])?(?:\.|$)")
_SUM = re.compile(r"\(1 \+ (.*)\)")
_MORE = re.compile(r"\((.*) \+ (\d+)\)")


def values_at(folder: Path, evidence: str) -> list[float]:
    """Return every number that the evidence names, in its order; products and quotients are worked out."""
    return [value for place in evidence.split("; ") for value in _worked_out(folder, place)]


def _worked_out(folder: Path, place: str) -> list[float]:
    first, *rest = re.split(r" ([*/]) ", place)
    values = _term(folder, first)
    for sign, text in zip(rest[::2], rest[1::2], strict=True):
        other = _term(folder, text)
        assert len(values) == len(other), place
        values = [a * b if sign == "*" else a / b for a, b in zip(values, other, strict=True)]
    return values


def _term(folder: Path, text: str) -> list[float]:
    if match := _SUM.fullmatch(text):
        return [1 + value for value in _term(folder, match[1])]
    if match := _MORE.fullmatch(text):
        return [value + int(match[2]) for value in _term(folder, match[1])]
    match = _FILE.fullmatch(text)
    if match is None:
        return [float(text)]
    nodes: list[Any] = [json.loads((folder / match[1]).read_text())]
    for name, bracket, keys in _steps(match[2]):
        nodes = [node[name] for node in nodes] if name else nodes
        if bracket:
            nodes = [entry for node in nodes for entry in node if _has(entry, keys)]
    assert nodes, f"nothing stands at {text}"
    return [_number(node) for node in nodes]


def _steps(path: str) -> list[tuple[str, str, str]]:
    steps = [match.groups(default="") for match in _STEP.finditer(path)]
    found = [(name, bracket, keys) for name, bracket, keys in steps if name or bracket]
    assert found, path
    return found


def _has(entry: dict[str, Any], keys: str) -> bool:
    # A value may hold commas, as labels of graphs do: only a comma before KEY= parts two pairs.
    pairs = [pair.split("=", 1) for pair in re.split(r",(?=\w+=)", keys)] if keys else []
    return all(str(entry[name]).lower() == value.lower() for name, value in pairs)


def _number(node: Any) -> float:
    if isinstance(node, list):
        return len(node)
    return float(node["estimate"] if isinstance(node, dict) else node)
