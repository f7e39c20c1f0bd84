"""The guard before every route: a limit for bodies, a log without secrets, an answer to every failure."""

import json
import logging
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from api.settings import LARGEST_BODY
from local_supabase.stack.runtime import StackInfo
from tests.api.serving import calling, served, token_of
from tests.support.app import AppUnderTest
from tests.support.people import Person
from tests.support.wait import wait_for


def test_large_bodies_are_refused(as_ann: httpx.Client) -> None:
    body = json.dumps({"agent": "docs-checker", "task_id": "x" * LARGEST_BODY}).encode()
    headers = {"Content-Type": "application/json"}

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    for content in (body, pieces()):  # with a Content-Length, and without
        answer = as_ann.post("/agents/run", content=content, headers=headers)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == f"The body is too large: up to {LARGEST_BODY:,} bytes are taken."


def test_an_endless_body_is_refused_at_the_limit(server: AppUnderTest, ann: Person) -> None:
    host, port = urlsplit(server.url).hostname, urlsplit(server.url).port
    assert host is not None
    assert port is not None
    head = (
        "POST /api/agents/run HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token_of(ann)}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"1000\r\n" + b" " * 0x1000 + b"\r\n"
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.sendall(head.encode())
        for _ in range(LARGEST_BODY // 0x1000 + 1):
            connection.sendall(chunk)
        assert connection.recv(12) == b"HTTP/1.1 413"


@pytest.mark.parametrize(("length", "status"), [(LARGEST_BODY + 1, b"413"), ("1e9", b"400"), (-1, b"400")])
def test_an_invalid_length_is_refused_before_the_body_arrives(
    server: AppUnderTest, length: object, status: bytes
) -> None:
    with socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port or 0)) as bare:
        bare.sendall(f"POST /api/agents/run HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        bare.settimeout(60)
        assert bare.recv(12) == b"HTTP/1.1 " + status


def test_the_log_has_every_request_and_no_secrets(server: AppUnderTest, ann: Person) -> None:
    token, secret = token_of(ann), "hunter2-very-secret"
    with calling(server.url, token) as client:
        client.get("/agents/runs", params={"agent": secret, "access_token": token})
        client.post("/agents/run", json={"agent": "docs-checker", "task_id": secret, "password": secret})
        client.post("/agents/run", content=secret, headers={"Content-Type": "application/json"})
        answer = client.get("/agents/runs/forged%1b%20line", headers={"X-Secret": secret})
    with calling(server.url, token + secret) as client:
        assert client.get("/agents/runs").status_code == 401
    wait_for(lambda: answer.headers["x-request-id"] in server.log(), what="the request in the log")
    log = server.log()
    assert "GET /api/agents/runs 422 " in log
    assert "POST /api/agents/run 422 " in log
    assert ann.user_id in log
    assert "forged" in log
    assert "\x1b" not in log
    for part in (secret, token, token.split(".")[1], token.split(".")[2]):
        assert part not in log


def test_what_machines_ask_all_the_time_is_logged_only_if_it_breaks(
    stack: StackInfo, caplog: pytest.LogCaptureFixture
) -> None:
    with served(stack.url, stack.anon_key) as api, calling(api.url) as client:

        @api.app.get("/broken/health")
        async def broken() -> None:
            raise RuntimeError("the cause")

        with caplog.at_level(logging.INFO, "tavern.api"):
            assert client.get("/health").status_code == 503
            assert client.get("/broken/health").status_code == 500
            wait_for(lambda: "GET /api/broken/health 500" in caplog.text, what="the request in the log")
    assert "GET /api/health" not in caplog.text


def test_an_internal_error_is_answered_without_its_cause(
    stack: StackInfo, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with served(stack.url, stack.anon_key) as api, calling(api.url, token_of(ann)) as client:

        @api.app.get("/broken")
        async def broken() -> None:
            raise RuntimeError("the cause")

        with caplog.at_level(logging.INFO, "tavern.api"):
            answer = client.get("/broken")
            # The line is written after the answer has gone out.
            line = f"{answer.headers['x-request-id']} GET /api/broken 500"
            wait_for(lambda: line in caplog.text, what="the request in the log")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "the cause" not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["detail"]
    assert "the cause" in caplog.text
    assert token_of(ann) not in caplog.text


def test_answers_forbid_caching(as_ann: httpx.Client) -> None:
    answer = as_ann.get("/agents/runs")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
