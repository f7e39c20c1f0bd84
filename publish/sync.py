"""The publisher for programs without an event loop."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures.thread  # noqa: F401  # registers the end of the executors
import logging
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from db.agent_models import Level, RunStatus
from publish.errors import Closed, PublishError
from publish.publisher import AT_EXIT, CLOSING, INTERVAL, AgentEventPublisher
from publish.transport import TokenSource

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)


class SyncAgentEventPublisher:
    """As `AgentEventPublisher`, for any thread; a thread of its own sends. Close it, or use `with`.

    What is open when the program ends is closed then, and given a few seconds.
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
        # Daemon: a program that forgets to close must still be able to end.
        self._thread = threading.Thread(target=self._loop.run_forever, name="agent events", daemon=True)
        self._thread.start()
        self._closed = False
        _open.add(self)

        async def make() -> AgentEventPublisher:
            return AgentEventPublisher(url, key, token, interval=interval, spool=spool)

        try:
            self._publisher = self._wait(make())
        except BaseException:
            self._end()
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
        """Runs in the spool that the process before did not end: go on with them, or fail them."""
        return self._publisher.left_behind

    def start_run(
        self,
        *,
        agent_name: str,
        task_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        metadata: Mapping[str, object] | None = None,
        retry_of: str | None = None,
        status: RunStatus = RunStatus.IN_PROGRESS,
    ) -> str:
        """Start a run and return its id, at once. `pending` says that its agent is not at work yet."""
        return self._wait(
            self._publisher.start_run(
                agent_name=agent_name,
                task_id=task_id,
                user_id=user_id,
                agent_id=agent_id,
                metadata=metadata,
                retry_of=retry_of,
                status=status,
            )
        )

    def join_run(self, run_id: str, status: RunStatus = RunStatus.PENDING) -> None:
        """Go on with a run that is in the database already, in this status."""
        self._wait(self._publisher.join_run(run_id, status))

    def claim_run(self, run_id: str, within: timedelta | None = CLOSING) -> bool:
        """Take over a run that waits; False when somebody else has, it has ended, or there is none.

        Waits for the database, up to `within`. Raises `NotClaimed` when it does not answer until then.
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
        """Say what it is doing (a new step begins), how far it is in percent, what it has used so far."""
        self._wait(self._publisher.update_progress(run_id, step, progress, tokens=tokens, cost_usd=cost_usd))

    def update_status(
        self, run_id: str, status: RunStatus | str, step: str | None = None, *, evidence: object = None
    ) -> None:
        """Move the run on in its flow; `evidence` of a verification is added to what is there."""
        self._wait(self._publisher.update_status(run_id, status, step, evidence=evidence))

    def complete_run(self, run_id: str, result: object = None) -> None:
        """Say that it is done; `result` is anything JSON can hold."""
        self._wait(self._publisher.complete_run(run_id, result))

    def fail_run(self, run_id: str, error: str) -> None:
        """Say that it failed, and why."""
        self._wait(self._publisher.fail_run(run_id, error))

    def log(self, run_id: str, text: str, level: Level | str = Level.INFO) -> None:
        """Add a line to its log."""
        self._wait(self._publisher.log(run_id, text, level))

    def heartbeat(self, run_id: str) -> None:
        """Say that it is alive, where nothing else is said for long: after 60 s it is taken for stuck."""
        self._wait(self._publisher.heartbeat(run_id))

    def status(self, run_id: str) -> RunStatus:
        """Return the run's status, as far as this publisher knows it."""
        return self._publisher.status(run_id)

    def is_over(self, run_id: str) -> bool:
        """Whether the run is finished, for instance because a person cancelled it."""
        return self._publisher.is_over(run_id)

    def problem(self, run_id: str) -> str | None:
        """Return what the database refused of this run, None when it took everything."""
        return self._publisher.problem(run_id)

    def flush(self, within: timedelta | None = None) -> bool:
        """Send everything now; False when it could not be done in this time."""
        return self._wait(self._publisher.flush(within))

    def close(self, within: timedelta | None = CLOSING) -> None:
        """Send what is left and end; None tries until it is done.

        Raises `Undelivered` for what is lost; with a spool, nothing is.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._wait(self._publisher.aclose(within))
        finally:
            self._end()

    def _end(self) -> None:
        _open.discard(self)
        self._wait(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, coroutine: Coroutine[object, object, T]) -> T:
        if self._loop.is_closed():
            coroutine.close()
            raise Closed
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


_open: Final[set[SyncAgentEventPublisher]] = set()


def _at_exit() -> None:
    deadline = time.monotonic() + AT_EXIT.total_seconds()
    for publisher in tuple(_open):
        try:
            publisher.close(timedelta(seconds=max(0.0, deadline - time.monotonic())))
        except PublishError as error:
            _log.warning("A publisher was not closed before the end: %s", error)


# Not by `atexit` where it can be: by then no executor takes work, and without one no name is resolved.
# What is registered here is called before what was registered earlier, which is the end of the executors.
getattr(threading, "_register_atexit", atexit.register)(_at_exit)
