"""Agents in background threads: each run once, stoppable, and never left unfinished."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from local_supabase.stack.runtime import StackInfo
from publish import RunStatus, SyncAgentEventPublisher
from publish.background import Background, BusyError, Project, Task
from tests.publish.conftest import Bench
from tests.support.wait import wait_for

SOON = timedelta(seconds=60)


@dataclass(slots=True)
class Worker:
    """An agent that counts its runs and works until the test lets it finish."""

    may_finish: threading.Event = field(default_factory=threading.Event)
    at_work: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    error: Exception | None = None
    reports_end: bool = True
    runs: int = 0

    def work(self, task: Task) -> None:
        self.runs += 1
        self.at_work.release()
        wait_for(
            lambda: self.may_finish.is_set() or task.should_stop(), within=60, what="permission to finish"
        )
        if self.error is not None:
            raise self.error
        if self.reports_end and not task.should_stop():
            task.publisher.complete_run(task.run_id, {"runs": self.runs})


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


def end_of(bench: Bench, run: str) -> tuple[object, object]:
    row = bench.run(run)
    return row["status"], row["error"]


def test_a_run_started_several_times_is_done_once(bench: Bench, worker: Worker) -> None:
    worker.may_finish.set()
    run = pending(bench)
    # Each stands for a process; the database decides which of them gets the run.
    several = [Background() for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda one: start(one, bench, run, worker), several * 2))
    for one in several:
        assert one.wait(run, SOON)
    assert worker.runs == 1
    assert end_of(bench, run) == ("completed", None)
    assert bench.statuses(run) == ["pending", "in_progress", "completed"]


def test_a_claim_counts_even_if_its_answer_is_lost(
    bench: Bench, background: Background, worker: Worker
) -> None:
    worker.may_finish.set()
    run = pending(bench)
    lost = iter([True])
    bench.proxy.loses_answer = lambda: next(lost, False)
    start(background, bench, run, worker)
    assert background.wait(run, SOON)
    assert next(lost, None) is None
    assert (worker.runs, end_of(bench, run)) == (1, ("completed", None))


def test_an_exception_of_the_agent_fails_the_run(
    bench: Bench, background: Background, worker: Worker
) -> None:
    worker.may_finish.set()
    worker.error = RuntimeError("out of ink")
    run = pending(bench)
    start(background, bench, run, worker)
    assert background.wait(run, SOON)
    assert end_of(bench, run) == ("failed", "RuntimeError: out of ink")


def test_a_run_whose_agent_reports_no_end_fails(bench: Bench, background: Background, worker: Worker) -> None:
    worker.may_finish.set()
    worker.reports_end = False
    run = pending(bench)
    start(background, bench, run, worker)
    assert background.wait(run, SOON)
    assert end_of(bench, run) == ("failed", "The agent stopped without saying how it ended.")


def test_closing_waits_for_runs_that_end_in_time(bench: Bench, worker: Worker) -> None:
    background = Background()
    run = pending(bench)
    start(background, bench, run, worker)
    assert worker.at_work.acquire(timeout=60)
    closing = threading.Thread(target=background.close, args=(SOON,))
    closing.start()
    worker.may_finish.set()
    closing.join()
    assert end_of(bench, run) == ("completed", None)


def test_closing_aborts_slow_runs_and_leaves_queued_ones_pending(bench: Bench, worker: Worker) -> None:
    background = Background(most_running=1)
    run, waiting = pending(bench), pending(bench)
    start(background, bench, run, worker)
    assert worker.at_work.acquire(timeout=60)
    start(background, bench, waiting, worker)
    background.close(timedelta(0))
    assert end_of(bench, run) == ("failed", "The server was stopped before the run had ended.")
    assert end_of(bench, waiting) == ("pending", None)
    assert worker.runs == 1
    assert not start(background, bench, waiting, worker)
    with pytest.raises(BusyError):
        background.check_room()


def test_a_full_queue_takes_no_more_runs(bench: Bench, worker: Worker) -> None:
    background = Background(most_running=1, most_queued=1)
    first, second = pending(bench), pending(bench)
    start(background, bench, first, worker)
    assert worker.at_work.acquire(timeout=60)
    background.check_room()
    start(background, bench, second, worker)
    with pytest.raises(BusyError):
        background.check_room()
    worker.may_finish.set()
    assert background.wait(second, SOON)
    background.close(SOON)
    assert end_of(bench, second) == ("completed", None)


def test_the_end_of_a_run_survives_an_outage_and_blocks_no_other_run(
    stack: StackInfo, bench: Bench, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publish.background.QUICK_FLUSH", timedelta(0))
    monkeypatch.setattr("publish.background.CLOSE_TIMEOUT", timedelta(0))
    background = Background(most_running=1)
    first, second = pending(bench), pending(bench)
    start(background, bench, first, worker)
    assert worker.at_work.acquire(timeout=60)
    bench.proxy.refuse()
    worker.may_finish.set()
    other = Worker()
    other.may_finish.set()
    project = Project(stack.url, bench.key)  # past the proxy, so reachable
    assert background.start(second, other.work, project, bench.token)
    assert background.wait(second, SOON)
    assert (end_of(bench, first)[0], end_of(bench, second)[0]) == ("in_progress", "completed")
    bench.proxy.accept()
    assert background.wait(first, SOON)
    assert end_of(bench, first) == ("completed", None)
    background.close(SOON)


def test_runs_survive_a_moment_without_threads(
    bench: Bench, background: Background, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    worker.may_finish.set()
    first, second = pending(bench), pending(bench)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        assert start(background, bench, first, worker)
    assert start(background, bench, second, worker)
    assert background.wait(first, SOON)
    assert background.wait(second, SOON)
    assert {end_of(bench, run)[0] for run in (first, second)} == {"completed"}
