"""Tasks and threads of the embedded Supabase."""

import logging
import threading

import pytest

from local_supabase.background import spawn, start_task, start_thread, thread_pool

_log = logging.getLogger(__name__)


async def _fail() -> None:
    raise LookupError


async def test_a_task_that_nobody_awaits_is_logged_when_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    await spawn(_fail(), "sweeping", _log)
    assert "sweeping" in caplog.text


async def test_a_task_that_somebody_awaits_raises() -> None:
    with pytest.raises(LookupError):
        await start_task(_fail(), "work")


def test_threads_and_pools_do_the_work() -> None:
    done = threading.Event()
    thread = start_thread("thread", done.set)
    assert done.wait(30)
    assert thread.daemon
    with thread_pool("pool", 1) as pool:
        assert pool.submit(divmod, 7, 2).result(30) == (3, 1)
