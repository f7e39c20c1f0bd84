"""Requests that are large or costly, with a visitor's rights."""

from collections.abc import Iterator

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo

MEGABYTE = b" " * 1_000_000
JSON, FORM, CSV = "application/json", "application/x-www-form-urlencoded", "text/csv"
KEYS = b"{%s}" % b",".join(b'"key_%d":1' % number for number in range(100_000))
PAIRS = b"&".join([b"key=1"] * 300_000)


def send(
    stack: StackInfo, path: str, content: Iterator[bytes] | bytes | None = None, kind: str = JSON
) -> httpx.Response:
    method = "GET" if content is None else "POST"
    headers = {"apikey": stack.anon_key, "Content-Type": kind}
    return httpx.request(method, f"{stack.url}{path}", content=content, headers=headers, timeout=60)


@pytest.mark.parametrize(
    "query",
    [
        "select=" + "id," * 8000 + "id",
        "order=" + "id," * 8000 + "id",
        "or=(" + "id.eq.1," * 3000 + "id.eq.1)",
        "&".join(["id=eq.1"] * 3000),
    ],
    ids=["select", "order", "or", "filters"],
)
def test_many_terms_are_refused_in_postgrests_form(stack: StackInfo, query: str) -> None:
    response = send(stack, f"/rest/v1/users?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "PGRST100")
    assert response.json().keys() == {"code", "message", "details", "hint"}


def test_a_long_address_is_refused(stack: StackInfo) -> None:
    response = send(stack, "/rest/v1/users?select=" + "id," * 20_000 + "id")
    assert response.status_code == 414
    assert response.json().keys() == {"code", "message", "details", "hint"}


def test_large_headers_are_refused(stack: StackInfo) -> None:
    headers = {"apikey": stack.anon_key, "Prefer": "count=exact," * 3500}
    assert httpx.get(f"{stack.url}/rest/v1/users", headers=headers).status_code == 431


@pytest.mark.parametrize("path", ["/rest/v1/users", "/rest/v1/rpc/anything", "/realtime/v1/api/broadcast"])
def test_a_large_body_is_refused_whether_or_not_its_length_is_declared(stack: StackInfo, path: str) -> None:
    declared = send(stack, path, MEGABYTE * 12)
    streamed = send(stack, path, iter([MEGABYTE] * 12))
    assert (declared.status_code, streamed.status_code) == (413, 413)
    assert "larger than" in streamed.json()["message"]


@pytest.mark.parametrize(
    ("path", "kind", "content", "status", "message"),
    [
        pytest.param("users", JSON, KEYS, 400, "More than 1600 fields in one row", id="object"),
        pytest.param("users", JSON, b"[%s]" % KEYS, 400, "More than 1600 fields in one row", id="row"),
        pytest.param("users", FORM, PAIRS, 400, "More than 1600 fields in one row", id="form"),
        pytest.param("rpc/anything", FORM, PAIRS, 400, "More than 1600 fields in one row", id="arguments"),
        pytest.param("users", CSV, b"a," * 100_000, 400, "More than 1600 fields in one row", id="csv"),
        pytest.param(
            "rpc/anything",
            JSON,
            KEYS,
            404,
            "Could not find the function public.anything with these parameters in the schema cache",
            id="call",
        ),
    ],
)
def test_many_fields_are_refused_before_they_are_built(
    stack: StackInfo, path: str, kind: str, content: bytes, status: int, message: str
) -> None:
    response = send(stack, f"/rest/v1/{path}", content, kind)
    assert (response.status_code, response.json()["message"]) == (status, message)
    assert len(response.content) < 1000


def test_many_broadcasts_are_refused_before_they_are_built(stack: StackInfo) -> None:
    content = b'{"messages": [%s]}' % b",".join([b"{}"] * 300_000)
    response = send(stack, "/realtime/v1/api/broadcast", content)
    assert response.status_code == 429
    assert response.json()["message"] == "Too many messages to broadcast, please reduce the batch size"


@pytest.mark.parametrize("path", ["broadcast", "broadcast/room/events/hello"])
def test_a_broadcast_of_very_many_arrays_is_refused_before_it_is_built(stack: StackInfo, path: str) -> None:
    payload = b",".join([b"[]"] * 300_000)
    content = b'{"messages": [{"topic": "room", "event": "hello", "payload": {"a": [%s]}}]}' % payload
    response = send(stack, f"/realtime/v1/api/{path}", content)
    assert response.status_code == 422
    assert "is invalid" in response.text
