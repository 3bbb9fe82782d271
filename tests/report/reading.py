"""Helpers for tests of sections: inputs with real findings of the analysis, and readers of a section."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from gnn_checkpointing.analysis.analyse import analyse
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.report.inputs import ReportInputs, in_series
from gnn_checkpointing.report.page import Block, Paragraph, Section, Table, words_of
from gnn_checkpointing.sourced import bare
from gnn_checkpointing.study.study import Study
from synthetic import inputs as synthetic
from synthetic.rows import Table as Rows
from synthetic.tables import protocol


def block(found: Section | None, id: str) -> Any:
    """The section's table or figure with this id."""
    assert found is not None
    return next(one for one in found.blocks if getattr(one, "id", "") == id)


def tables(found: Section | None) -> list[Table]:
    assert found is not None
    return [one for one in found.blocks if isinstance(one, Table)]


def texts(table: Table, *heads: str) -> list[str]:
    """The cells after `heads` in the only row that begins with them."""
    (row,) = [row for row in table.rows if tuple(cell for cell in row[: len(heads)]) == heads]
    return list(row[len(heads) :])


def prose(found: Section | None) -> str:
    assert found is not None
    return bare(" ".join(words_of(one.text) for one in found.blocks if isinstance(one, Paragraph)))


def words_in(blocks: Iterable[Block]) -> str:
    """All words in some blocks: titles, paragraphs, items of lists."""
    texts = [text for one in blocks for text in getattr(one, "items", [getattr(one, "text", "")])]
    return " ".join(bare(words_of(text)) for text in texts if isinstance(text, str | tuple))


def analysed(rows: Rows, study: Study, **more: Any) -> ReportInputs:
    """Inputs with the analysis's own findings of `rows`, and no traces unless they are given."""
    found = analyse(rows, [], protocol(), encodings=more.pop("encodings", ()))
    parts = {field.name: getattr(found, field.name) for field in fields(found)}
    known = {"ledger": judge(found, study.name, "laptop"), "traces": [], **more}
    return synthetic.inputs(in_series(rows), study=study, **{**parts, **known})
