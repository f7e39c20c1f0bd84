"""Agents at work in the background: each run once, stoppable, and never left without an end."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from local_supabase.runtime import StackInfo
from publish import RunStatus, SyncAgentEventPublisher
from publish.background import Background, Busy, Project, Task
from tests.publish.conftest import Bench
from tests.support.wait import wait_for

SOON = timedelta(seconds=60)


@dataclass(slots=True)
class Worker:
    """An agent that counts how often it works, and goes on for as long as the test wants."""

    hold: threading.Event = field(default_factory=threading.Event)
    at_work: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    error: Exception | None = None
    says_how_it_ended: bool = True
    times: int = 0

    def work(self, task: Task) -> None:
        self.times += 1
        self.at_work.release()
        wait_for(lambda: self.hold.is_set() or task.over(), within=60, what="to go on")
        if self.error is not None:
            raise self.error
        if self.says_how_it_ended and not task.over():
            task.publisher.complete_run(task.run_id, {"times": self.times})


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close(timedelta(0))
    assert background.runs == frozenset()


def pending(bench: Bench) -> str:
    with SyncAgentEventPublisher(bench.proxy.url, bench.key, bench.token) as publisher:
        return publisher.start_run(agent_name="worker", status=RunStatus.PENDING)


def start(background: Background, bench: Bench, run: str, worker: Worker) -> bool:
    return background.start(run, worker.work, Project(bench.proxy.url, bench.key), bench.token)


def ended(bench: Bench, run: str) -> tuple[object, object]:
    row = bench.run(run)
    return row["status"], row["error"]


def test_a_run_is_worked_on_once_however_often_it_is_started(bench: Bench, worker: Worker) -> None:
    worker.hold.set()
    run = pending(bench)
    # As many processes would: each has its own, and the database decides.
    several = [Background() for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda one: start(one, bench, run, worker), several * 2))
    for one in several:
        assert one.wait(run, SOON)
    assert worker.times == 1
    assert ended(bench, run) == ("completed", None)
    assert bench.statuses(run) == ["pending", "in_progress", "completed"]


def test_a_claim_whose_answer_got_lost_still_counts(
    bench: Bench, background: Background, worker: Worker
) -> None:
    worker.hold.set()
    run = pending(bench)
    lost = iter([True])
    bench.proxy.loses_answer = lambda: next(lost, False)
    start(background, bench, run, worker)
    assert background.wait(run, SOON)
    assert next(lost, None) is None
    assert (worker.times, ended(bench, run)) == (1, ("completed", None))


def test_what_an_agent_raises_is_told(bench: Bench, background: Background, worker: Worker) -> None:
    worker.hold.set()
    worker.error = RuntimeError("out of ink")
    run = pending(bench)
    start(background, bench, run, worker)
    assert background.wait(run, SOON)
    assert ended(bench, run) == ("failed", "RuntimeError: out of ink")


def test_an_agent_that_just_stops_has_failed(bench: Bench, background: Background, worker: Worker) -> None:
    worker.hold.set()
    worker.says_how_it_ended = False
    run = pending(bench)
    start(background, bench, run, worker)
    assert background.wait(run, SOON)
    assert ended(bench, run) == ("failed", "The agent stopped without saying how it ended.")


def test_runs_that_end_in_time_are_let_end(bench: Bench, worker: Worker) -> None:
    background = Background()
    run = pending(bench)
    start(background, bench, run, worker)
    assert worker.at_work.acquire(timeout=60)
    closing = threading.Thread(target=background.close, args=(SOON,))
    closing.start()
    worker.hold.set()
    closing.join()
    assert ended(bench, run) == ("completed", None)


def test_runs_that_do_not_end_in_time_are_broken_off_and_those_that_wait_stay(
    bench: Bench, worker: Worker
) -> None:
    background = Background(at_once=1)
    run, waiting = pending(bench), pending(bench)
    start(background, bench, run, worker)
    assert worker.at_work.acquire(timeout=60)
    start(background, bench, waiting, worker)
    background.close(timedelta(0))
    assert ended(bench, run) == ("failed", "The server was stopped before the run had ended.")
    assert ended(bench, waiting) == ("pending", None)
    assert worker.times == 1
    assert not start(background, bench, waiting, worker)
    with pytest.raises(Busy):
        background.check_room()


def test_no_more_runs_wait_than_there_is_room_for(bench: Bench, worker: Worker) -> None:
    background = Background(at_once=1, waiting=1)
    first, second = pending(bench), pending(bench)
    start(background, bench, first, worker)
    assert worker.at_work.acquire(timeout=60)
    background.check_room()
    start(background, bench, second, worker)
    with pytest.raises(Busy):
        background.check_room()
    worker.hold.set()
    assert background.wait(second, SOON)
    background.close(SOON)
    assert ended(bench, second) == ("completed", None)


def test_the_end_of_a_run_outlives_an_outage_and_holds_up_no_other(
    stack: StackInfo, bench: Bench, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publish.background.PROMPTLY", timedelta(0))
    monkeypatch.setattr("publish.background.LAST_WORDS", timedelta(0))
    background = Background(at_once=1)
    first, second = pending(bench), pending(bench)
    start(background, bench, first, worker)
    assert worker.at_work.acquire(timeout=60)
    bench.proxy.refuse()
    worker.hold.set()
    other = Worker()
    other.hold.set()
    project = Project(stack.url, bench.key)  # which can be reached
    assert background.start(second, other.work, project, bench.token)
    assert background.wait(second, SOON)
    assert (ended(bench, first)[0], ended(bench, second)[0]) == ("in_progress", "completed")
    bench.proxy.accept()
    assert background.wait(first, SOON)
    assert ended(bench, first) == ("completed", None)
    background.close(SOON)
