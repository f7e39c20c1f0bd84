"""The demo's published password opens nothing to the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.security.app.streamlit_client import open_session, texts, websocket
from tests.support.app import AppUnderTest
from ui.shell import demo

CLOSED = "demo people, whose password is published"


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppUnderTest]:
    """Serve the app as somebody who has just cloned it does, on every address of the machine."""
    folder: Path = tmp_path_factory.mktemp("embedded")
    server = AppUnderTest({"LOCAL_SUPABASE_DATA_DIR": str(folder / "data")}, folder / "app.log")
    server.start()
    yield server
    server.stop()
    assert server.tracebacks() == []


def test_only_browsers_on_this_machine_get_in(embedded: AppUnderTest) -> None:
    port = urlsplit(embedded.url).port
    with websocket(f"127.0.0.1:{port}") as here:
        open_session(here)
        assert "Events" in texts(here, until="Events")
    with websocket(f"127.0.0.2:{port}") as elsewhere:
        open_session(elsewhere)
        assert CLOSED in texts(elsewhere, until=CLOSED)
    assert demo.PASSWORD not in embedded.log()
