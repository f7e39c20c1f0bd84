"""Threads and tasks of the programs' packages, and the faults that they survived."""

import threading
from collections.abc import Iterator

import pytest

from db.background import (
    contained,
    log_first,
    record_fault,
    record_faults_with,
    start_daemon,
    start_task,
)
from tests.support.wait import wait_for

Faults = list[tuple[str, type[BaseException]]]


@pytest.fixture
def recorded() -> Iterator[Faults]:
    """Collect the faults."""
    faults: Faults = []
    record_faults_with(lambda place, error: faults.append((place, type(error))))
    yield faults
    record_faults_with(log_first)


def test_a_fault_is_logged_once_for_each_kind(caplog: pytest.LogCaptureFixture) -> None:
    for error in (ValueError("one"), ValueError("two"), KeyError("three")):
        with contained("test place"):
            raise error
    logged = [record for record in caplog.records if record.name.startswith("db")]
    assert [record.exc_info is not None for record in logged] == [True, True]


def test_a_program_may_take_note_of_faults_itself(recorded: Faults, caplog: pytest.LogCaptureFixture) -> None:
    for error in (ValueError(),):
        with contained("test place"):
            raise error
    record_fault("test task", KeyError())
    assert recorded == [("test place", ValueError), ("test task", KeyError)]
    assert [record for record in caplog.records if record.name.startswith("db")] == []


def test_a_daemon_records_what_it_raises(recorded: Faults) -> None:
    thread = start_daemon("test thread", lambda: 1 / 0)
    assert thread is not None
    assert (thread.name, thread.daemon) == ("test thread", True)
    wait_for(lambda: recorded == [("test thread", ZeroDivisionError)], what="the fault")


@pytest.mark.parametrize(
    ("reason", "faults"), [("can't start new thread", 1), ("can't start new thread at shutdown", 0)]
)
def test_when_no_thread_can_be_started_there_is_none(
    monkeypatch: pytest.MonkeyPatch, recorded: Faults, reason: str, faults: int
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError(reason)

    monkeypatch.setattr(threading.Thread, "start", fail)
    assert start_daemon(reason, lambda: None) is None
    assert recorded == [(reason, RuntimeError)] * faults


async def test_a_task_has_the_name_of_its_place() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("work")

    task = start_task(work(), "test task")
    assert task.get_name() == "test task"
    await task
    assert done == ["work"]
