"""The one reader of comma-separated values: named columns, and the line on which each row begins."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gnn_checkpointing.refusal import Refusal, shown


class CsvFile:
    """The rows below a header. Blanks around a value, empty rows and empty columns without a name do not count."""

    def __init__(self, path: Path, form: str) -> None:
        self.path = path
        self._form = form
        self._header = next(_rows(path), (1, []))[1]
        self._named = [place for place, name in enumerate(self._header) if name]
        self.names = [self._header[place] for place in self._named]
        self._unnamed_columns = len(self._named) < len(self._header)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, complete once the rows have been read."""
        return (f"{self.path.name}: an empty column without a name was ignored",) if self._unnamed_columns else ()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The line of each row, and as many values as there are names; a missing value is empty."""
        rows = _rows(self.path)
        next(rows, None)
        whole = len(self._header) if len(self._named) == len(self._header) else -1
        for line, values in rows:
            if len(values) == whole:
                if any(values):
                    yield line, values
            elif any(values):
                yield line, self._named_values(line, values)

    def wrong_header(self) -> Refusal:
        """The refusal of a file whose columns are others."""
        return Refusal(f"{self.path}, line 1: the header is '{shown(','.join(self._header))}'; it must be {self._form}")

    def wrong(self, line: int, what: str) -> Refusal:
        """The refusal of a row."""
        return Refusal(f"{self.path}, line {line}: {what}")

    def _named_values(self, line: int, values: list[str]) -> list[str]:
        names, given = len(self._header), len(values)
        if any(values[names:]):
            raise self.wrong(line, f"{given} values, but the header has {names} names; remove the rest")
        for name, value in zip(self._header, values, strict=False):
            if value and not name:
                raise self.wrong(
                    line, f"'{shown(value)}' is in a column without a name; name the column in line 1, or remove it"
                )
        self._unnamed_columns |= given > names
        values += [""] * (names - given)
        return [values[place] for place in self._named]


MOST_CHARACTERS = 2**27
"""Of a line: ten million columns have a tenth."""

_BLANKS_AFTER = re.compile(r'"[^\S\r\n]+(?=[,\r\n]|$)')


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The first line of each row, from 1, and its values; a quoted value may hold commas and line breaks."""
    line, record = 1, list[str]()
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = iter(lambda: stream.readline(MOST_CHARACTERS), "")
            reader = csv.reader(_recorded(lines, record), skipinitialspace=True)
            for values in reader:
                if any('"' in text for text in record) and (fault := _misquoted(record)):
                    raise Refusal(f"{path}, line {line}: {fault}")
                yield line, [value.strip() for value in values]
                line = reader.line_num + 1
                record.clear()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise Refusal(f"{path}: not UTF-8 text (it holds the byte 0x{byte:02x}); save it as UTF-8") from None
    except csv.Error as error:
        raise Refusal(f"{path}, line {line}: not readable as comma-separated values ({error})") from None


def _recorded(lines: Iterable[str], record: list[str]) -> Iterator[str]:
    for line in lines:
        if len(line) == MOST_CHARACTERS:
            raise csv.Error(f"a line of more than {MOST_CHARACTERS} characters")
        record.append(line)
        yield line


def _misquoted(record: list[str]) -> str:
    """What is wrong with a row's quotation marks, which Python reads over: "1"2 would be 12; "" where nothing is."""
    try:
        list(csv.reader([_BLANKS_AFTER.sub('"', "".join(record))], strict=True, skipinitialspace=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            return "a quotation mark opens there that is never closed"
        return "a value goes on after its closing quotation mark; quote the whole value, or double the mark inside it"
    return ""
