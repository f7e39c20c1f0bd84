"""What anybody can send to the server of the app, without signing in."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.security.app.streamlit_client import open_session, texts, websocket
from tests.support.app import AppUnderTest


def _netloc(server: AppUnderTest) -> str:
    return urlsplit(server.url).netloc


def _upload(server: AppUnderTest, session: str, size: int) -> httpx.Response:
    address = f"{server.url}/_stcore/upload_file/{session}/{uuid.uuid4()}"
    return httpx.put(address, files={"file": ("a.bin", b"x" * size)}, timeout=60)


def test_a_visitor_fills_no_memory_with_uploads(server: AppUnderTest) -> None:
    with websocket(_netloc(server)) as opened:
        session = open_session(opened)
        assert _upload(server, session, 10).status_code == 403
        assert _upload(server, session, 5_000_000).status_code == 403


def test_a_visitor_fills_no_memory_with_messages(server: AppUnderTest) -> None:
    """What a page sends of its widgets is kept as long as its session."""
    request = BackMsg()
    request.rerun_script.widget_states.widgets.add(id="w", string_value="x" * 3_000_000)
    with websocket(_netloc(server)) as opened:
        assert open_session(opened)
        opened.send(request.SerializeToString())
        opened.ping().wait(60)
        request.rerun_script.widget_states.widgets.add(id="v", string_value="x" * 3_000_000)
        opened.send(request.SerializeToString())
        with pytest.raises(ConnectionClosedError) as closed:
            texts(opened, "no text")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_nobody_uploads_for_a_session_that_does_not_exist(server: AppUnderTest) -> None:
    assert _upload(server, str(uuid.uuid4()), 10).status_code == 403


@pytest.mark.parametrize("path", ["/", "/people", "/api/docs"])
def test_pages_load_pictures_from_their_own_server_only(server: AppUnderTest, path: str) -> None:
    page = httpx.get(server.url + path)
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"] == "img-src 'self' data: blob:"


def test_the_metrics_of_the_server_are_not_public(server: AppUnderTest) -> None:
    assert httpx.get(f"{server.url}/_stcore/metrics").status_code == 404
    assert httpx.get(f"{server.url}/_stcore/health").text == "ok"


OTHERS = ["http://localhost:1", "https://evil.example", "null", "https://{}", "http://{}@{}", "http://{}/"]


@pytest.mark.parametrize("origin", OTHERS)
def test_a_page_of_somebody_else_gets_no_websocket(server: AppUnderTest, origin: str) -> None:
    """It would come with the cookie of the person who looks at that page."""
    netloc = _netloc(server)
    with pytest.raises(InvalidStatus) as refused, websocket(netloc, origin.replace("{}", netloc)):
        pass
    assert refused.value.response.status_code == 403


def test_a_page_of_this_server_gets_one(server: AppUnderTest) -> None:
    with websocket(_netloc(server), f"http://{_netloc(server)}") as opened:
        assert open_session(opened)


def test_a_page_behind_a_proxy_that_ends_tls_gets_one(server: AppUnderTest) -> None:
    page = f"https://{_netloc(server)}"
    with websocket(_netloc(server), page, {"X-Forwarded-Proto": "https"}) as opened:
        assert open_session(opened)


def test_a_page_of_somebody_else_uploads_nothing(server: AppUnderTest) -> None:
    address = f"{server.url}/_stcore/upload_file/session/file"
    answer = httpx.put(address, files={"file": b"x"}, headers={"Origin": "http://localhost:1"})
    assert answer.status_code == 403
