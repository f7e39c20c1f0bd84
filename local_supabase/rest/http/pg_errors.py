"""Translates Postgres' errors into PostgREST's. The SQLSTATE decides the HTTP status."""

from __future__ import annotations

import re
from typing import Final

import asyncpg
import orjson

from local_supabase.rest.errors import RestError, bad_raise

_EXACT: Final = {
    "23503": 409,
    "23505": 409,
    "25006": 405,
    "53400": 500,
    "57P01": 503,
    "P0001": 400,
    "42P01": 404,
    "42P17": 500,
}
_CLASSES: Final = {
    "08": 503,
    "09": 500,
    "0L": 403,
    "0P": 403,
    "25": 500,
    "28": 403,
    "2D": 500,
    "38": 500,
    "39": 500,
    "3B": 500,
    "40": 500,
    "53": 503,
    "54": 500,
    "55": 500,
    "57": 500,
    "58": 500,
    "F0": 500,
    "HV": 500,
    "P0": 500,
    "XX": 500,
}
# PostgREST's literals are untyped, which Postgres reports as "unknown". Our parameters have a type.
_NO_OPERATOR: Final = re.compile(r"(operator does not exist: )(.+) (\S+) (?:\2|text)")
_RAISE_HINT_MESSAGE: Final = (
    "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' "
    "and optional keys: 'details', 'hint'."
)
_RAISE_HINT_DETAIL: Final = (
    "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'."
)


def from_postgres(error: asyncpg.PostgresError, *, anonymous: bool) -> RestError:
    """Translate an error.

    Arguments:
        error: the error.
        anonymous: whether the caller is not signed in. Then a missing privilege is a 401, not a 403.
    """
    code = error.sqlstate or "XX000"
    message = str(error.args[0]) if error.args else ""
    if code == "PGRST":
        return _raised(message, error.detail)
    if code == "42883":
        message = _NO_OPERATOR.sub(r"\1\2 \3 unknown", message)
    status = _status(code, message, anonymous=anonymous)
    headers = (("WWW-Authenticate", "Bearer"),) if status == 401 else ()
    return RestError(status, code, message, details=error.detail, hint=error.hint, headers=headers)


def _status(code: str, message: str, *, anonymous: bool) -> int:
    if code == "42501":
        return 401 if anonymous else 403
    if code == "42883":
        return 406 if message.startswith("function xmlagg(") else 404
    if code == "21000":
        return 400 if message.endswith("requires a WHERE clause") else 500
    if code == "22023":
        unknown_role = message.startswith("role") and message.endswith("does not exist")
        return 401 if unknown_role else 400
    if code.startswith("PT"):
        return int(code[2:]) if code[2:].isdigit() and 200 <= int(code[2:]) <= 599 else 500
    return _EXACT.get(code) or _CLASSES.get(code[:2], 400)


def _raised(message: str, detail: str | None) -> RestError:
    """Translate a function's `raise sqlstate 'PGRST' using message = json, detail = json`."""
    error = _object(message)
    if error is None or not isinstance(error.get("code"), str) or not isinstance(error.get("message"), str):
        return bad_raise(f"Invalid JSON value for MESSAGE: '{message}'", _RAISE_HINT_MESSAGE)
    if detail is None:
        return bad_raise("DETAIL is missing in the RAISE statement", _RAISE_HINT_DETAIL)
    response = _object(detail)
    if (
        response is None
        or not isinstance(response.get("status"), int)
        or not isinstance(response.get("headers"), dict)
    ):
        return bad_raise(f"Invalid JSON value for DETAIL: '{detail}'", _RAISE_HINT_DETAIL)
    status, pairs = response["status"], response["headers"]
    assert isinstance(status, int)
    assert isinstance(pairs, dict)
    headers = [(str(name), str(value)) for name, value in pairs.items()]
    return RestError(
        status if 100 <= status <= 599 else 500,
        str(error["code"]),
        str(error["message"]),
        details=error.get("details"),
        hint=error.get("hint"),
        headers=headers,
    )


def _object(text: str) -> dict[str, object] | None:
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
