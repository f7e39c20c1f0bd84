"""The body of a request: what rows or arguments it carries."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

import orjson

from local_supabase.rest.errors import bad_body

JSON: Final = "application/json"
CSV: Final = "text/csv"
FORM: Final = "application/x-www-form-urlencoded"
RAW: Final = ("text/plain", "text/xml", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Rows:
    """The body of a write: JSON text, whether it is one object, and the keys of its objects."""

    json: str
    single: bool
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The body of a function call: JSON text, or a form's pairs, or a raw value."""

    keys: tuple[str, ...]
    json: str | None = None
    single: bool = True
    pairs: tuple[tuple[str, str], ...] | None = None
    raw: bytes | None = None


# So many brackets may be nested too deeply for Postgres; below, it judges the JSON itself.
_SUSPICIOUS: Final = 1000
_EMPTY: Final = Rows("[]", single=False, keys=())


def parse_rows(body: bytes, kind: str, columns: tuple[str, ...] | None) -> Rows:
    """Read the rows of an insert or update.

    With `columns` only they are taken from the body, and Postgres judges whether it is JSON at all.

    Raises:
        RestError: PGRST102.
    """
    match kind:
        case "application/json":
            return _json_rows(body, columns)
        case "text/csv":
            return _csv_rows(body)
        case "application/x-www-form-urlencoded":
            pairs = dict(form_pairs(body))
            return Rows(orjson.dumps(pairs).decode(), single=True, keys=tuple(pairs))
        case _:
            raise bad_body(f"Content-Type not acceptable: {kind}")


def parse_arguments(body: bytes, kind: str, columns: tuple[str, ...] | None) -> Arguments:
    """Read the arguments of a function called by POST.

    Raises:
        RestError: PGRST102.
    """
    if kind == FORM:
        pairs = form_pairs(body)
        return Arguments(tuple(dict.fromkeys(name for name, _ in pairs)), pairs=tuple(pairs))
    if kind in RAW:
        return Arguments((), raw=body)
    rows = parse_rows(body if body or kind != JSON else b"{}", kind, columns)
    return Arguments(rows.keys, json=rows.json, single=rows.single)


def form_pairs(body: bytes) -> list[tuple[str, str]]:
    """Decode a form."""
    pairs = []
    for part in body.decode("utf-8", "replace").split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def _json_rows(body: bytes, columns: tuple[str, ...] | None) -> Rows:
    if columns is not None:
        if body.count(b"[") + body.count(b"{") > _SUSPICIOUS:
            load_json(body)
        return Rows(_text(body), single=body.lstrip(b" \t\r\n").startswith(b"{"), keys=columns)
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


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise bad_body("Empty or invalid json") from None


def load_json(body: bytes) -> object:
    """Parse JSON strictly (no NaN), numbers of any size allowed.

    Raises:
        RestError: PGRST102.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    except RecursionError:
        raise bad_body("Empty or invalid json") from None
    # orjson refuses what Postgres may still take, such as deep nesting: let the other one decide.
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise bad_body("Empty or invalid json") from None


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _csv_rows(body: bytes) -> Rows:
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise bad_body("parse error (Failed reading: conversion error)") from None
    lines = [line for line in lines if line]
    if not lines:
        raise bad_body("parse error (not enough input) at ''")
    header, *values = lines
    if any(len(line) != len(header) for line in values):
        raise bad_body("All lines must have same number of fields")
    rows = [
        {name: None if value == "NULL" else value for name, value in zip(header, line, strict=True)}
        for line in values
    ]
    if not rows:
        return _EMPTY
    return Rows(orjson.dumps(rows).decode(), single=False, keys=tuple(rows[0]))
