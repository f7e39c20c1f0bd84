"""Builds the HTTP response from a statement's result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import orjson
from starlette.responses import Response

from local_supabase.rest.catalog.model import Returns
from local_supabase.rest.errors import RestError, bad_response_headers, bad_response_status
from local_supabase.rest.query.media import Format, raw_content_type
from local_supabase.rest.query.preferences import Resolution, Return
from local_supabase.rest.query.ranges import content_range, out_of_bounds, read_status
from local_supabase.rest.query.request import Action, ApiRequest
from local_supabase.rest.sql.plan import Plan

_JSON: Final = "application/json; charset=utf-8"
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Result:
    """The one row that a statement returns.

    Arguments:
        total: the number of rows without a window, if it was counted.
        rows: the number of rows in the body, or of rows that were written.
        body: the response's body.
        headers: the headers that a function set, as JSON.
        status: the status that a function set.
        inserted: how many rows an upsert inserted, if it counted them.
        location: the key of an inserted row as `column=eq.value` pairs.
    """

    total: int | None
    rows: int
    body: str | None
    headers: str | None = None
    status: str | None = None
    inserted: int | None = None
    location: Sequence[str] = ()


def make_response(request: ApiRequest, plan: Plan, result: Result, profile: str | None) -> Response:
    """Return the response to a request.

    Arguments:
        request: the request.
        plan: its plan.
        result: the result of its statement.
        profile: the schema for the header Content-Profile; None omits the header.

    Raises:
        RestError: PGRST111 or PGRST112, a function set bad headers or a bad status.
    """
    match request.target.action:
        case Action.READ | Action.CALL | Action.CALL_READ:
            status, headers, body = _read_response(request, plan, result)
        case Action.INSERT:
            status, headers, body = _insert_response(request, plan, result)
        case _:
            status, headers, body = _write_response(request, result)
    if body is not None:
        headers.append(("Content-Type", _content_type(plan)))
        if profile is not None:
            headers.append(("Content-Profile", profile))
    custom = _custom_headers(result.headers)
    replaced = {name.lower() for name, _ in custom}
    headers = [pair for pair in headers if pair[0].lower() not in replaced] + custom
    response = respond(_custom_status(result.status) or status, headers, _encode_body(plan, body or ""))
    if request.target.headers_only and "content-length" in response.headers:
        # The body of the answer to GET is not made, so its length is not known.
        del response.headers["content-length"]
    return response


def _content_type(plan: Plan) -> str:
    if plan.form is Format.RAW and plan.routine is not None:
        return raw_content_type(plan.routine.media_type or "")
    return plan.form.content_type


def _encode_body(plan: Plan, body: str) -> bytes:
    if plan.form is Format.RAW and plan.routine is not None and plan.routine.returns_bytes:
        return bytes.fromhex(body.removeprefix("\\x"))
    return body.encode()


def respond(status: int, headers: Headers, body: bytes) -> Response:
    """Return a response with exactly these headers and Content-Length."""
    response = Response(body, status)
    if status not in {204, 304}:
        response.headers["content-length"] = str(len(body))
    elif "content-length" in response.headers:
        del response.headers["content-length"]
    for name, value in headers:
        response.headers.append(name, _latin(value))
    return response


def _latin(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace").decode("latin-1")


def error_response(error: RestError) -> Response:
    """Return the response for an error."""
    headers = [("Content-Type", _JSON), ("Proxy-Status", f"PostgREST; error={error.code}"), *error.headers]
    return respond(error.status, headers, error.body())


def _read_response(request: ApiRequest, plan: Plan, result: Result) -> tuple[int, Headers, str | None]:
    lower = request.window.offset
    upper = lower + result.rows - 1
    status = read_status(lower, result.rows, result.total)
    headers: Headers = [("Content-Range", content_range(lower, upper, result.total))]
    called = plan.routine is not None
    if not called:
        headers.append(("Content-Location", _content_location(request)))
    applied = request.preferences.applied(max_affected=called)
    if applied:
        headers.append(("Preference-Applied", applied))
    if plan.routine is not None and plan.routine.returns is Returns.VOID:
        return 204, headers, None
    if status == 416:
        return status, headers, out_of_bounds(lower, result.total or 0).decode()
    return status, headers, result.body or ""


def _content_location(request: ApiRequest) -> str:
    path = "/" + quote(request.target.name.name)
    return f"{path}?{request.query.canonical}" if request.query.canonical else path


def _insert_response(request: ApiRequest, plan: Plan, result: Result) -> tuple[int, Headers, str | None]:
    headers: Headers = []
    assert plan.table is not None
    if result.location:
        pairs = [pair.partition("=") for pair in result.location]
        query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, _, value in pairs)
        headers.append(("Location", f"/{quote(request.target.name.name)}?{query}"))
    counted = result.rows if request.preferences.exact_count else None
    headers.append(("Content-Range", content_range(1, 0, counted)))
    keyed = bool(plan.table.key) or request.query.on_conflict is not None
    applied = request.preferences.applied(resolution=keyed, missing=True, returns=True)
    if applied:
        headers.append(("Preference-Applied", applied))
    merged = request.preferences.resolution is Resolution.MERGE
    # An upsert of no rows does not even begin to count.
    inserted = 0 if result.inserted is None and result.rows == 0 else result.inserted
    status = 200 if merged and keyed and inserted is not None and inserted <= 0 else 201
    whole = request.preferences.returns is Return.REPRESENTATION
    return status, headers, result.body if whole else None


def _write_response(request: ApiRequest, result: Result) -> tuple[int, Headers, str | None]:
    headers: Headers = []
    action = request.target.action
    counted = result.rows if request.preferences.exact_count else None
    if action is Action.UPDATE:
        headers.append(("Content-Range", content_range(0, result.rows - 1, counted)))
    elif action is Action.DELETE:
        headers.append(("Content-Range", content_range(1, 0, counted)))
    limited = action is not Action.UPSERT
    applied = request.preferences.applied(missing=action is Action.UPDATE, returns=True, max_affected=limited)
    if applied:
        headers.append(("Preference-Applied", applied))
    if request.preferences.returns is not Return.REPRESENTATION:
        return 204, headers, None
    created = action is Action.UPSERT and (result.inserted or 0) > 0
    return 201 if created else 200, headers, result.body


def _custom_headers(text: str | None) -> Headers:
    """Parse the headers that a function set: `[{"X-One": "1"}, ...]`."""
    if text is None:
        return []
    try:
        given = orjson.loads(text)
    except ValueError:
        raise bad_response_headers() from None
    if not isinstance(given, list):
        raise bad_response_headers()
    headers: Headers = []
    for item in given:
        if not isinstance(item, dict) or len(item) != 1 or not all(isinstance(v, str) for v in item.values()):
            raise bad_response_headers()
        headers.extend(item.items())
    return headers


def _custom_status(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 200 <= int(text[:4]) <= 599:
        raise bad_response_status()
    return int(text)
