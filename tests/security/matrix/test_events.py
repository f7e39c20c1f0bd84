"""Every table x change x role over Realtime, and every private channel x role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from uuid import uuid4

import pytest

from tests.local_supabase.realtime.client import Client, Message, connect
from tests.security.matrix.cast import Cast, cells
from tests.security.matrix.expected import CHANNELS, TOLD_BY_KEY
from tests.security.matrix.rows import Key, Rows
from tests.supabase_schema.access import filled

EVERYTHING: Message = {"event": "*", "schema": "public"}
Place = tuple[str, Key]
"""A row: its table and its key."""


def socket(cast: Cast, role: str) -> AbstractAsyncContextManager[Client]:
    """Open a socket with the token of a role."""
    return connect(f"{cast.stack.url}/realtime/v1".replace("http", "ws", 1), cast.tokens[role])


@pytest.fixture
async def clients(cast: Cast) -> AsyncIterator[Mapping[str, Client]]:
    """Give a socket for each role."""
    async with AsyncExitStack() as opened:
        yield {role: await opened.enter_async_context(socket(cast, role)) for role in cast.roles}


def readers(cast: Cast, rows: Rows) -> dict[Place, dict[str, bool]]:
    """Return for each row which roles may read it. Roles that the access table leaves out are left out."""
    found: dict[Place, dict[str, bool]] = {}
    for table, case in cells(cast.roles):
        if case.verb == "select":
            for record in rows.find(case.relation, filled(table.row(case), cast.values)):
                place = (case.relation, rows.key(case.relation, record))
                found.setdefault(place, {})[case.role] = case.allowed
    return found


def write_all_again(cast: Cast, rows: Rows) -> None:
    """Update, delete and insert every row in one transaction, so that all policies see all rows."""
    for relation, record in cast.records(rows):
        rows.touch(relation, record)
        rows.delete(relation, record)
        rows.insert(relation, record)
    rows.sql.commit()


async def told(client: Client, rows: Rows, last: str) -> list[tuple[str, Place, Message]]:
    """Return the changes that arrived before the last one: verb, row, and data."""
    await client.find(lambda message: last in str(message))
    found = []
    for message in client.received:
        assert isinstance(message, dict)
        if message["event"] == "postgres_changes":
            data = message["payload"]["data"]
            record = data["old_record"] if data["type"] == "DELETE" else data["record"]
            found.append((data["type"], (data["table"], rows.key(data["table"], record)), data))
    return found


async def test_every_change_reaches_those_who_may_read_the_row(
    cast: Cast, rows: Rows, clients: Mapping[str, Client]
) -> None:
    for client in clients.values():
        await client.subscribe("everything", EVERYTHING)
    expected = readers(cast, rows)
    write_all_again(cast, rows)
    last = f"The last message, {uuid4()}"
    rows.sql.run(
        "insert into public.tavern_messages (author_id, body) values (%s, %s)", cast.people["owner"], last
    )
    rows.sql.commit()
    wrong = []
    for role, client in clients.items():
        arrived = await told(client, rows, last)
        seen = {(verb, place) for verb, place, _ in arrived}
        for place, may in expected.items():
            for verb in ("INSERT", "UPDATE", "DELETE"):
                by_key = verb == "DELETE" and role in TOLD_BY_KEY.get(place[0], "").split()
                is_told = (verb, place) in seen
                if role in may and is_told is not may[role] and not (is_told and by_key):
                    wrong.append(f"{verb} of {place[0]}: {role} is {'told' if is_told else 'not told'}")
        for verb, place, data in arrived:
            if verb == "DELETE" and not expected.get(place, {}).get(role):
                columns = data["old_record"].keys() - set(rows.keys[place[0]])
                wrong += [f"{role} is told {column} of a deleted row of {place[0]}" for column in columns]
    assert not wrong, "\n".join(sorted(set(wrong)))


async def test_every_private_channel_is_joined_by_those_who_may(cast: Cast) -> None:
    # A refused join is answered after five seconds, so that nobody asks often. So all are asked at once.
    asked = {
        (topic, role): asyncio.create_task(joins(cast, role, topic.format(**cast.values)))
        for topic in CHANNELS
        for role in cast.roles
    }
    await asyncio.gather(*asked.values())
    joined = {pair for pair, task in asked.items() if task.result()}
    assert joined == {(topic, role) for topic, roles in CHANNELS.items() for role in roles.split()}


async def joins(cast: Cast, role: str, topic: str) -> bool:
    """Whether a role may join a private channel."""
    async with socket(cast, role) as client:
        reply = await client.join(topic, {"private": True})
        return bool(reply["payload"]["status"] == "ok")
