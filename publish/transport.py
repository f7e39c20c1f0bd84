"""Sending one parcel over HTTP as the owner of the runs, and what came of it."""

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

from db.agent_models import RunStatus
from db.errors import Refused, from_api
from publish.errors import PublishError
from publish.unsent import Events, Opening, Parcel, Patch

_log: Final = logging.getLogger(__name__)

TokenSource = Callable[[], str]
"""Gives an access token that is good for a while yet. May block, and may raise when there is none now."""


def project_of(url: str | None, key: str | None) -> tuple[str, str]:
    """Return where to publish: what is not given is read from the environment.

    Raises `PublishError` when there is no project.
    """
    url, key = url or os.environ.get("SUPABASE_URL"), key or os.environ.get("SUPABASE_KEY")
    if not url or not key:
        raise PublishError("There is no project: give url and key, or set SUPABASE_URL and SUPABASE_KEY.")
    return url.rstrip("/"), key


def source_of(token: TokenSource | str) -> TokenSource:
    """Return what gives the token."""
    return (lambda: token) if isinstance(token, str) else token


_RUNS: Final = "agent_runs"
_EVENTS: Final = "agent_run_events"


class Fate(Enum):
    """What became of a parcel."""

    SENT = "sent"
    LATER = "later"
    REFUSED = "refused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Answer:
    """The fate of a parcel: why it was refused, or in which status somebody else has finished the run."""

    fate: Fate
    reason: str = ""
    status: RunStatus | None = None


class _Request(Protocol):
    async def execute(self) -> object: ...


class Transport:
    """The way to the two tables. Belongs to one event loop."""

    def __init__(self, url: str, key: str, token: TokenSource, http: httpx.AsyncClient) -> None:
        self._url = f"{url}/rest/v1"
        self._key = key
        self._token = token
        self._http = http
        self.requests = 0
        """Requests sent so far."""

    async def send(self, parcel: Parcel) -> Answer:
        """Send it. Raises nothing that the network or the database can cause."""
        return await self._guarded(partial(self._send, parcel))

    async def claim(self, run_id: str, mark: str) -> Answer:
        """Take over a run that waits, if nobody has: `SENT` if it is ours now, `CLOSED` if it is not.

        `mark` becomes the run's step, so that a repeated try finds out that the one before had worked. Raises
        nothing that the network or the database can cause.
        """
        return await self._guarded(partial(self._claim, run_id, mark))

    async def _guarded(self, send: Callable[[AsyncPostgrestClient], Awaitable[Answer]]) -> Answer:
        rest = await self._rest()
        if rest is None:
            return Answer(Fate.LATER, "There is no token at the moment.")
        try:
            return await send(rest)
        except APIError as error:
            return self._judged(error)
        except (httpx.HTTPError, ValueError) as error:
            _log.debug("The database did not answer: %r", error)
            return Answer(Fate.LATER, f"{type(error).__name__}: {error}")

    async def _claim(self, run_id: str, mark: str, rest: AsyncPostgrestClient) -> Answer:
        pending = rest.from_(_RUNS).update({"status": RunStatus.IN_PROGRESS.value, "current_step": mark})
        if await self._execute(pending.eq("id", run_id).eq("status", RunStatus.PENDING.value)):
            return Answer(Fate.SENT)
        rows = await self._execute(rest.from_(_RUNS).select("status,current_step").eq("id", run_id))
        if not rows:
            return Answer(Fate.CLOSED, "There is no such run.")
        status = RunStatus(str(rows[0]["status"]))
        ours = status is RunStatus.IN_PROGRESS and rows[0]["current_step"] == mark
        return Answer(Fate.SENT if ours else Fate.CLOSED, "", status)

    def _judged(self, error: APIError) -> Answer:
        told = from_api(error)
        if isinstance(told, Refused):
            return Answer(Fate.REFUSED, str(told))
        return Answer(Fate.LATER, str(told))

    async def _send(self, parcel: Parcel, rest: AsyncPostgrestClient) -> Answer:
        match parcel:
            case Opening():
                table = rest.from_(_RUNS)
                await self._execute(
                    table.upsert(
                        dict(parcel.values),
                        on_conflict="id",
                        ignore_duplicates=True,
                        returning=ReturnMethod.minimal,
                    )
                )
                return Answer(Fate.SENT)
            case Events():
                return await self._send_events(rest, parcel)
            case Patch():
                return await self._send_patch(rest, parcel)

    async def _send_events(self, rest: AsyncPostgrestClient, parcel: Events) -> Answer:
        rows = [dict(row) for row in parcel.rows]
        table = rest.from_(_EVENTS)
        try:
            await self._execute(
                table.upsert(rows, on_conflict="id", ignore_duplicates=True, returning=ReturnMethod.minimal)
            )
        except APIError as error:
            answer = self._judged(error)
            if answer.fate is not Fate.REFUSED:
                return answer
            status = await self._status(rest, parcel.run_id)
            return Answer(Fate.CLOSED, status=status) if status and status.finished else answer
        return Answer(Fate.SENT)

    async def _send_patch(self, rest: AsyncPostgrestClient, parcel: Patch) -> Answer:
        # Not of a finished run: an answer that got lost is then found out, instead of refused.
        query = (
            rest.from_(_RUNS)
            .update(dict(parcel.values))
            .eq("id", parcel.run_id)
            .not_.in_("status", [status.value for status in RunStatus if status.finished])
        )
        if await self._execute(query):
            return Answer(Fate.SENT)
        status = await self._status(rest, parcel.run_id)
        if status is None:
            return Answer(Fate.CLOSED, "The run is not there any more.", RunStatus.CANCELLED)
        if parcel.status is status:
            return Answer(Fate.SENT)
        return Answer(Fate.CLOSED, "", status)

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
            # Whatever the program's own sign-in raises: without a token nothing can be sent now.
            _log.info("No token to publish with: %r", error)
            return None
        headers = {"apikey": self._key, "Authorization": f"Bearer {token}"}
        # The publisher tries again by itself.
        return AsyncPostgrestClient(self._url, headers=headers, http_client=self._http, retry_enabled=False)
