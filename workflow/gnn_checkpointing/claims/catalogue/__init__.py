"""All claims, written before the data: templates read from the YAML files here, in the order of their names.

A claim has a `sentence`, a `query` (a function of `queries/` with its arguments) and a `rule` (one of `rules.py` with
its threshold; a list has one for each quantity in turn). The other keys are the fields of `Template`.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from gnn_checkpointing.claims import queries
from gnn_checkpointing.claims.ledger import Kind
from gnn_checkpointing.claims.queries import QUERIES, Asked, Picked
from gnn_checkpointing.claims.rules import RULES, Rule, respectively
from gnn_checkpointing.study.reading import read_yaml

FOLDER = Path(__file__).parent
OWN = "this study"


@dataclass(frozen=True)
class Template:
    """A claim for each convolution (and each variant of its policy), or for the study if it names no convolution."""

    id: str
    # May name {convolution} and {policy}; so may the quantity and the conditions.
    sentence: str
    pick: Callable[[Asked], Picked]
    rule: Rule
    # The quantity that the rule judges and its unit, in the query's words or the claim's own.
    quantity: str
    unit: str
    policy: str = ""
    source: str = OWN
    # By default "literature" if the claim has a source.
    kind: Kind = "study"
    # What else must have been measured for the claim to apply at all.
    needs: str = ""
    # Kind of policy to compare with (the claim's own: only itself); the claim applies only where both were measured.
    beside: str = ""
    # Convolutions that the claim is about; empty: all of them.
    only: tuple[str, ...] = ()
    # Conditions of the test; {setting} is the setting of the study's measurements. Empty: the sentence says it all.
    conditions: str = ""
    # Error of a time that lacks an interval, in run-to-run deviations of a step time: 1 for a single time, 1.4 (the
    # root of 2) for a quotient of two, one predicted and one measured.
    margin: float = 0.0

    @property
    def of_study(self) -> bool:
        """Whether the claim is about the study as a whole."""
        return "{convolution}" not in self.sentence


@cache
def catalogue(folder: Path = FOLDER) -> tuple[Template, ...]:
    """Every claim of the files in a folder."""
    for module in pkgutil.iter_modules(queries.__path__):
        import_module(f"{queries.__name__}.{module.name}")
    files = [read_yaml(path) for path in sorted(folder.glob("*.yaml"))]
    return tuple(_template(id, **entry) for file in files for id, entry in file["claims"].items())


def _template(id: str, *, query: Any, rule: Any, **entry: Any) -> Template:
    name, arguments = _call(query)
    asked, kind = QUERIES[name], "literature" if "source" in entry else "study"
    own = {"kind": kind, "quantity": asked.words(arguments), "unit": asked.unit}
    given = {**own, **entry, "only": tuple(entry.get("only", ()))}
    return Template(id, pick=lambda findings: asked.pick(findings, *arguments), rule=_rule(rule), **given)


def _rule(value: Any) -> Rule:
    if isinstance(value, list):
        return respectively(*map(_rule, value))
    name, arguments = _call(value)
    return RULES[name](*arguments)


def _call(value: Any) -> tuple[str, list[Any]]:
    """The name of a function and its arguments: NAME, {NAME: ARGUMENT} or {NAME: [ARGUMENT, ...]}."""
    if isinstance(value, str):
        return value, []
    ((name, arguments),) = value.items()
    return name, arguments if isinstance(arguments, list) else [arguments]
