"""Reports as someone else may send them: one value of one file replaced by what no run gives, renamed or moved."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from gnn_checkpointing.artefacts import sha256_of, write_json
from gnn_checkpointing.report.provenance import CRATE, INSIDE

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 0.5, -0.0, 1e308, 1e-308, 2**31, 2**63 - 1, 2**64, 10**400, float("nan"), float("inf"),
    float("-inf"), "", " ", "nan", "-1", "1e400", "2026-01-01", "2026-01-01T00:00:00", "yesterday", "../../etc/passwd",
    "\ud800", "\ue000measurements.csv\ue001", "\x1b[2J\n", "=HYPERLINK(\"http://x\")", "x" * 100_000, [], {}, [[]],
    {"": None}, [None], [1e308] * 3,
)  # fmt: skip
"""None of them is right everywhere, and each is right somewhere."""


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside a JSON value, its own first."""
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*at, key))


def replaced(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value with another one at a place; `DROP`, `TWICE`, `RENAME` and `SWAP` do that instead."""
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(at) == 1 and new is DROP:
        del copy[at[0]]
    elif len(at) == 1 and new is TWICE and isinstance(copy, list):
        copy.insert(at[0], copy[at[0]])
    elif len(at) == 1 and new is RENAME and isinstance(copy, dict):
        copy = {f"{key}_" if key == at[0] else key: one for key, one in copy.items()}
    elif len(at) == 1 and new is SWAP and isinstance(copy, list):
        copy[at[0]], copy[at[0] - 1] = copy[at[0] - 1], copy[at[0]]
    else:
        copy[at[0]] = replaced(copy[at[0]], at[1:], None if new in ACTS else new)
    return copy


ACTS = DROP, TWICE, RENAME, SWAP = object(), object(), object(), object()
news = st.sampled_from((*VALUES, *ACTS))


def tampered(content: bytes, name: str, draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """A file's content with one value, chosen by `draw`, replaced."""
    if name.endswith(".csv"):
        return _tampered_table(content, draw)
    lines = name.endswith(".jsonl")
    value = list(map(json.loads, content.splitlines())) if lines else json.loads(content)
    known = sorted(places(value), key=len)[1:]
    changed = replaced(value, draw(st.sampled_from(known)), draw(news)) if known else draw(st.sampled_from(VALUES))
    if lines and isinstance(changed, list):
        return "".join(json.dumps(one) + "\n" for one in changed).encode("utf-8", "surrogatepass")
    return json.dumps(changed).encode("utf-8", "surrogatepass")


def _tampered_table(content: bytes, draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    rows = list(csv.reader(io.StringIO(content.decode())))
    at, column = draw(st.integers(0, len(rows) - 1)), draw(st.integers(0, len(rows[0]) - 1))
    new = draw(news)
    if new is DROP:
        del rows[at]
    elif new is TWICE:
        rows.insert(at, rows[at])
    elif new is SWAP:
        rows[at], rows[at - 1] = rows[at - 1], rows[at]
    elif new is RENAME:
        rows[0][column] += "_"
    else:
        rows[at][column] = "" if new is None else str(new)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "surrogatepass")


def signed(folder: Path, name: str) -> None:
    """List a file's checksum in the crate, as someone would who means it."""
    crate = json.loads((folder / CRATE).read_text())
    for one in crate["@graph"]:
        if one["@id"] in (name, f"{INSIDE}{name}"):
            one |= {"sha256": sha256_of(folder / name), "contentSize": str((folder / name).stat().st_size)}
    write_json(folder / CRATE, crate)
