"""Agents at work in threads of this process: each run once, stoppable, and never left without an end.

A run waits in the database as `pending`. The thread that begins it claims it first, so that asking twice, or
in two processes, still means that one works on it.
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

from publish.errors import Closed, PublishError
from publish.sync import SyncAgentEventPublisher
from publish.transport import TokenSource

MOST_AT_ONCE: Final = 8
MOST_WAITING: Final = 100
LAST_WORDS: Final = timedelta(seconds=3)
"""How long the end of a run that is broken off may take to be told."""
PROMPTLY: Final = timedelta(seconds=10)
"""How long the end of any run may take to be told before others are worked on meanwhile."""
LATEST: Final = timedelta(hours=1)
"""How long it may take at all: so long the database can be away, or the person's token be over."""

_LOOK: Final = timedelta(seconds=1)
_CLAIMING: Final = timedelta(minutes=5)
_BROKEN_OFF: Final = "The server was stopped before the run had ended."
_SILENT: Final = "The agent stopped without saying how it ended."

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Project:
    """Where runs are published: a Supabase project and its public key."""

    url: str
    key: str


class Task:
    """One run, as its agent sees it."""

    def __init__(self, run_id: str, publisher: SyncAgentEventPublisher, stopping: threading.Event) -> None:
        self.run_id: Final = run_id
        self.publisher: Final = publisher
        self._stopping = stopping

    def over(self) -> bool:
        """Whether to stop: somebody cancelled the run, or the process ends. Ask it between steps."""
        return self._stopping.is_set() or self.publisher.is_over(self.run_id)

    def rest(self, pause: timedelta) -> None:
        """Do nothing for a while, or until it has to stop."""
        self._stopping.wait(pause.total_seconds())


Work = Callable[[Task], None]
"""Does a run and says how it ended. May raise; then the run has failed with that."""


class Busy(PublishError):
    """So many runs wait in this process that another would wait too long."""

    def __init__(self) -> None:
        super().__init__("Too many runs are waiting here. Please try again in a moment.")


@dataclass(slots=True)
class _Job:
    run_id: str
    work: Work
    project: Project
    token: TokenSource
    stopping: threading.Event
    publisher: SyncAgentEventPublisher | None = None


class Background:
    """Every run that this process works on, or is going to. Thread-safe."""

    def __init__(self, *, at_once: int = MOST_AT_ONCE, waiting: int = MOST_WAITING) -> None:
        self._at_once = at_once
        self._most_waiting = waiting
        self._changed = threading.Condition()
        self._jobs: dict[str, _Job] = {}
        self._queue: deque[_Job] = deque()
        self._threads = 0
        self._closing = False

    @property
    def runs(self) -> frozenset[str]:
        """The ids of the runs that are not done with."""
        with self._changed:
            return frozenset(self._jobs)

    def check_room(self) -> None:
        """Raise `Busy` when another run should not be begun."""
        with self._changed:
            if self._closing or len(self._queue) >= self._most_waiting:
                raise Busy

    def start(self, run_id: str, work: Work, project: Project, token: TokenSource) -> bool:
        """Do the work of a run that is pending in the database; False when this process is at it, or ends."""
        with self._changed:
            if self._closing or run_id in self._jobs:
                return False
            job = _Job(run_id, work, project, token, threading.Event())
            self._jobs[run_id] = job
            self._queue.append(job)
            self._see_to_the_queue()
        return True

    def stop(self, run_id: str) -> None:
        """Tell the work of a run, if it is here, that nobody wants it any more."""
        with self._changed:
            if (job := self._jobs.get(run_id)) is not None:
                job.stopping.set()

    def wait(self, run_id: str, within: timedelta) -> bool:
        """Wait until this process is done with a run; False when it is not in this time."""
        with self._changed:
            return self._changed.wait_for(lambda: run_id not in self._jobs, within.total_seconds())

    def close(self, within: timedelta) -> None:
        """Let what runs end within this time, then break it off and say so where people look for it.

        Runs that have not begun stay pending, for whoever starts them next.
        """
        with self._changed:
            self._closing = True
            for job in self._queue:
                self._jobs.pop(job.run_id)
            self._queue.clear()
            if self._changed.wait_for(self._idle, within.total_seconds()):
                return
            left = [(job, job.publisher) for job in self._jobs.values()]
        for job, publisher in left:
            job.stopping.set()
            if publisher is not None:
                _fail(publisher, job.run_id, _BROKEN_OFF)
        with self._changed:
            if not self._changed.wait_for(self._idle, LAST_WORDS.total_seconds()):
                _log.warning("Runs that were not ended properly: %s", ", ".join(self._jobs))

    def _idle(self) -> bool:
        return not self._jobs

    def _see_to_the_queue(self) -> None:
        if self._queue and self._threads < self._at_once:
            self._threads += 1
            threading.Thread(target=self._work_on, name="agents", daemon=True).start()

    # In the threads.

    def _work_on(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._do(job)
            except PublishError as error:
                _log.warning("The run %s was not published to its end: %s", job.run_id, error)
            except Exception:
                _log.exception("The run %s was not done", job.run_id)
            finally:
                with self._changed:
                    self._jobs.pop(job.run_id, None)
                    self._changed.notify_all()

    def _next(self) -> _Job | None:
        with self._changed:
            if self._queue:
                return self._queue.popleft()
            self._threads -= 1
            return None

    def _do(self, job: _Job) -> None:
        publisher = SyncAgentEventPublisher(job.project.url, job.project.key, job.token)
        try:
            self._run(job, publisher)
            if not publisher.flush(PROMPTLY):
                self._tell_late(publisher)
        except Closed:
            pass  # the program ends
        finally:
            publisher.close(LAST_WORDS)

    def _run(self, job: _Job, publisher: SyncAgentEventPublisher) -> None:
        if job.stopping.is_set() or not publisher.claim_run(job.run_id, _CLAIMING):
            return
        with self._changed:
            job.publisher = publisher
        try:
            job.work(Task(job.run_id, publisher, job.stopping))
        except Closed:
            raise
        except Exception as error:
            # Whatever it is, people have to know of it, but not when the run was over anyway.
            if not publisher.is_over(job.run_id):
                _log.exception("The run %s failed", job.run_id)
                _fail(publisher, job.run_id, f"{type(error).__name__}: {error}")
        _fail(publisher, job.run_id, _BROKEN_OFF if self._closing else _SILENT)

    def _tell_late(self, publisher: SyncAgentEventPublisher) -> None:
        """Go on telling how a run has ended, while another thread takes this one's place."""
        with self._changed:
            self._threads -= 1
            self._see_to_the_queue()
        until = time.monotonic() + LATEST.total_seconds()
        while not self._closing and time.monotonic() < until and not publisher.flush(_LOOK):
            pass
        with self._changed:
            self._threads += 1


def _fail(publisher: SyncAgentEventPublisher, run_id: str, error: str) -> None:
    """Say that the run failed, unless it has ended, by itself or by a person who cancelled it."""
    if publisher.is_over(run_id):
        return
    try:
        publisher.fail_run(run_id, error)
    except PublishError as reason:
        _log.info("The run %s could not be called failed: %s", run_id, reason)
