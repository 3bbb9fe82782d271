"""The one reader of comma-separated values: named columns, and the line on which each row begins."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from gnn_checkpointing.refusal import Refusal, shown

MOST_CHARACTERS = 2**27
"""Of a line: ten million columns have a tenth."""

_BLANKS_AFTER = re.compile(r'"[^\S\r\n]+(?=[,\r\n]|$)')


class CsvFile:
    """The rows below a header. Blanks around a value, empty rows and empty columns without a name do not count.

    `notes` say what was left out, complete once the rows have been read.
    """

    def __init__(self, path: Path, form: str) -> None:
        self.path, self.notes = path, list[str]()
        self._form = form
        self._header = next(_rows(path), (1, []))[1]
        self._named = [place for place, name in enumerate(self._header) if name]
        self.names = [self._header[place] for place in self._named]
        if len(self.names) < len(self._header):
            self._note_unnamed()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The line of each row, and as many values as there are names; a missing value is empty."""
        rows = _rows(self.path)
        next(rows, None)
        plain = len(self._header) if self.names == self._header else -1
        for line, values in rows:
            if any(values):
                yield line, values if len(values) == plain else self._named_values(line, values)

    def wrong_header(self) -> Refusal:
        """The refusal of a file whose columns are others."""
        return self.wrong(1, f"the header is '{shown(','.join(self._header))}'; it must be {self._form}")

    def wrong(self, line: int, what: str) -> Refusal:
        """The refusal of a row."""
        return Refusal(f"{self.path}, line {line}: {what}")

    def _named_values(self, line: int, values: list[str]) -> list[str]:
        names, given = len(self._header), len(values)
        if any(values[names:]):
            raise self.wrong(line, f"{given} values, but the header has {names} names; remove the rest")
        for name, value in zip(self._header, values, strict=False):
            if value and not name:
                what = f"'{shown(value)}' is in a column without a name; name the column in line 1, or remove it"
                raise self.wrong(line, what)
        if given > names:
            self._note_unnamed()
        values += [""] * (names - given)
        return [values[place] for place in self._named]

    def _note_unnamed(self) -> None:
        self.notes = [f"{self.path.name}: an empty column without a name was ignored"]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The first line of each row, from 1, and its values; a quoted value may hold commas and line breaks."""
    line, record = 1, list[str]()

    def recorded() -> Iterator[str]:
        while text := stream.readline(MOST_CHARACTERS):
            if len(text) == MOST_CHARACTERS:
                raise csv.Error(f"a line of more than {MOST_CHARACTERS} characters")
            record.append(text)
            yield text

    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(recorded(), skipinitialspace=True)
            for values in reader:
                if any('"' in text for text in record) and (fault := _misquoted("".join(record))):
                    raise Refusal(f"{path}, line {line}: {fault}")
                yield line, [value.strip() for value in values]
                line = reader.line_num + 1
                record.clear()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise Refusal(f"{path}: not UTF-8 text (it holds the byte 0x{byte:02x}); save it as UTF-8") from None
    except csv.Error as error:
        raise Refusal(f"{path}, line {line}: not readable as comma-separated values ({error})") from None


def _misquoted(record: str) -> str:
    """What is wrong with a row's quotation marks, which Python reads over: "1"2 would be 12; "" where nothing is."""
    try:
        list(csv.reader([_BLANKS_AFTER.sub('"', record)], strict=True, skipinitialspace=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            return "a quotation mark opens there that is never closed"
        return "a value goes on after its closing quotation mark; quote the whole value, or double the mark inside it"
    return ""
