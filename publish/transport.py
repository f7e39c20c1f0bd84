"""Sends one write of a run over HTTP, as the owner of the run, and reports how that ended."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Final, Protocol

import httpx
from postgrest import APIError, AsyncPostgrestClient, ReturnMethod

from db.agents.models import RunStatus
from db.errors import DatabaseError, RefusedError, SlowDownError, from_api
from publish.errors import PublishError
from publish.unsent import EventsInsert, RunInsert, RunPatch, Write

_log: Final = logging.getLogger(__name__)

TIMEOUT: Final = httpx.Timeout(10.0, connect=4.0)
"""Seconds that one request may take, and its connection."""

TokenSource = Callable[[], str]
"""Returns an access token that stays valid for a while. May block, and may raise if there is none now."""


def project_of(url: str | None, key: str | None) -> tuple[str, str]:
    """Return the URL and key of the project; what is None is read from the environment.

    Raises `PublishError` if either is missing.
    """
    url, key = url or os.environ.get("SUPABASE_URL"), key or os.environ.get("SUPABASE_KEY")
    if not url or not key:
        raise PublishError("There is no project: give url and key, or set SUPABASE_URL and SUPABASE_KEY.")
    return url.rstrip("/"), key


def token_source(token: TokenSource | str) -> TokenSource:
    """Return a function that gives the token."""
    return (lambda: token) if isinstance(token, str) else token


def is_permanent(error: DatabaseError) -> bool:
    """Return whether the database will never take the write, so that retrying it is useless."""
    if isinstance(error, SlowDownError):
        return error.wait is None  # with a wait, the quota has room again after it
    return isinstance(error, RefusedError)


_RUNS: Final = "agent_runs"
_EVENTS: Final = "agent_run_events"


class Outcome(Enum):
    """How sending a write ended."""

    SENT = "sent"
    RETRY = "retry"
    """It did not arrive, or perhaps not: send it again later."""
    REFUSED = "refused"
    """The database will never take it."""
    CLOSED = "closed"
    """Somebody else has finished, or claimed, the run."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a write, with the reason of a refusal or the status that the run has now."""

    outcome: Outcome
    reason: str = ""
    status: RunStatus | None = None


class _Request(Protocol):
    async def execute(self) -> object: ...


class Transport:
    """Writes to the two tables of runs. Belongs to one event loop.

    No method raises what the network or the database can cause.
    """

    def __init__(self, url: str, key: str, token: TokenSource, http: httpx.AsyncClient) -> None:
        self._url = f"{url}/rest/v1"
        self._key = key
        self._token = token
        self._http = http
        self.requests = 0
        """Requests sent so far."""

    async def send(self, write: Write) -> Result:
        """Send a write."""
        return await self._guarded(partial(self._send, write))

    async def claim(self, run_id: str, mark: str) -> Result:
        """Claim a pending run: `SENT` if it is ours now, `CLOSED` if it is not.

        `mark` becomes the step of the run. By it a repeated try finds out that the try before had worked.
        """
        return await self._guarded(partial(self._claim, run_id, mark))

    async def _guarded(self, send: Callable[[AsyncPostgrestClient], Awaitable[Result]]) -> Result:
        rest = await self._rest()
        if rest is None:
            return Result(Outcome.RETRY, "There is no token at the moment.")
        try:
            return await send(rest)
        except APIError as error:
            return self._result_of(error)
        except (httpx.HTTPError, ValueError) as error:
            _log.debug("The database did not answer: %r", error)
            return Result(Outcome.RETRY, f"{type(error).__name__}: {error}")

    async def _claim(self, run_id: str, mark: str, rest: AsyncPostgrestClient) -> Result:
        pending = rest.from_(_RUNS).update({"status": RunStatus.IN_PROGRESS.value, "current_step": mark})
        if await self._execute(pending.eq("id", run_id).eq("status", RunStatus.PENDING.value)):
            return Result(Outcome.SENT)
        rows = await self._execute(rest.from_(_RUNS).select("status,current_step").eq("id", run_id))
        if not rows:
            return Result(Outcome.CLOSED, "There is no such run.")
        status = RunStatus(str(rows[0]["status"]))
        ours = status is RunStatus.IN_PROGRESS and rows[0]["current_step"] == mark
        return Result(Outcome.SENT if ours else Outcome.CLOSED, "", status)

    def _result_of(self, error: APIError) -> Result:
        reason = from_api(error)
        outcome = Outcome.REFUSED if is_permanent(reason) else Outcome.RETRY
        return Result(outcome, str(reason))

    async def _send(self, write: Write, rest: AsyncPostgrestClient) -> Result:
        match write:
            case RunInsert():
                await self._insert(rest, _RUNS, dict(write.values))
                return Result(Outcome.SENT)
            case EventsInsert():
                return await self._send_events(rest, write)
            case RunPatch():
                return await self._send_patch(rest, write)

    async def _send_events(self, rest: AsyncPostgrestClient, write: EventsInsert) -> Result:
        try:
            await self._insert(rest, _EVENTS, [dict(row) for row in write.rows])
        except APIError as error:
            result = self._result_of(error)
            if result.outcome is not Outcome.REFUSED:
                return result
            status = await self._status(rest, write.run_id)
            return Result(Outcome.CLOSED, status=status) if status and status.finished else result
        return Result(Outcome.SENT)

    async def _insert(
        self, rest: AsyncPostgrestClient, table: str, rows: dict[str, object] | list[dict[str, object]]
    ) -> None:
        """Insert rows with ids of ours, so that sending them twice changes nothing."""
        request = rest.from_(table).upsert(
            rows, on_conflict="id", ignore_duplicates=True, returning=ReturnMethod.minimal
        )
        await self._execute(request)

    async def _send_patch(self, rest: AsyncPostgrestClient, write: RunPatch) -> Result:
        # Finished runs are left out, so that a patch whose answer got lost matches nothing the second time
        # instead of being refused.
        query = (
            rest.from_(_RUNS)
            .update(dict(write.values))
            .eq("id", write.run_id)
            .not_.in_("status", [status.value for status in RunStatus if status.finished])
        )
        if await self._execute(query):
            return Result(Outcome.SENT)
        status = await self._status(rest, write.run_id)
        if status is None:
            return Result(Outcome.CLOSED, "The run is not there any more.", RunStatus.CANCELLED)
        if write.status is status:
            return Result(Outcome.SENT)
        return Result(Outcome.CLOSED, "", status)

    async def _status(self, rest: AsyncPostgrestClient, run_id: str) -> RunStatus | None:
        rows = await self._execute(rest.from_(_RUNS).select("status").eq("id", run_id))
        return RunStatus(str(rows[0]["status"])) if rows else None

    async def _execute(self, request: _Request) -> list[dict[str, object]]:
        self.requests += 1
        response = await request.execute()
        data = getattr(response, "data", None)
        return data if isinstance(data, list) else []

    async def _rest(self) -> AsyncPostgrestClient | None:
        try:
            token = await asyncio.to_thread(self._token)  # it may refresh over HTTP
        except Exception as error:
            # The program's own sign-in may raise anything. Without a token nothing can be sent now.
            _log.info("No token to publish with: %r", error)
            return None
        headers = {"apikey": self._key, "Authorization": f"Bearer {token}"}
        # The publisher retries by itself.
        return AsyncPostgrestClient(self._url, headers=headers, http_client=self._http, retry_enabled=False)
