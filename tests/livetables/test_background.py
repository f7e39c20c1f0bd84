"""An event loop on a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from livetables.background import Background, running, spawn, start_daemon, start_task
from livetables.faults import FAULTS
from tests.support.wait import wait_for


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background("test")
    background.start(lambda: None)
    yield background
    if not background.loop.is_closed():
        background.stop(_nothing)


async def _nothing() -> None:
    """Finish at once."""


def test_functions_run_on_the_loops_thread(background: Background) -> None:
    threads: list[str] = []
    background.call(lambda: threads.append(threading.current_thread().name))
    background.call_later(0, lambda: threads.append(threading.current_thread().name))
    wait_for(lambda: len(threads) == 2, what="both calls")
    assert set(threads) == {"test"}


def test_a_coroutine_returns_its_result_raises_its_error_or_times_out(background: Background) -> None:
    async def fail() -> None:
        raise LookupError

    async def forever() -> None:
        await asyncio.Event().wait()

    async def answer() -> int:
        return 7

    assert background.result(answer(), 10) == 7
    with pytest.raises(LookupError):
        background.result(fail(), 10)
    with pytest.raises(TimeoutError):
        background.result(forever(), 0)


def test_stopping_cancels_the_tasks_then_runs_the_last_step(background: Background) -> None:
    steps: list[str] = []
    started = threading.Event()

    async def work() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            steps.append("cancelled")

    async def last() -> None:
        steps.append("last")

    background.call(lambda: background.spawn(work()))
    assert started.wait(10)
    background.stop(last)
    background.call(lambda: steps.append("called too late"))
    assert steps == ["cancelled", "last"]


async def test_work_beside_a_block_ends_with_it() -> None:
    ended: list[str] = []

    async def forever(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async with running(forever("one"), forever("two")) as tasks:
        await asyncio.sleep(0)
        assert [task.done() for task in tasks] == [False, False]
    assert ended == ["one", "two"]


async def test_what_nobody_awaits_is_recorded_when_it_fails() -> None:
    async def fail() -> None:
        raise LookupError

    await spawn("test spawn", fail())
    assert FAULTS.counts["test spawn"] == 1
    with pytest.raises(LookupError):
        await start_task(fail())


def test_a_task_of_the_loop_that_fails_is_recorded(background: Background) -> None:
    async def fail() -> None:
        raise LookupError

    before = FAULTS.counts.get("engine", 0)
    background.call(lambda: background.spawn(fail()))
    wait_for(lambda: FAULTS.counts.get("engine", 0) > before, what="the fault")
    assert FAULTS.counts["engine"] == before + 1


def no_thread(_: threading.Thread) -> None:
    """Fail as `Thread.start` does when the machine has no threads left."""
    raise RuntimeError("can't start new thread")


def test_a_daemon_says_whether_it_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    assert start_daemon("test daemon", done.set)
    assert done.wait(30)
    assert start_daemon("test daemon", lambda: 1 / 0)
    wait_for(lambda: FAULTS.counts.get("test daemon") == 1, what="the fault to be counted")
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    assert not start_daemon("test daemon", done.set)
    assert FAULTS.counts["test daemon"] == 2
