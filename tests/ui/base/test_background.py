"""Threads of the interface: work survives its own faults, and a moment in which no thread can be started."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from livetables.faults import FAULTS
from ui.base.background import Threads


def no_thread(_: threading.Thread) -> None:
    """Fail as `Thread.start` does when the machine has no threads left."""
    raise RuntimeError("can't start new thread")


def test_a_fault_is_counted_and_later_work_goes_on() -> None:
    done = threading.Event()
    threads = Threads("test faults", 1)
    threads.start(lambda: 1 / 0)
    threads.start(done.set)
    assert done.wait(30)
    assert FAULTS.counts["test faults"] == 1
    threads.close()


def test_submitted_work_returns_or_raises() -> None:
    threads = Threads("test submitted", 1)
    assert threads.submit(divmod, 7, 2).result(30) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 7, 0).result(30)
    assert "test submitted" not in FAULTS.counts
    threads.close()


def test_work_waits_until_a_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    later: list[Callable[[], object]] = []
    threads = Threads("test starts", 1, lambda _seconds, function: later.append(function))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        answer = threads.submit(lambda: "done")
    assert not answer.done()
    later.pop()()
    assert answer.result(30) == "done"
    assert FAULTS.counts["test starts"] == 1
    threads.close()


def test_after_the_end_work_is_left_undone() -> None:
    threads = Threads("test end", 1)
    threads.close()
    threads.start(lambda: pytest.fail("It was started."))
    assert "test end" not in FAULTS.counts
