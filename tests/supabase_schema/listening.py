"""Subscribing to Realtime without filters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from realtime import AsyncRealtimeClient, RealtimePostgresChangesListenEvent

from local_supabase.stack.runtime import StackInfo
from tests.support.people import Person


@asynccontextmanager
async def listening(
    stack: StackInfo, person: Person | None, tables: Iterable[str]
) -> AsyncIterator[list[str]]:
    """Yield a list that gets every frame for a person who subscribes to these tables without a filter."""
    client = AsyncRealtimeClient(f"{stack.url}/realtime/v1", stack.anon_key)
    frames: list[str] = []
    ready = asyncio.Event()
    await client.connect()
    session = person.client.auth.get_session() if person else None
    assert person is None or session is not None
    if session:
        await client.set_auth(session.access_token)
    channel = client.channel("everything")
    for table in tables:
        channel.on_postgres_changes(
            RealtimePostgresChangesListenEvent.All,
            table=table,
            schema="public",
            callback=lambda payload: frames.append(json.dumps(payload, default=str)),
        )
    channel.on_system(lambda _: ready.set())
    await channel.subscribe()
    await asyncio.wait_for(ready.wait(), 30)
    try:
        yield frames
    finally:
        await client.close()
