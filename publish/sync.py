"""The publisher of agents' runs, for programs without an event loop."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures.thread  # noqa: F401  # registers the end of the executors
import logging
import threading
import time
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar, Unpack

from db.agents.models import Level, RunStatus
from db.background import start_daemon
from publish.errors import PublisherClosedError, PublishError
from publish.publisher import CLOSE_TIMEOUT, EXIT_TIMEOUT, INTERVAL, AgentEventPublisher
from publish.run_options import RunOptions
from publish.transport import TokenSource

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)


class SyncAgentEventPublisher:
    """`AgentEventPublisher` for any thread; it runs in a thread of its own. Close it, or use `with`.

    The arguments and errors are those of `AgentEventPublisher`. Publishers that are open when the program
    ends are closed then, within a few seconds.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        token: TokenSource | str | None = None,
        *,
        interval: timedelta = INTERVAL,
        spool: Path | str | None = None,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon, so that a program that forgets to close can still end.
        thread = start_daemon("agent events", self._loop.run_forever)
        if thread is None:
            self._loop.close()
            raise PublishError("No thread can be started to publish with. Please try again.")
        self._thread = thread
        self._closed = False
        _open_publishers.add(self)

        async def make() -> AgentEventPublisher:
            return AgentEventPublisher(url, key, token, interval=interval, spool=spool)

        try:
            self._publisher = self._wait(make())
        except BaseException:
            self._stop_loop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def requests(self) -> int:
        """Requests sent to the database so far."""
        return self._publisher.requests

    @property
    def left_behind(self) -> Sequence[str]:
        """Ids of runs in the spool that an earlier process did not finish: continue or fail them."""
        return self._publisher.left_behind

    def start_run(self, **options: Unpack[RunOptions]) -> str:
        """Start a run and return its id at once.

        Keywords: `agent_name` (required), `task_id`, `user_id`, `agent_id`, `metadata`, `retry_of`, `status`;
        see `publish.run_options.NewRun`. Raises `TypeError` for others.
        """
        return self._wait(self._publisher.start_run(**options))

    def join_run(self, run_id: str, status: RunStatus = RunStatus.PENDING) -> None:
        """Continue a run that is in the database already, with this status."""
        self._wait(self._publisher.join_run(run_id, status))

    def claim_run(self, run_id: str, within: timedelta | None = CLOSE_TIMEOUT) -> bool:
        """Claim a pending run; False if somebody else has it, it has ended, or there is none.

        Waits for the database up to `within` (None: without limit). Raises `NotClaimedError` if it did not
        answer.
        """
        return self._wait(self._publisher.claim_run(run_id, within))

    def update_progress(
        self,
        run_id: str,
        step: str | None = None,
        progress: float | None = None,
        *,
        tokens: int | None = None,
        cost_usd: Decimal | float | None = None,
    ) -> None:
        """Report the current step, the progress in percent, and tokens and US dollars used so far.

        None leaves a value as it is. A pending run becomes `in_progress`.
        """
        self._wait(self._publisher.update_progress(run_id, step, progress, tokens=tokens, cost_usd=cost_usd))

    def update_status(
        self, run_id: str, status: RunStatus | str, step: str | None = None, *, evidence: object = None
    ) -> None:
        """Report a change of status. `evidence` of a verification (any JSON) is added to earlier evidence.

        Raises `IllegalTransitionError` where the flow does not allow it, `ValueError` for an unknown status.
        """
        self._wait(self._publisher.update_status(run_id, status, step, evidence=evidence))

    def complete_run(self, run_id: str, result: object = None) -> None:
        """Report success. `result` is any JSON up to 200 kB. Raises `IllegalTransitionError`."""
        self._wait(self._publisher.complete_run(run_id, result))

    def fail_run(self, run_id: str, error: str) -> None:
        """Report failure and its reason, up to 5,000 characters. Raises `IllegalTransitionError`."""
        self._wait(self._publisher.fail_run(run_id, error))

    def log(self, run_id: str, text: str, level: Level | str = Level.INFO) -> None:
        """Add a line of up to 20,000 characters to the log. Raises `ValueError` for an unknown level."""
        self._wait(self._publisher.log(run_id, text, level))

    def heartbeat(self, run_id: str) -> None:
        """Report that the agent is alive. A run without any report for 60 s counts as stuck."""
        self._wait(self._publisher.heartbeat(run_id))

    def status(self, run_id: str) -> RunStatus:
        """Return the status of the run, as far as this publisher knows it."""
        return self._publisher.status(run_id)

    def is_over(self, run_id: str) -> bool:
        """Return whether the run is finished, for instance because somebody cancelled it."""
        return self._publisher.is_over(run_id)

    def problem(self, run_id: str) -> str | None:
        """Return why the database refused a part of this run; None if it took everything."""
        return self._publisher.problem(run_id)

    def flush(self, within: timedelta | None = None) -> bool:
        """Send everything now; return False if that took longer than `within` (None: no limit)."""
        return self._wait(self._publisher.flush(within))

    def close(self, within: timedelta | None = CLOSE_TIMEOUT) -> None:
        """Send what is left and close. None retries until everything is sent.

        Raises `UndeliveredError` if reports are lost; with a spool none are.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._wait(self._publisher.aclose(within))
        finally:
            self._stop_loop()

    def _stop_loop(self) -> None:
        _open_publishers.discard(self)
        self._wait(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, coroutine: Coroutine[object, object, T]) -> T:
        if self._loop.is_closed():
            coroutine.close()
            raise PublisherClosedError
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


_open_publishers: Final[set[SyncAgentEventPublisher]] = set()


def _close_at_exit() -> None:
    deadline = time.monotonic() + EXIT_TIMEOUT.total_seconds()
    for publisher in tuple(_open_publishers):
        try:
            publisher.close(timedelta(seconds=max(0.0, deadline - time.monotonic())))
        except PublishError as error:
            _log.warning("A publisher was not closed before the end: %s", error)


# Functions of `atexit` run after the executors have ended, and without an executor asyncio resolves no names.
# `threading._register_atexit` calls the newest function first, so this one runs before the executors end.
getattr(threading, "_register_atexit", atexit.register)(_close_at_exit)
