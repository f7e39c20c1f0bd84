"""A client of the streams, as a program outside writes one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE = 30.0
"""Seconds."""

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it came; without a name it is a sign of life."""

    name: str
    id: str | None
    data: Any


@dataclass(slots=True)
class Stream:
    """The events of one connection, and what a program keeps of them."""

    events: AsyncIterator[Event]
    last_id: str | None = None

    async def next(self, *names: str) -> Event:
        """Return the next event with one of these names."""
        async with asyncio.timeout(PATIENCE):
            async for event in self.events:
                self.last_id = event.id or self.last_id
                if event.name in names:
                    return event
        raise AssertionError(f"The stream ended before {' or '.join(names)}.")

    async def change(self) -> dict[str, Any]:
        """Return what the next change tells."""
        told = (await self.next("change")).data
        assert isinstance(told, dict)
        return told

    async def ended(self) -> None:
        """Wait for the end."""
        async with asyncio.timeout(PATIENCE):
            async for event in self.events:
                self.last_id = event.id or self.last_id


@dataclass(slots=True)
class Mirror:
    """Rows by table and key, as the events tell of them; `seen` is every key that was ever told."""

    tables: dict[str, Rows] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def take(self, event: Event) -> None:
        """Do what an event says."""
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
        """Count the rows that are meant."""
        return sum(keep(row) for row in self.rows(table).values())


@asynccontextmanager
async def listening(
    url: str, token: str | None, tables: str, *, last_id: str | None = None, **parameters: object
) -> AsyncIterator[Stream]:
    """Open a stream; raises AssertionError with the answer if it is none."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    query: Any = {"tables": tables, **parameters}
    async with (
        httpx.AsyncClient(timeout=httpx.Timeout(PATIENCE, read=None)) as client,
        client.stream("GET", f"{url}/api/stream", params=query, headers=headers) as response,
    ):
        if response.status_code != 200:
            await response.aread()
            raise AssertionError(f"{response.status_code}: {response.text}")
        assert response.headers["content-type"].startswith("text/event-stream")
        events = _events(response.aiter_lines())
        yield Stream(events, last_id)


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    name, told, event_id = "", "", None
    async for line in lines:
        if not line:
            if name or event_id is not None:
                yield Event(name, event_id, json.loads(told) if told else None)
            name, told, event_id = "", "", None
            continue
        field_name, _, value = line.partition(": ")
        match field_name:
            case "event":
                name = value
            case "data":
                told += value
            case "id":
                event_id = value
