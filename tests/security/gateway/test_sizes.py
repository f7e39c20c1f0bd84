"""Requests that are large or costly, with a visitor's rights."""

from collections.abc import Iterator

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo

MEGABYTE = b" " * 1_000_000


def send(stack: StackInfo, path: str, content: Iterator[bytes] | bytes | None = None) -> httpx.Response:
    method = "GET" if content is None else "POST"
    headers = {"apikey": stack.anon_key, "Content-Type": "application/json"}
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
