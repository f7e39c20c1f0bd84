"""The publisher of agents' runs, for programs with an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, Unpack

import httpx

from db.agents.models import Level, RunStatus
from db.background import contained, record_fault, start_task
from publish.backoff import Backoff
from publish.errors import NotClaimedError, PublisherClosedError, UndeliveredError
from publish.reports import Reports
from publish.run_options import NewRun, RunOptions
from publish.spool import Spool
from publish.transport import TIMEOUT, Outcome, Result, TokenSource, Transport, project_of, token_source
from publish.unsent import Write

_log: Final = logging.getLogger(__name__)

_PLACE: Final = "agent events"

INTERVAL: Final = timedelta(milliseconds=250)
"""Reports within this time are sent together, however many they are."""
CLOSE_TIMEOUT: Final = timedelta(seconds=30)
"""How long `aclose` and `claim_run` wait for the database by default."""
EXIT_TIMEOUT: Final = timedelta(seconds=5)
"""How long a program that ends without closing its publisher may be held up."""


class AgentEventPublisher:
    """Publishes the runs of agents. Methods only take a report; a task of the publisher sends it.

    - `url` and `key` are the project's URL and its anon or publishable key. They default to `SUPABASE_URL`
      and `SUPABASE_KEY`.
    - `token` is the access token of the person who owns the runs, or a function that returns it. It defaults
      to the key: a backend for many people passes the service key, and names the owner of each run
      (`user_id`).
    - `interval`: reports within this time are sent together.
    - `spool` is the path of a file that belongs to this publisher alone. With it, unsent reports outlive the
      process: when `start_run`, `update_status`, `complete_run` or `fail_run` returns, they are on disk, and
      the next publisher with the same file sends them, once. `left_behind` are the unfinished runs in it.

    While the database is unreachable, reports are kept and retried. Progress is merged, changes of status are
    never dropped, and of log lines the oldest are dropped beyond `publish.unsent.MOST_EVENTS` rows.

    When somebody cancels a run, `status` shows it after the next write, and later reports of the run are
    ignored. An agent that can stop asks `is_over`. A program that ends without `aclose` waits a few seconds
    for unsent reports.

    Create and use it inside one running event loop. Raises `PublishError` if there is no project,
    `SpoolUnusableError` for the file; methods raise `UnknownRunError`, `IllegalTransitionError` and
    `PublisherClosedError` for misuse, and nothing for an outage.
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
        url, key = project_of(url, key)
        self._spool = None if spool is None else Spool(Path(spool))
        self._reports = Reports(self._on_change)
        self._outbox = self._reports.outbox
        self._interval = interval.total_seconds()
        self._http = httpx.AsyncClient(timeout=TIMEOUT)
        self._transport = Transport(url, key, token_source(token or key), self._http)
        self._has_work = asyncio.Event()
        self._flush_requested = asyncio.Event()
        self._all_sent = asyncio.Event()
        self._all_sent.set()
        self._closing = False
        restored = [] if self._spool is None else self._spool.load()
        for run in restored:
            self._outbox.restore(run)
        self._left_behind = [run.id for run in restored if not run.status.finished]
        self._task = start_task(self._run(), "agent event publisher")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def requests(self) -> int:
        """Requests sent to the database so far."""
        return self._transport.requests

    @property
    def left_behind(self) -> Sequence[str]:
        """Ids of runs in the spool that an earlier process did not finish: continue or fail them."""
        return [run_id for run_id in self._left_behind if self._outbox.is_active(run_id)]

    # Reports of agents.

    async def start_run(self, **options: Unpack[RunOptions]) -> str:
        """Start a run and return its id at once.

        Keywords: `agent_name` (required), `task_id`, `user_id`, `agent_id`, `metadata`, `retry_of`, `status`;
        see `publish.run_options.NewRun`. Raises `TypeError` for others.
        """
        run_id = self._reports.start(NewRun(**options))
        await self._save(run_id)
        return run_id

    async def join_run(self, run_id: str, status: RunStatus = RunStatus.PENDING) -> None:
        """Continue a run that is in the database already, with this status."""
        self._outbox.join(run_id, status)
        await self._save(run_id)

    async def claim_run(self, run_id: str, within: timedelta | None = CLOSE_TIMEOUT) -> bool:
        """Claim a pending run; False if somebody else has it, it has ended, or there is none.

        Of several workers that claim the same run exactly one gets it, even if answers get lost. This waits
        for the database up to `within` (None: without limit). Raises `NotClaimedError` if it did not answer.
        """
        mark = f"Taken over by worker {uuid.uuid4().hex[:12]}"
        result = Result(Outcome.RETRY, "there was no time to ask.")
        with contextlib.suppress(TimeoutError):
            async with _timeout(within):
                for pause in Backoff():
                    result = await self._transport.claim(run_id, mark)
                    if result.outcome is not Outcome.RETRY:
                        break
                    await asyncio.sleep(pause)
        if result.outcome in (Outcome.RETRY, Outcome.REFUSED):
            raise NotClaimedError(run_id, result.reason)
        if result.outcome is Outcome.SENT:
            await self.join_run(run_id, RunStatus.IN_PROGRESS)
        return result.outcome is Outcome.SENT

    async def update_progress(
        self,
        run_id: str,
        step: str | None = None,
        progress: float | None = None,
        *,
        tokens: int | None = None,
        cost_usd: Decimal | float | None = None,
    ) -> None:
        """Report the current step, the progress in percent, and tokens and US dollars used so far.

        None leaves a value as it is, and so does one that is no number, negative or too large. A pending run
        becomes `in_progress`.
        """
        was_pending = self._outbox.status(run_id) is RunStatus.PENDING
        self._reports.progress(run_id, step, progress, tokens, cost_usd)
        if was_pending:
            await self._save(run_id)

    async def update_status(
        self, run_id: str, status: RunStatus | str, step: str | None = None, *, evidence: object = None
    ) -> None:
        """Report a change of status. `evidence` of a verification (any JSON) is added to earlier evidence.

        Raises `IllegalTransitionError` where the flow does not allow it, `ValueError` for an unknown status.
        """
        self._reports.move(run_id, status, step, evidence)
        await self._save(run_id)

    async def complete_run(self, run_id: str, result: object = None) -> None:
        """Report success. `result` is any JSON up to 200 kB. Raises `IllegalTransitionError`."""
        self._reports.complete(run_id, result)
        await self._save(run_id)

    async def fail_run(self, run_id: str, error: str) -> None:
        """Report failure and its reason, up to 5,000 characters. Raises `IllegalTransitionError`."""
        self._reports.fail(run_id, error)
        await self._save(run_id)

    async def log(self, run_id: str, text: str, level: Level | str = Level.INFO) -> None:
        """Add a line of up to 20,000 characters to the log. Raises `ValueError` for an unknown level."""
        self._reports.log(run_id, text, level)

    async def heartbeat(self, run_id: str) -> None:
        """Report that the agent is alive. A run without any report for 60 s counts as stuck."""
        self._outbox.heartbeat(run_id)

    def status(self, run_id: str) -> RunStatus:
        """Return the status of the run, as far as this publisher knows it."""
        return self._outbox.status(run_id)

    def is_over(self, run_id: str) -> bool:
        """Return whether the run is finished, for instance because somebody cancelled it."""
        return self._outbox.status(run_id).finished

    def problem(self, run_id: str) -> str | None:
        """Return why the database refused a part of this run; None if it took everything."""
        return self._outbox.problem(run_id)

    # Sending.

    async def flush(self, within: timedelta | None = None) -> bool:
        """Send everything now; return False if that took longer than `within` (None: no limit)."""
        self._flush_requested.set()
        self._has_work.set()
        with contextlib.suppress(TimeoutError):
            async with _timeout(within):
                await self._all_sent.wait()
        return self._all_sent.is_set()

    async def aclose(self, within: timedelta | None = CLOSE_TIMEOUT) -> None:
        """Send what is left and close. None retries until everything is sent.

        Raises `UndeliveredError` if reports are lost; with a spool none are.
        """
        if self._http.is_closed:
            return
        self._closing = True
        await self.flush(within)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._http.aclose()
        unsent = self._outbox.unsent()
        if self._spool is not None:
            for run_id in unsent:
                await self._save(run_id)
            self._spool.close()
        elif unsent:
            raise UndeliveredError(unsent)

    def _on_change(self) -> None:
        if self._http.is_closed:
            raise PublisherClosedError
        self._all_sent.clear()
        self._has_work.set()

    async def _run(self) -> None:
        try:
            await self._send_forever()
        except asyncio.CancelledError:
            # If it is not `aclose` that cancels, the event loop is about to end.
            if not self._closing:
                await self._send_before_exit()
            raise

    async def _send_before_exit(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with _timeout(EXIT_TIMEOUT):
                for pause in Backoff():
                    if await self._deliver():
                        return
                    await asyncio.sleep(pause)
        _log.warning("Not sent before the end: %s", UndeliveredError(self._outbox.unsent()))

    async def _send_forever(self) -> None:
        backoff = Backoff()
        while True:
            await self._has_work.wait()
            await self._wait_for_more()
            self._has_work.clear()
            delivered = False
            with contained(_PLACE):  # such as a spool on a full disk
                delivered = await self._deliver()
            if delivered:
                backoff.reset()
                continue
            self._has_work.set()
            await asyncio.sleep(next(backoff))

    async def _wait_for_more(self) -> None:
        """Let more reports come in before sending, unless somebody flushes."""
        # Not wait_for(), which on Python 3.11 can swallow the cancellation of this task.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._interval):
                await self._flush_requested.wait()

    async def _deliver(self) -> bool:
        """Send everything; return False if something has to be retried."""
        while runs := self._outbox.unsent():
            results = await asyncio.gather(
                *(self._deliver_run(run_id) for run_id in runs), return_exceptions=True
            )
            for error in results:
                if isinstance(error, BaseException):
                    raise error
            if not all(results):
                return False
        self._flush_requested.clear()
        self._all_sent.set()
        return True

    async def _deliver_run(self, run_id: str) -> bool:
        while (write := self._outbox.take(run_id)) is not None:
            try:
                result = await self._transport.send(write)
            except Exception as error:
                # A bug of ours must not end the task while other runs wait to be finished.
                record_fault(_PLACE, error)
                result = Result(Outcome.RETRY, repr(error))
            except BaseException:
                self._outbox.put_back(write)  # cancelled: it counts as undelivered
                raise
            self._apply(write, result)
            # The spool is saved before the next write is sent. So at most one write of it has arrived, and
            # sending that one again does no harm.
            await self._save(run_id)
            if result.outcome is Outcome.RETRY:
                return False
        return True

    async def _save(self, run_id: str) -> None:
        if self._spool is not None:
            await asyncio.to_thread(self._spool.save, run_id, partial(self._outbox.to_json, run_id))

    def _apply(self, write: Write, result: Result) -> None:
        match result.outcome:
            case Outcome.SENT:
                self._outbox.mark_sent(write)
            case Outcome.RETRY:
                self._outbox.put_back(write)
            case Outcome.REFUSED:
                _log.error("The database refused a part of run %s: %s", write.run_id, result.reason)
                self._outbox.mark_refused(write, result.reason)
            case Outcome.CLOSED:
                self._outbox.mark_closed(write.run_id, result.status or RunStatus.CANCELLED)


def _timeout(within: timedelta | None) -> asyncio.Timeout:
    return asyncio.timeout(None if within is None else within.total_seconds())
