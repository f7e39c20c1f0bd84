"""The publisher for programs with an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from db.agent_models import Level, RunStatus
from publish.errors import Closed, NotClaimed, Undelivered
from publish.reports import Reports
from publish.spool import Spool
from publish.transport import Answer, Fate, TokenSource, Transport, project_of, source_of
from publish.unsent import Parcel

_log: Final = logging.getLogger(__name__)

INTERVAL: Final = timedelta(milliseconds=250)
"""What is said within this time is sent together, however much it is."""
LONGEST_RETRY: Final = timedelta(seconds=15)
CLOSING: Final = timedelta(seconds=30)
AT_EXIT: Final = timedelta(seconds=5)
"""How long what is left may take when a program ends without having closed its publisher."""
_FIRST_RETRY: Final = 0.25
_TIMEOUT: Final = httpx.Timeout(10.0, connect=4.0)


class AgentEventPublisher:
    """Publishes the runs of agents. Methods only note what is said; a task of this publisher sends it.

    - `url` and `key` are the project's, its anon or publishable key; what is not given is read from
      `SUPABASE_URL` and `SUPABASE_KEY`. `token` is, or gives, the access token of the person whose runs these
      are. Without one it is the key: in a backend for many people the service key, and then each run says
      whose it is (`user_id`).
    - While the database cannot be reached, everything is kept and tried again. Log lines beyond
      `publish.unsent.MOST_EVENTS` rows are dropped, oldest first; progress is merged; changes of status are
      never dropped.
    - When somebody cancels the run, `status` says so after the next write, and what is said of it from then
      on counts for nothing. An agent that wants to stop then asks `is_over`.

    - A program that ends without `aclose` gives what is left a few seconds.
    - With a `spool`, a file of this publisher's own, what is not sent outlives the process, however it ends.
      When `start_run`, `update_status`, `complete_run` or `fail_run` returns, the file has it, and the next
      publisher with the same file sends it, once. `left_behind` are the runs that were going on.

    Made and used inside one running loop. Raises `PublishError` for misuse.
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
        self._reports = Reports(self._news)
        self._outbox = self._reports.outbox
        self._interval = interval.total_seconds()
        self._http = httpx.AsyncClient(timeout=_TIMEOUT)
        self._transport = Transport(url, key, source_of(token or key), self._http)
        self._wanted = asyncio.Event()
        self._hurry = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closing = False
        left = [] if self._spool is None else self._spool.load()
        for run in left:
            self._outbox.restore(run)
        self._left_behind = [run.id for run in left if not run.status.finished]
        self._task = asyncio.create_task(self._run(), name="agent event publisher")

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
        """Runs in the spool that the process before did not end: go on with them, or fail them."""
        return [run_id for run_id in self._left_behind if self._outbox.goes_on(run_id)]

    # What agents say.

    async def start_run(
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
        run_id = self._reports.start(
            agent_name,
            task_id=task_id,
            user_id=user_id,
            agent_id=agent_id,
            metadata=metadata,
            retry_of=retry_of,
            status=status,
        )
        await self._keep(run_id)
        return run_id

    async def join_run(self, run_id: str, status: RunStatus = RunStatus.PENDING) -> None:
        """Go on with a run that is in the database already, in this status."""
        self._outbox.join(run_id, status)
        await self._keep(run_id)

    async def claim_run(self, run_id: str, within: timedelta | None = CLOSING) -> bool:
        """Take over a run that waits; False when somebody else has, it has ended, or there is none.

        Of several workers that ask for the same run exactly one gets it, also when answers get lost. This
        waits for the database, up to `within`. Raises `NotClaimed` when it does not answer until then.
        """
        mark = f"Taken over by worker {uuid.uuid4().hex[:12]}"
        answer = Answer(Fate.LATER, "there was no time to ask.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if within is None else within.total_seconds()):
                for pause in _pauses():
                    answer = await self._transport.claim(run_id, mark)
                    if answer.fate is not Fate.LATER:
                        break
                    await asyncio.sleep(pause)
        if answer.fate in (Fate.LATER, Fate.REFUSED):
            raise NotClaimed(run_id, answer.reason)
        if answer.fate is Fate.SENT:
            await self.join_run(run_id, RunStatus.IN_PROGRESS)
        return answer.fate is Fate.SENT

    async def update_progress(
        self,
        run_id: str,
        step: str | None = None,
        progress: float | None = None,
        *,
        tokens: int | None = None,
        cost_usd: Decimal | float | None = None,
    ) -> None:
        """Say what it is doing (a new step begins), how far it is in percent, what it has used so far."""
        begins = self._outbox.status(run_id) is RunStatus.PENDING
        self._reports.progress(run_id, step, progress, tokens, cost_usd)
        if begins:
            await self._keep(run_id)

    async def update_status(
        self, run_id: str, status: RunStatus | str, step: str | None = None, *, evidence: object = None
    ) -> None:
        """Move the run on in its flow; `evidence` of a verification is added to what is there."""
        self._reports.move(run_id, status, step, evidence)
        await self._keep(run_id)

    async def complete_run(self, run_id: str, result: object = None) -> None:
        """Say that it is done; `result` is anything JSON can hold."""
        self._reports.complete(run_id, result)
        await self._keep(run_id)

    async def fail_run(self, run_id: str, error: str) -> None:
        """Say that it failed, and why."""
        self._reports.fail(run_id, error)
        await self._keep(run_id)

    async def log(self, run_id: str, text: str, level: Level | str = Level.INFO) -> None:
        """Add a line to its log."""
        self._reports.log(run_id, text, level)

    async def heartbeat(self, run_id: str) -> None:
        """Say that it is alive, where nothing else is said for long: after 60 s it is taken for stuck."""
        self._outbox.beat(run_id)

    def status(self, run_id: str) -> RunStatus:
        """Return the run's status, as far as this publisher knows it."""
        return self._outbox.status(run_id)

    def is_over(self, run_id: str) -> bool:
        """Whether the run is finished, for instance because a person cancelled it."""
        return self._outbox.status(run_id).finished

    def problem(self, run_id: str) -> str | None:
        """Return what the database refused of this run, None when it took everything."""
        return self._outbox.problem(run_id)

    # Sending.

    async def flush(self, within: timedelta | None = None) -> bool:
        """Send everything now; False when it could not be done in this time."""
        self._hurry.set()
        self._wanted.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if within is None else within.total_seconds()):
                await self._empty.wait()
        return self._empty.is_set()

    async def aclose(self, within: timedelta | None = CLOSING) -> None:
        """Send what is left and end; None tries until it is done.

        Raises `Undelivered` for what is lost; with a spool, nothing is.
        """
        if self._http.is_closed:
            return
        self._closing = True
        await self.flush(within)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._http.aclose()
        left = self._outbox.unsent()
        if self._spool is not None:
            for run_id in left:
                await self._keep(run_id)
            self._spool.close()
        elif left:
            raise Undelivered(left)

    def _news(self) -> None:
        if self._http.is_closed:
            raise Closed
        self._empty.clear()
        self._wanted.set()

    async def _run(self) -> None:
        try:
            await self._send_for_ever()
        except asyncio.CancelledError:
            # Not by `aclose`: the loop is about to end.
            if not self._closing:
                await self._send_the_last()
            raise

    async def _send_the_last(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AT_EXIT.total_seconds()):
                for pause in _pauses():
                    if await self._deliver():
                        return
                    await asyncio.sleep(pause)
        _log.warning("Not sent before the end: %s", Undelivered(self._outbox.unsent()))

    async def _send_for_ever(self) -> None:
        pauses = _pauses()
        while True:
            await self._wanted.wait()
            await self._gather()
            self._wanted.clear()
            if await self._deliver():
                pauses = _pauses()
                continue
            self._wanted.set()
            await asyncio.sleep(next(pauses))

    async def _gather(self) -> None:
        """Let more come in before it is sent, unless somebody waits for it."""
        # Not wait_for(), which in Python 3.11 can swallow the cancelling of this task.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._interval):
                await self._hurry.wait()

    async def _deliver(self) -> bool:
        """Send what waits; False when something has to be tried again."""
        while runs := self._outbox.unsent():
            if not all(await asyncio.gather(*(self._deliver_run(run_id) for run_id in runs))):
                return False
        self._hurry.clear()
        self._empty.set()
        return True

    async def _deliver_run(self, run_id: str) -> bool:
        while (parcel := self._outbox.take(run_id)) is not None:
            try:
                answer = await self._transport.send(parcel)
            except Exception as error:
                # A fault of ours must not end the task, with the ends of other runs in it.
                _log.exception("A part of run %s could not be sent", run_id)
                answer = Answer(Fate.LATER, repr(error))
            except BaseException:
                self._outbox.back(parcel)  # also when cancelled: then it counts as undelivered
                raise
            self._settle(parcel, answer)
            # Before anything else is sent of it: of what is kept, one parcel at most may have arrived, and
            # that one does no harm a second time.
            await self._keep(run_id)
            if answer.fate is Fate.LATER:
                return False
        return True

    async def _keep(self, run_id: str) -> None:
        if self._spool is not None:
            await asyncio.to_thread(self._spool.keep, run_id, partial(self._outbox.kept, run_id))

    def _settle(self, parcel: Parcel, answer: Answer) -> None:
        match answer.fate:
            case Fate.SENT:
                self._outbox.sent(parcel)
            case Fate.LATER:
                self._outbox.back(parcel)
            case Fate.REFUSED:
                _log.error("The database refused a part of run %s: %s", parcel.run_id, answer.reason)
                self._outbox.refused(parcel, answer.reason)
            case Fate.CLOSED:
                self._outbox.closed(parcel.run_id, answer.status or RunStatus.CANCELLED)


def _pauses() -> Iterator[float]:
    """Give the seconds between tries, longer and longer, each a little by chance."""
    pause = _FIRST_RETRY
    while True:
        yield random.uniform(pause / 2, pause)  # noqa: S311 - spreads retries, no secret
        pause = min(pause * 2, LONGEST_RETRY.total_seconds())
