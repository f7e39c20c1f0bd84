"""Opening the backend with the first request."""

import threading

import pytest

from api.backend import Backend, Threads, open_backend
from api.errors import ServiceUnavailableError


async def test_a_request_does_not_wait_forever_for_a_slow_start() -> None:
    started = threading.Event()

    def start() -> Backend:
        started.wait(60)
        raise ServiceUnavailableError

    try:
        with pytest.raises(ServiceUnavailableError, match="still starting"):
            await open_backend(Threads(), start, within=0.05)
        assert not started.is_set()
    finally:
        started.set()
