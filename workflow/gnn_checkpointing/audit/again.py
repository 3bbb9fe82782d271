"""Compute all conclusions again from the measurements, and compare them with the published ones."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gnn_checkpointing.analysis.analyse import analyse, protocol_of
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.audit import audited
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.claims.ledger import Ledger
from gnn_checkpointing.planning.gather import knowledge
from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.refusal import Refusal, shown
from gnn_checkpointing.report.inputs import ANALYSIS, AUDIT, CLAIMS, HISTORY, MEASUREMENTS, PLANNER
from gnn_checkpointing.report.render import SUMMARY, read_inputs, summary
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.report.sections.history import continued, read_history

RELATIVE, ABSOLUTE = 1e-6, 1e-12
"""Tolerances of a number: sums differ in their last digits between processors and between versions of libraries, and
terms that cancel leave zero or almost zero."""

MISFITS = (
    Refusal,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Exceptions that arithmetic raises on impossible numbers."""

_MISSING = "missing"


def analysis(run: RunFolder) -> Iterator[str]:
    """Yield complaints about analysis files that do not follow from the table; takes as long as the analysis."""

    def again() -> dict[str, Any]:
        made = analyse(run.rows, run.trainings, protocol_of(run.study), run.explained, run.encodings, run.graphs)
        return {f"{ANALYSIS}/{name}.json": each for name, each in vars(made).items()}

    yield from _held(run, ANALYSIS, MEASUREMENTS, again)


def conclusions(run: RunFolder) -> Iterator[str]:
    """Yield complaints about claims, audit, planner, summary and history that do not follow from the analysis."""
    both, history = f"{ANALYSIS} and {CLAIMS}", run.folder / HISTORY
    inputs = cache(lambda: read_inputs(run))
    recipes: dict[str, tuple[str, Callable[[], Any]]] = {
        CLAIMS: (ANALYSIS, lambda: judge(run.findings, run.study.name, run.machine.slug)),
        AUDIT: (both, lambda: audited(run)),
        PLANNER: (ANALYSIS, lambda: knowledge(run.study, run.findings.predictions, run.graphs, run.machine, run.rows)),
        SUMMARY: (both, lambda: summary(inputs())),
        # Its earlier rows are taken as given; the last one, and what it repeats, are computed again.
        HISTORY: (f"{both}, and its earlier rows", lambda: continued(read_history(history), inputs())),
    }
    if not history.is_file():  # the crate, which is rendered again, says whether it belongs there
        del recipes[HISTORY]
    for name, (source, make) in recipes.items():
        yield from _held(run, name, source, lambda name=name, make=make: {name: make()})  # type: ignore[misc]


def differences(given: Any, again: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield every place (a JSON pointer) where two JSON values differ, with both; last digits of numbers may differ."""
    one, other = dict(_leaves(given)), dict(_leaves(again))
    for place in dict.fromkeys([*one, *other]):
        pair = one.get(place, _MISSING), other.get(place, _MISSING)
        if not _same(*pair) or (place in one) != (place in other):
            yield place, *pair


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, f"{place}/{key}")
    else:
        yield place, value


def _same(one: Any, other: Any) -> bool:
    if type(one) in (int, float) and type(other) in (int, float):
        return same_number(one, other)
    return type(one) is type(other) and bool(one == other)


def same_number(one: float, other: float) -> bool:
    """Whether two numbers differ in no more than their last digits."""
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _held(run: RunFolder, what: str, source: str, make: Callable[[], dict[str, Any]]) -> Iterator[str]:
    """Yield published files that differ from those made again, with the first place and the number of places."""
    try:
        made = make()
    except MISFITS as error:
        yield f"{what}: cannot be made from {source} again ({type(error).__name__}: {shown(error)})"
        return
    for name, again in made.items():
        given = read_json(run.folder / name)
        if isinstance(again, Ledger | Knowledge):  # files of an older format say the same more verbosely
            with suppress(ValidationError):
                given = type(again).model_validate(given).model_dump(mode="json")
        different = list(differences(given, TypeAdapter(Any).dump_python(again, mode="json")))
        if different:
            place, one, other = different[0]
            # The id of a claim or a check says more than its place.
            parts, id = place.split("/"), ""
            if name in (CLAIMS, AUDIT) and len(parts) > 3:
                id = f"{dict(_leaves(given)).get('/'.join([*parts[:3], 'id']), '')}: "
            more = f" ({len(different)} places in all)" if len(different) > 1 else ""
            words = f"{place or 'the whole'} is {shown(one)}, not {shown(other)}"
            yield f"{name}: not what {source} gives: {id.removeprefix(': ')}{words}{more}"
