"""A client of the streams, as another program would write it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

TIMEOUT = 30.0
"""Seconds."""

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """One event; an event without a name is a heartbeat."""

    name: str
    id: str | None
    data: Any


@dataclass(slots=True)
class Stream:
    """The events of one connection, and the last id that a program keeps of them."""

    events: AsyncIterator[Event]
    last_id: str | None = None

    async def next(self, *names: str) -> Event:
        """Return the next event with one of these names."""
        async with asyncio.timeout(TIMEOUT):
            async for event in self.events:
                self.last_id = event.id or self.last_id
                if event.name in names:
                    return event
        raise AssertionError(f"The stream ended before {' or '.join(names)}.")

    async def change(self) -> dict[str, Any]:
        """Return the data of the next change."""
        data = (await self.next("change")).data
        assert isinstance(data, dict)
        return data

    async def ended(self) -> None:
        """Wait for the end of the stream."""
        async with asyncio.timeout(TIMEOUT):
            async for event in self.events:
                self.last_id = event.id or self.last_id


@dataclass(slots=True)
class Mirror:
    """Rows by table and key, built from events; `seen` has every key that ever came."""

    tables: dict[str, Rows] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def apply(self, event: Event) -> None:
        """Apply an event."""
        if event.name == "resync":
            self.tables.clear()
        if event.name != "change":
            return
        key = "/".join(event.data["key"].values())
        self.seen.add(key)
        rows = self.tables.setdefault(event.data["table"], {})
        if event.data["row"] is None:
            rows.pop(key, None)
        else:
            rows[key] = event.data["row"]

    def rows(self, table: str) -> Rows:
        """Return the rows of a table."""
        return self.tables.get(table, {})

    def count(self, table: str, keep: Callable[[Mapping[str, Any]], bool]) -> int:
        """Count the rows for which `keep` is true."""
        return sum(keep(row) for row in self.rows(table).values())


@asynccontextmanager
async def listening(
    url: str, token: str | None, tables: str, *, last_id: str | None = None, **parameters: object
) -> AsyncIterator[Stream]:
    """Open a stream. Raises AssertionError with the answer if the server refuses."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    query: Any = {"tables": tables, **parameters}
    async with (
        httpx.AsyncClient(timeout=httpx.Timeout(TIMEOUT, read=None)) as client,
        client.stream("GET", f"{url}/api/stream", params=query, headers=headers) as response,
    ):
        if response.status_code != 200:
            await response.aread()
            raise AssertionError(f"{response.status_code}: {response.text}")
        assert response.headers["content-type"].startswith("text/event-stream")
        events = _events(response.aiter_lines())
        yield Stream(events, last_id)


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    name, data, event_id = "", "", None
    async for line in lines:
        if not line:
            if name or event_id is not None:
                yield Event(name, event_id, json.loads(data) if data else None)
            name, data, event_id = "", "", None
            continue
        field_name, _, value = line.partition(": ")
        match field_name:
            case "event":
                name = value
            case "data":
                data += value
            case "id":
                event_id = value
