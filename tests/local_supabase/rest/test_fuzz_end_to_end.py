"""Any input gets a response: never a crash, never a 500, never a connection that hangs."""

from collections.abc import Callable
from functools import partial
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from local_supabase.rest.errors import RestError
from local_supabase.rest.query.media import negotiate, parse_accept
from local_supabase.rest.query.payload import parse_arguments, parse_rows
from local_supabase.rest.query.preferences import parse_preferences
from local_supabase.rest.query.query_string import parse_query
from local_supabase.rest.query.ranges import Window, with_header
from tests.local_supabase.rest.conftest import Rest

_WORDS = """
    select order limit offset or and not. eq. in.( is.null fts( cs.{ * id name clients projects tasks doc tags
    -> ->> :: ! !inner ... .. . , ( ) { } [ ] " \\ : = & ? % %25 + $1 ' null 1 -1 99999999999999999999 count()
    .sum() any all asc desc nullsfirst columns on_conflict é 𝕏 ; #
"""
_PIECES = st.sampled_from([*_WORDS.split(), "\0", "\t", "\n", " "])
_TEXT = st.one_of(st.lists(_PIECES, max_size=12).map("".join), st.text(max_size=30))
_KEYS = st.one_of(
    st.sampled_from(
        ["select", "order", "limit", "offset", "or", "and", "not.or", "id", "name", "clients.name", "columns"]
    ),
    _TEXT,
)
_QUERY = st.lists(st.tuples(_KEYS, _TEXT), max_size=5)
_SLOW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _encoded(pairs: list[tuple[str, str]]) -> str:
    return "&".join(
        f"{quote(key, errors='replace')}={quote(value, errors='replace')}" for key, value in pairs
    )


def _status_of(parse: Callable[[], object]) -> int:
    """Return the status of the error that a parser raises; 200 if it parses the input."""
    try:
        parse()
    except RestError as error:
        return error.status
    return 200


@given(st.one_of(_TEXT, _QUERY.map(_encoded)))
@settings(deadline=None, max_examples=500)
def test_any_query_string_is_parsed_or_refused(raw: str) -> None:
    for arguments in (False, True):
        assert _status_of(partial(parse_query, raw, arguments=arguments)) in {200, 400}


@given(
    st.binary(max_size=60),
    st.sampled_from(["application/json", "text/csv", "application/x-www-form-urlencoded"]),
)
@example(b"[" * 10_000, "application/json")
@example(b'{"a":' * 10_000, "application/json")
def test_any_body_is_parsed_or_refused(body: bytes, kind: str) -> None:
    assert _status_of(lambda: parse_rows(body, kind, None)) in {200, 400}
    assert _status_of(lambda: parse_arguments(body, kind, None)) in {200, 400}


@given(_TEXT)
def test_any_header_is_parsed_or_refused(text: str) -> None:
    assert parse_preferences([text], lambda _: False).timezone is None
    assert parse_accept(text) != ()
    assert _status_of(lambda: negotiate(text)) in {200, 406}
    assert _status_of(lambda: with_header(Window(), text)) in {200, 416}


@given(
    st.sampled_from(["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]),
    st.sampled_from(["projects", "samples", "clients", "people", "rpc/projects_of", "rpc/greet", "rpc/add"]),
    _QUERY,
)
@_SLOW
def test_any_request_gets_a_response(
    rest: Rest, method: str, path: str, query: list[tuple[str, str]]
) -> None:
    # The limit makes the database refuse any write that would change a row.
    harmless = (
        {"Prefer": "handling=strict,max-affected=0"} if method in {"PATCH", "DELETE", "POST", "PUT"} else {}
    )
    body = b"[]" if method in {"POST", "PUT", "PATCH"} else None
    response = rest(
        method, f"/{path}?{_encoded(query)}", content=body, Content_Type="application/json", **harmless
    )
    assert response.status_code < 500, response.text
    if response.status_code >= 400 and method != "HEAD":
        assert set(response.json()) == {"code", "details", "hint", "message"}


@given(_TEXT, st.sampled_from(["", "rpc/"]))
@_SLOW
def test_any_path_gets_a_response(rest: Rest, name: str, prefix: str) -> None:
    response = rest.get(f"/{prefix}{quote(name, safe='', errors='replace')}")
    assert response.status_code < 500, response.text


_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(["id", "n", "short", "mood", "score", "client_id"]), _JSON)
@_SLOW
def test_any_value_of_a_column_is_stored_or_refused(rest: Rest, column: str, value: object) -> None:
    response = rest.post("/checked?columns=" + column, {column: value, "id": 1}, Prefer="tx=rollback")
    assert response.status_code < 500, response.text
    if response.status_code == 201:
        rest.sql("truncate public.checked")


@given(st.sampled_from(["add", "greet", "takes_array", "echo_json", "kinds", "joined"]), _JSON)
@_SLOW
def test_any_argument_is_accepted_or_refused(rest: Rest, function: str, value: object) -> None:
    for arguments in (value, {"a": value, "b": value}, {"items": value}, {"name": value}):
        response = rest.post(f"/rpc/{function}", arguments)
        assert response.status_code < 500, response.text


@pytest.mark.parametrize(
    "raw", [b"select=%ff%fe", b"id=eq.%00", b"%", b"=&=&&", b"select=%ED%A0%80", b"a" * 20_000]
)
def test_invalid_bytes_in_the_url_get_a_response(rest: Rest, raw: bytes) -> None:
    url = httpx.URL(f"{rest.stack.url}/rest/v1/samples").copy_with(query=raw)
    response = httpx.get(url, headers={"apikey": rest.stack.anon_key})
    assert response.status_code < 500, response.text


def test_a_filter_nested_too_deeply_is_refused(rest: Rest) -> None:
    for depth in (50, 500, 3000):
        response = rest.get(f"/samples?or=({'and(' * depth}id.eq.1{')' * depth})")
        assert response.status_code < 500, response.text


def test_a_list_of_five_thousand_values_is_accepted(rest: Rest) -> None:
    assert (
        rest.get(f"/samples?select=id&id=in.({','.join(str(n) for n in range(1, 5000))})").status_code == 200
    )
