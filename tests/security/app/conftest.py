"""The server as strangers see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_supabase.stack.runtime import StackInfo
from tests.support.app import AppUnderTest


@pytest.fixture(scope="session")
def server(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppUnderTest]:
    """Serve the app and the API as `make run` does."""
    environment = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
    server = AppUnderTest(environment, tmp_path_factory.mktemp("security") / "app.log")
    server.start()
    yield server
    server.stop()
    assert server.tracebacks() == []
