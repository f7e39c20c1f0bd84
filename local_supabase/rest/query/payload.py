"""Parses the body of a request into rows or arguments."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

import orjson

from local_supabase.rest.errors import RestError, bad_body
from local_supabase.rest.query.skim import check_json, keys_of

JSON: Final = "application/json"
CSV: Final = "text/csv"
FORM: Final = "application/x-www-form-urlencoded"
RAW: Final = ("text/plain", "text/xml", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Rows:
    """The body of a write.

    Arguments:
        json: the rows as JSON text.
        single: whether the text is one object instead of an array.
        keys: the keys of the objects.
    """

    json: str
    single: bool
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a function call: JSON text, pairs or a raw value.

    Arguments:
        keys: the names of the arguments.
        json: the arguments as JSON text.
        single: whether that text is one object instead of an array.
        pairs: the names and values of a form or a query string.
        raw: the body as the value of an unnamed parameter.
    """

    keys: tuple[str, ...]
    json: str | None = None
    single: bool = True
    pairs: tuple[tuple[str, str], ...] | None = None
    raw: bytes | None = None


# Postgres checks JSON with fewer brackets itself. More of them may be nested too deeply for it.
_CHECKED_BRACKETS: Final = 1000
# Ours: PostgREST has no limit. A row of ten bytes costs the gateway and Postgres as much as a longer one.
MAX_ROWS: Final = 100_000
# A million of them are parsed in a tenth of a second.
MAX_ARRAYS: Final = 1_000_000
# The most columns of a Postgres table. Functions have fewer parameters.
MAX_FIELDS: Final = 1600
# Building the values of a larger body would stop the other requests for long.
_BUILT_BYTES: Final = 64 * 1024
_CHUNK_ROWS: Final = 500
_BLANKS: Final = b" \t\r\n"
_EMPTY: Final = Rows("[]", single=False, keys=())


def parse_rows(body: bytes, kind: str, columns: tuple[str, ...] | None) -> Rows:
    """Parse the rows of an insert or update.

    Arguments:
        body: the body.
        kind: its media type.
        columns: the value of the parameter `columns`. With it, the body may have other keys, which are
            ignored, and Postgres parses the JSON.

    Raises:
        RestError: PGRST102, the body is not of this media type, or its rows differ in their keys.
    """
    match kind:
        case "application/json":
            rows = _json_rows(body, columns)
            if len(rows.keys) > MAX_FIELDS:
                raise _too_many_fields()
            return rows
        case "text/csv":
            return _csv_rows(body)
        case "application/x-www-form-urlencoded":
            pairs = dict(form_pairs(body))
            return Rows(orjson.dumps(pairs).decode(), single=True, keys=tuple(pairs))
        case _:
            raise bad_body(f"Content-Type not acceptable: {kind}")


def parse_arguments(body: bytes, kind: str, columns: tuple[str, ...] | None) -> Arguments:
    """Parse the arguments of a function called by POST.

    Arguments:
        body: the body.
        kind: its media type.
        columns: the value of the parameter `columns`.

    Raises:
        RestError: PGRST102, the body is not of this media type.
    """
    if kind == FORM:
        pairs = form_pairs(body)
        return Arguments(tuple(dict.fromkeys(name for name, _ in pairs)), pairs=tuple(pairs))
    if kind in RAW:
        return Arguments((), raw=body)
    if kind == JSON:
        # A function with a single unnamed parameter takes an object of any keys.
        rows = _json_rows(body or b"{}", columns)
    else:
        rows = parse_rows(body, kind, columns)
    return Arguments(rows.keys, json=rows.json, single=rows.single)


def form_pairs(body: bytes) -> list[tuple[str, str]]:
    """Decode a URL-encoded form into names and values.

    Raises:
        RestError: PGRST102, it has too many fields.
    """
    if body.count(b"&") >= MAX_FIELDS:
        raise _too_many_fields()
    pairs = []
    for part in body.decode("utf-8", "replace").split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def _json_rows(body: bytes, columns: tuple[str, ...] | None) -> Rows:
    if body.count(b"{") > MAX_ROWS:
        _check_objects(body)
    if body.count(b"[") > MAX_ARRAYS:
        raise bad_body(f"More than {MAX_ARRAYS} arrays in one request")
    if columns is not None:
        if body.count(b"[") + body.count(b"{") > _CHECKED_BRACKETS:
            load_json(body)
        return Rows(_text(body), single=body.lstrip(_BLANKS).startswith(b"{"), keys=columns)
    if len(body) > _BUILT_BYTES and body.lstrip(_BLANKS).startswith((b"{", b"[")):
        return _large_rows(body)
    value = load_json(body)
    text = body.decode("utf-8")
    if isinstance(value, dict):
        return Rows(text, single=True, keys=tuple(value))
    if not isinstance(value, list) or not value:
        return _EMPTY
    first = value[0]
    if not isinstance(first, dict):
        raise bad_body("All object keys must match")
    keys = first.keys()
    if not all(isinstance(row, dict) and row.keys() == keys for row in value):
        raise bad_body("All object keys must match")
    return Rows(text, single=False, keys=tuple(first))


def _large_rows(body: bytes) -> Rows:
    single = body.lstrip(_BLANKS).startswith(b"{")
    text = _text(body)
    rows = check_json(body, single=single)
    if rows > MAX_ROWS:
        raise _too_many_rows()
    return Rows(text, single=single, keys=keys_of(body, MAX_FIELDS, single=single)) if rows else _EMPTY


def _check_objects(body: bytes) -> None:
    """Refuse a body of more than `MAX_ROWS` objects, without stopping other threads as orjson does."""
    counted = itertools.count(1)

    def count(_: object) -> None:
        if next(counted) > MAX_ROWS:
            raise _too_many_rows()

    with contextlib.suppress(ValueError, RecursionError):
        json.loads(body, object_pairs_hook=count)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise bad_body("Empty or invalid json") from None


def load_json(body: bytes) -> object:
    """Parse JSON strictly: no NaN, but numbers of any size.

    Raises:
        RestError: PGRST102, it is not JSON.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    except RecursionError:
        raise bad_body("Empty or invalid json") from None
    # orjson refuses JSON that Postgres may accept, such as deep nesting, so the other parser decides.
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise bad_body("Empty or invalid json") from None


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _csv_rows(body: bytes) -> Rows:
    try:
        text = body.decode("utf-8")
        # A line break may be part of a value. Counting lines takes a quarter of the time of parsing them.
        breaks = text.count("\n") + text.count("\r")
        if breaks > MAX_ROWS and sum(1 for _ in _csv_lines(text)) > MAX_ROWS + 1:
            raise _too_many_rows()
        lines = _csv_lines(text)
        header = next(lines, None)
        if header is None:
            raise bad_body("parse error (not enough input) at ''")
        parts = [orjson.dumps(rows)[1:-1] for rows in _csv_chunks(header, lines)]
    except (UnicodeDecodeError, csv.Error):
        raise bad_body("parse error (Failed reading: conversion error)") from None
    if not parts:
        return _EMPTY
    return Rows(f"[{b','.join(parts).decode()}]", single=False, keys=tuple(dict.fromkeys(header)))


def _csv_lines(text: str) -> Iterator[list[str]]:
    """Yield the lines that are not empty, at most two more than are allowed."""
    # A generator in Python lets other threads run between two lines.
    lines = (line for line in csv.reader(_narrow_lines(text), strict=True) if line)
    return itertools.islice(lines, MAX_ROWS + 2)


def _narrow_lines(text: str) -> Iterator[str]:
    """Yield the lines of a text, which have no more fields than a table has columns."""
    is_quoted = False
    for line in io.StringIO(text, newline=""):
        if line.count(",") >= MAX_FIELDS:
            unquoted = line.split('"')[is_quoted::2]
            if sum(part.count(",") for part in unquoted) >= MAX_FIELDS:
                raise _too_many_fields()
        is_quoted ^= line.count('"') % 2 == 1
        yield line


def _csv_chunks(header: list[str], lines: Iterator[list[str]]) -> Iterator[list[dict[str, str | None]]]:
    """Yield a few rows at a time: with many objects, the garbage collector stops all threads for long."""
    while chunk := list(itertools.islice(lines, _CHUNK_ROWS)):
        if any(len(line) != len(header) for line in chunk):
            raise bad_body("All lines must have same number of fields")
        yield [
            {name: None if value == "NULL" else value for name, value in zip(header, line, strict=True)}
            for line in chunk
        ]


def _too_many_rows() -> RestError:
    return bad_body(f"More than {MAX_ROWS} rows in one request")


def _too_many_fields() -> RestError:
    return bad_body(f"More than {MAX_FIELDS} fields in one row")
