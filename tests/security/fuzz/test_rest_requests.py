"""Every filter operator, query parameter, header and argument of REST, with values that hurt."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.fuzz.pace import Pace
from tests.security.fuzz.values import anything, header, hostile, text, value
from tests.security.matrix.expected import FUNCTIONS
from tests.supabase_schema import people_access, ratings_access

TABLES = sorted(people_access.TABLE.tables | ratings_access.TABLE.tables)
OPERATORS = (
    "eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "in", "is", "isdistinct",
    "fts", "plfts", "phfts", "wfts", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj",
)  # fmt: skip
COLUMNS = (
    "id", "user_id", "body", "title", "display_name", "created_at", "version", "metadata", "metadata->a",
    "metadata->>a->b", "row_key->>id", "capacity", "status", "tags", "users.id", "nowhere", "*", "count()",
)  # fmt: skip
PARAMETERS = (
    "select",
    "order",
    "limit",
    "offset",
    "on_conflict",
    "columns",
    "and",
    "or",
    "not.and",
    "not.or",
)
TERMS = (
    "*", "id", "id::text", "a:id", "users(*)", "users!inner(id)", "...users(id)", "count()", "id.sum()",
    "metadata->a", "id.desc.nullslast", "id.asc", "(id.eq.1,id.gt.2)", "(not.and(id.eq.1))", "users(id).desc",
)  # fmt: skip
HEADERS = (
    "Prefer", "Range", "Range-Unit", "Accept", "Content-Type", "Accept-Profile", "Content-Profile",
    "Authorization", "apikey", "Accept-Encoding", "X-Forwarded-For", "If-None-Match", "Cookie",
)  # fmt: skip
HEADER_VALUES = (
    "count=exact", "count=planned", "return=representation", "resolution=merge-duplicates", "max-affected=0",
    "handling=strict, timezone=nowhere", "tx=rollback", "missing=default", "0-", "5-1", "items=0-9",
    "application/vnd.pgrst.object+json", "application/vnd.pgrst.plan+json; options=analyze", "text/csv",
    "application/geo+json", "application/octet-stream", "*/*;q=2", "public", "private", "Bearer a.b.c",
)  # fmt: skip


def _quoted(given_value: str) -> str:
    return quote(given_value.encode("utf-8", "surrogatepass"), safe="")


operators = st.builds(
    lambda negated, operator, more: ("not." if negated else "") + operator + more,
    st.booleans(),
    st.sampled_from(OPERATORS),
    st.sampled_from(("", "", "(any)", "(all)", "(english)", "(nowhere)")),
)
values = value | st.lists(value, max_size=4).map(lambda parts: "(" + ",".join(parts) + ")")
filters = st.tuples(
    st.sampled_from(COLUMNS) | text,
    st.builds("{}.{}".format, operators, values | values.map("{{{}}}".format)),
)
parameters = st.tuples(
    st.sampled_from(PARAMETERS),
    hostile | st.lists(st.sampled_from(TERMS) | text, max_size=5).map(",".join),
)
queries = st.lists(filters | parameters, min_size=1, max_size=4).map(
    lambda pairs: "&".join(f"{_quoted(name)}={_quoted(given_value)}" for name, given_value in pairs)
)
headers = st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(HEADER_VALUES) | header, max_size=3)


@pytest.fixture(scope="module")
def pace(http: httpx.Client) -> Pace:
    return Pace(lambda: http.get("/rest/v1/users?select=id&limit=1"))


def assert_clean(answer: httpx.Response) -> None:
    """The answer is a success, or an error with a message."""
    assert answer.status_code < 500 or answer.status_code == 501, answer.text
    assert "Traceback" not in answer.text
    if answer.status_code >= 400 and answer.content:
        assert "message" in answer.json()


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(table=st.sampled_from(TABLES), query=queries)
def test_every_operator_and_parameter(http: httpx.Client, pace: Pace, table: str, query: str) -> None:
    assert_clean(pace.keep(lambda: http.get(f"/rest/v1/{table}?{query}")))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(("GET", "HEAD", "POST", "PATCH", "PUT", "OPTIONS")),
    table=st.sampled_from(TABLES),
    body=st.dictionaries(st.sampled_from(COLUMNS) | text, anything, max_size=4) | anything,
    more=headers,
)
def test_every_header_and_body(
    http: httpx.Client, pace: Pace, method: str, table: str, body: object, more: dict[str, str]
) -> None:
    content = json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **more}
    # The filter keeps changes away from rows that other tests use.
    path = f"/rest/v1/{table}?version=eq.-1"
    assert_clean(pace.keep(lambda: http.request(method, path, content=content, headers=sent)))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(data=st.data(), name=st.sampled_from(sorted(FUNCTIONS)))
def test_every_argument_of_every_function(
    http: httpx.Client, pace: Pace, data: st.DataObject, name: str
) -> None:
    arguments = data.draw(st.fixed_dictionaries(dict.fromkeys(FUNCTIONS[name].arguments, anything)))
    content = json.dumps(arguments).encode()
    sent = {"Content-Type": "application/json"}
    assert_clean(pace.keep(lambda: http.post(f"/rest/v1/rpc/{name}", content=content, headers=sent)))
