"""Any request gets a well-formed response: never a 500, never a crash, always JSON or nothing."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_supabase.stack.runtime import StackInfo
from tests.support.stack import running_stack

PLACES = (
    "/rest/v1/",
    "/rest/v1/users",
    "/rest/v1/events",
    "/rest/v1/rpc/changes_since",
    "/auth/v1/token",
    "/auth/v1/signup",
    "/auth/v1/user",
    "/auth/v1/admin/users",
    "/auth/v1/verify",
    "/storage/v1/bucket",
    "/storage/v1/object/",
    "/realtime/v1/api/broadcast",
    "/functions/v1/",
    "/",
)
WORDS = [
    "select",
    "id",
    "eq.",
    "in.",
    "not.",
    "or",
    "and",
    "(",
    ")",
    ",",
    ".",
    ":",
    "*",
    "!",
    "->",
    "->>",
    "::",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    ";",
    "--",
    "/*",
    "null",
    "true",
    "0",
    "-1",
    "1e999",
    "limit",
    "offset",
    "order",
    "count=exact",
    "password",
    "refresh_token",
    "grant_type",
    "public",
    "pg_catalog",
    "%00",
    "%ff",
    "..",
    "/",
    "\\",
    "users",
    "events(*)",
    ")",
    "union",
    "select",
    "1",
]
WILD = st.one_of(st.sampled_from(WORDS), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
TEXTS = st.lists(WILD, max_size=8).map("".join)
QUERIES = st.lists(st.tuples(TEXTS, TEXTS), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
BODIES = st.one_of(
    st.binary(max_size=60), TEXTS.map(str.encode), JSON.map(lambda value: json.dumps(value).encode())
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
TYPES = st.sampled_from(
    [
        "application/json",
        "text/csv",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "x/y",
        "",
    ]
)
PREFERENCES = st.sampled_from(
    ["", "return=representation,count=exact", "resolution=merge-duplicates", "handling=strict,x=y"]
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request with random parts."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes
    content_type: str
    prefer: str

    @property
    def target(self) -> str:
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in self.query)
        return f"{quote(self.path, safe='/%')}?{query}"


REQUESTS = st.builds(
    Request,
    method=METHODS,
    path=st.tuples(st.sampled_from(PLACES), TEXTS).map("".join),
    query=QUERIES,
    body=BODIES,
    content_type=TYPES,
    prefer=PREFERENCES,
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """A stack of its own, because some requests change and delete rows."""
    with running_stack(tmp_path_factory.mktemp("fuzz") / "data") as info:
        yield info


@pytest.fixture(scope="module")
def connection(stack: StackInfo) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=30)
    yield opened
    opened.close()


@pytest.mark.parametrize("key", ["anon", "service"])
@settings(max_examples=200, deadline=None)
@given(request=REQUESTS)
def test_any_request_gets_a_well_formed_response(
    stack: StackInfo,
    connection: http.client.HTTPConnection,
    key: str,
    request: Request,
) -> None:
    token = stack.anon_key if key == "anon" else stack.service_key
    headers = {
        "apikey": token,
        "Authorization": f"Bearer {token}",
        "Content-Type": request.content_type,
        "Prefer": request.prefer,
    }
    connection.request(request.method, request.target, body=request.body, headers=headers)
    response = connection.getresponse()
    text = response.read()
    assert response.status < 500 or response.status == 501, (request, response.status, text)
    if text and "json" in (response.headers["content-type"] or ""):
        json.loads(text)


@settings(max_examples=100, deadline=None)
@given(name=TEXTS, value=TEXTS.filter(lambda text: text.isascii() and text.isprintable()))
def test_any_token_is_refused_without_a_server_error(
    stack: StackInfo, connection: http.client.HTTPConnection, name: str, value: str
) -> None:
    for header in ("apikey", "Authorization"):
        headers = {"apikey": stack.anon_key, header: value}
        connection.request("GET", f"/rest/v1/users?{quote(name)}={quote(value)}", headers=headers)
        response = connection.getresponse()
        response.read()
        assert response.status < 500, (header, value)
