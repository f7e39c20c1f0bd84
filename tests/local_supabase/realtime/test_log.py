"""What the log must not hold."""

import logging

import pytest

from tests.local_supabase.realtime.client import connect
from tests.local_supabase.realtime.conftest import Realtime, token


async def test_keys_of_handshakes_are_not_logged(
    realtime: Realtime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    key = token("service_role")
    async with connect(realtime.url, key) as client:
        await client.join("room", access_token=key)
    assert key not in caplog.text
