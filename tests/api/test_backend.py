"""The way to the database while it is being opened."""

import threading

import pytest

from api.backend import Backend, Threads, opened
from api.errors import Away


async def test_nobody_waits_without_end_for_a_start_that_takes_long() -> None:
    started = threading.Event()

    def start() -> Backend:
        started.wait(60)
        raise Away

    try:
        with pytest.raises(Away, match="still starting"):
            await opened(Threads(), start, within=0.05)
        assert not started.is_set()
    finally:
        started.set()
