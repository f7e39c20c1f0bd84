"""Reading rows from text: JSON lines, a JSON list, or CSV with a header. Each row knows its line.

A row that cannot be read is an error among the others, which are read all the same.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

MOST_BYTES: Final = 20 * 1024 * 1024
_DELIMITERS: Final = ",;\t|"
_SEPARATOR_LINE: Final = re.compile(r'\ufeff?"?sep=(?P<delimiter>.)"?\r?\n', re.IGNORECASE)
_SPACE: Final = re.compile(r"\s*")
_LONGEST_INTEGER: Final = 320
"""Digits. A longer one is beyond every limit, and Python would refuse or take long to read it."""
_MANY_VALUES: Final = ""
"""The name that `csv` is told for fields beyond the header."""

# A candidate may be longer than the 128 kB that `csv` takes by default.
csv.field_size_limit(MOST_BYTES)


class UnreadableFileError(Exception):
    """Nothing in the text can be read; the message says why."""


class RowError(ValueError):
    """The row cannot be read; the message says why."""


class RestError(RowError):
    """Neither this row nor those after it can be read."""


class Form(Enum):
    """How the rows are written."""

    JSON = "json"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line on which it begins, from 1; what it holds, or why not; and its text in the file."""

    line: int
    values: object
    source: str


@dataclass(frozen=True, slots=True)
class TaskFile:
    """The rows of a text, and how they were written. Only a table has a delimiter and columns."""

    form: Form
    rows: Iterator[Row]
    delimiter: str = ","
    columns: Sequence[str] = ()


def open_text(text: str, required: Collection[str]) -> TaskFile:
    """Return the rows of a text. A table's header has to have the `required` names.

    Raises:
        UnreadableFileError: Nothing in the text can be read.
    """
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise UnreadableFileError(f"It is larger than {MOST_BYTES // 2**20} MB. Split it.")
    body = text.lstrip("\ufeff \t\r\n")
    if not body:
        raise UnreadableFileError("It is empty.")
    if body.startswith("["):
        return TaskFile(Form.JSON, _list(text, text.index("[") + 1))
    if body.startswith("{"):
        return TaskFile(Form.JSON, _lines(text.lstrip("\ufeff")))
    return _table(text, required)


# ---------------------------------------------------------------- JSON


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float("inf")


# Python reads NaN, Infinity and 1e400, which JSON and the database do not have. They are read here too, so
# that the check of the row can name the field.
_DECODER: Final = json.JSONDecoder(parse_int=_integer)


def _list(text: str, start: int) -> Iterator[Row]:
    at, line, counted = start, 1, 0
    while True:
        at = _after_space(text, at)
        line, counted = line + text.count("\n", counted, at), at
        if text.startswith("]", at):
            return
        try:
            values, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            reason = f"From here on, this is not valid JSON: {_reason(error)}."
            yield Row(line, RestError(reason), text[at:])
            return
        yield Row(line, values, text[at:end])
        at = _after_space(text, end)
        if text.startswith(",", at):
            at += 1
        elif not text.startswith("]", at):
            line += text.count("\n", counted, at)
            yield Row(line, RestError("Here the list neither goes on with a comma nor ends."), text[at:])
            return


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            yield Row(number, RowError(f"This line is not valid JSON: {_reason(error)}."), line)
        else:
            yield Row(number, values, line)


def _reason(error: ValueError | RecursionError) -> str:
    return "it has too many levels" if isinstance(error, RecursionError) else str(error)


# ---------------------------------------------------------------- CSV


def _table(text: str, required: Collection[str]) -> TaskFile:
    marked = _SEPARATOR_LINE.match(text)  # Excel writes and reads it
    before = 1 if marked else 0
    text = text[marked.end() :] if marked else text.lstrip("\ufeff")
    delimiter = marked["delimiter"] if marked else _delimiter_of(text, required)
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.DictReader(iter(lines), strict=True, restkey=_MANY_VALUES, delimiter=delimiter)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise UnreadableFileError(f"It cannot be read as CSV: {error}.") from error
    missing = [name for name in required if name not in names]
    if missing:
        raise UnreadableFileError(
            "It is neither JSON nor CSV with a header that has "
            f"{', '.join(required)}. Missing: {', '.join(missing)}."
        )
    reader.fieldnames = names
    return TaskFile(Form.TABLE, _table_rows(reader, lines, before), delimiter, names)


def _delimiter_of(text: str, required: Collection[str]) -> str:
    """Return the delimiter that gives the header most of the required names: a comma, or one of Excel's."""

    def named(delimiter: str) -> int:
        try:
            header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            return 0
        return len({name.strip() for name in header} & set(required))

    return max(_DELIMITERS, key=named)


def _table_rows(reader: csv.DictReader[str], lines: Sequence[str], before: int) -> Iterator[Row]:
    while True:
        first = reader.reader.line_num
        values: Mapping[str, object] | RowError
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            values = RowError(f"This row cannot be read: {error}.")
        else:
            if _MANY_VALUES in values:
                values = RowError("This row has more fields than the header.")
        last = reader.reader.line_num  # that of `DictReader` does not count a row with an error
        while first < last - 1 and not lines[first].strip("\r\n"):
            first += 1  # `csv` passes over empty lines
        source = "".join(lines[first:last])
        if isinstance(values, RowError):
            yield Row(before + first + 1, values, source)
        else:
            yield Row(before + first + 1, {name: value for name, value in values.items() if value}, source)
