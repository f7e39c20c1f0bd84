"""Runs agents in threads of this process: each run once, stoppable, and never left unfinished.

A run waits in the database as `pending`. The thread that starts it claims it first. So two requests for the
same run, even in two processes, make one worker.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from db.background import record_fault, start_daemon
from publish.errors import PublisherClosedError, PublishError
from publish.sync import SyncAgentEventPublisher
from publish.transport import TokenSource

MOST_RUNNING: Final = 8
MOST_QUEUED: Final = 100
CLOSE_TIMEOUT: Final = timedelta(seconds=3)
"""How long sending the end of an aborted run may take."""
QUICK_FLUSH: Final = timedelta(seconds=10)
"""How long sending the end of a run may hold a worker thread."""
LONGEST_FLUSH: Final = timedelta(hours=1)
"""How long sending the end of a run is retried: the database may be away, or the token expired."""

_FLUSH_STEP: Final = timedelta(seconds=1)
_CLAIM_TIMEOUT: Final = timedelta(minutes=5)
_ABORTED: Final = "The server was stopped before the run had ended."
_NO_END: Final = "The agent stopped without saying how it ended."

_PLACE: Final = "agents"

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Project:
    """The Supabase project where runs are published: its URL and public key."""

    url: str
    key: str


class Task:
    """One run, as its agent sees it: the id, a publisher for reports, and whether to stop."""

    def __init__(self, run_id: str, publisher: SyncAgentEventPublisher, stop: threading.Event) -> None:
        self.run_id: Final = run_id
        self.publisher: Final = publisher
        self._stop = stop

    def should_stop(self) -> bool:
        """Return whether somebody cancelled the run, or the process ends. Ask between two steps."""
        return self._stop.is_set() or self.publisher.is_over(self.run_id)

    def pause(self, duration: timedelta) -> None:
        """Wait for this long, or until the run should stop."""
        self._stop.wait(duration.total_seconds())


Work = Callable[[Task], None]
"""Does a run and reports its end. If it raises, the run fails with that error."""


class BusyError(PublishError):
    """So many runs wait in this process that another one would wait too long."""

    def __init__(self) -> None:
        super().__init__("Too many runs are waiting here. Please try again in a moment.")


@dataclass(slots=True)
class _Job:
    run_id: str
    work: Work
    project: Project
    token: TokenSource
    stop: threading.Event
    publisher: SyncAgentEventPublisher | None = None


class Background:
    """The runs that this process works on or has queued. Thread-safe.

    - `most_running` is the number of runs at work at the same time, `most_queued` of those that wait.
    """

    def __init__(self, *, most_running: int = MOST_RUNNING, most_queued: int = MOST_QUEUED) -> None:
        self._most_running = most_running
        self._most_queued = most_queued
        self._changed = threading.Condition()
        self._jobs: dict[str, _Job] = {}
        self._queue: deque[_Job] = deque()
        self._threads = 0
        self._closing = False

    @property
    def runs(self) -> frozenset[str]:
        """The ids of the runs that are queued or at work."""
        with self._changed:
            return frozenset(self._jobs)

    def check_room(self) -> None:
        """Raise `BusyError` if the queue is full or the process ends."""
        with self._changed:
            if self._closing or len(self._queue) >= self._most_queued:
                raise BusyError

    def start(self, run_id: str, work: Work, project: Project, token: TokenSource) -> bool:
        """Queue the work of a pending run. Return False if this process has it already, or ends.

        `token` gives access tokens of the run's owner.
        """
        with self._changed:
            if self._closing or run_id in self._jobs:
                return False
            job = _Job(run_id, work, project, token, threading.Event())
            self._jobs[run_id] = job
            self._queue.append(job)
            self._start_worker_if_needed()
        return True

    def stop(self, run_id: str) -> None:
        """Ask the work of a run to stop, if this process has it."""
        with self._changed:
            if (job := self._jobs.get(run_id)) is not None:
                job.stop.set()

    def wait(self, run_id: str, within: timedelta) -> bool:
        """Wait until this process is done with a run; return False if that takes longer than `within`."""
        with self._changed:
            return self._changed.wait_for(lambda: run_id not in self._jobs, within.total_seconds())

    def close(self, within: timedelta) -> None:
        """Let running work end within this time, then abort it and publish that it failed.

        Queued runs stay pending in the database, where somebody else can start them.
        """
        with self._changed:
            self._closing = True
            for job in self._queue:
                self._jobs.pop(job.run_id)
            self._queue.clear()
            if self._changed.wait_for(self._idle, within.total_seconds()):
                return
            running = [(job, job.publisher) for job in self._jobs.values()]
        for job, publisher in running:
            job.stop.set()
            if publisher is not None:
                _fail_if_open(publisher, job.run_id, _ABORTED)
        with self._changed:
            if not self._changed.wait_for(self._idle, CLOSE_TIMEOUT.total_seconds()):
                _log.warning("Runs that were not ended properly: %s", ", ".join(self._jobs))

    def _idle(self) -> bool:
        return not self._jobs

    def _start_worker_if_needed(self) -> None:
        if self._queue and self._threads < self._most_running and start_daemon(_PLACE, self._work):
            self._threads += 1

    # In the worker threads.

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            try:
                self._run_job(job)
            except PublishError as error:
                _log.warning("The run %s was not published to its end: %s", job.run_id, error)
            except Exception as error:
                record_fault(_PLACE, error)
            finally:
                with self._changed:
                    self._jobs.pop(job.run_id, None)
                    self._changed.notify_all()

    def _next_job(self) -> _Job | None:
        with self._changed:
            if self._queue:
                return self._queue.popleft()
            self._threads -= 1
            return None

    def _run_job(self, job: _Job) -> None:
        publisher = SyncAgentEventPublisher(job.project.url, job.project.key, job.token)
        try:
            self._run_agent(job, publisher)
            if not publisher.flush(QUICK_FLUSH):
                self._flush_without_slot(publisher)
        except PublisherClosedError:
            pass  # the program ends
        finally:
            publisher.close(CLOSE_TIMEOUT)

    def _run_agent(self, job: _Job, publisher: SyncAgentEventPublisher) -> None:
        if job.stop.is_set() or not publisher.claim_run(job.run_id, _CLAIM_TIMEOUT):
            return
        with self._changed:
            job.publisher = publisher
        try:
            job.work(Task(job.run_id, publisher, job.stop))
        except PublisherClosedError:
            raise
        except Exception as error:
            # An agent may raise anything. The board shows it, unless the run had ended already.
            if not publisher.is_over(job.run_id):
                _log.exception("The run %s failed", job.run_id)
                _fail_if_open(publisher, job.run_id, f"{type(error).__name__}: {error}")
        _fail_if_open(publisher, job.run_id, _ABORTED if self._closing else _NO_END)

    def _flush_without_slot(self, publisher: SyncAgentEventPublisher) -> None:
        """Keep sending the end of a run, while another thread takes this one's slot."""
        with self._changed:
            self._threads -= 1
            self._start_worker_if_needed()
        deadline = time.monotonic() + LONGEST_FLUSH.total_seconds()
        while not self._closing and time.monotonic() < deadline and not publisher.flush(_FLUSH_STEP):
            pass
        with self._changed:
            self._threads += 1


def _fail_if_open(publisher: SyncAgentEventPublisher, run_id: str, error: str) -> None:
    """Report that the run failed, unless it has ended by itself or was cancelled."""
    if publisher.is_over(run_id):
        return
    try:
        publisher.fail_run(run_id, error)
    except PublishError as reason:
        _log.info("The failure of run %s could not be reported: %s", run_id, reason)
