"""Stored broadcasts of private channels: reading them back for a replay, and forgetting old ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson

from local_supabase.realtime.catalog import Pool
from local_supabase.realtime.changes import RowChange
from local_supabase.realtime.framing import Encoding, UserBroadcast

_MOST = 25
_RECENT = """
select id::text, event, payload::text, binary_payload
from realtime.messages
where topic = $1 and private and extension = 'broadcast' and inserted_at >= $2
order by inserted_at desc
limit $3
"""
_FORGET = """
delete from realtime.messages where inserted_at < (now() at time zone 'utc') - make_interval(hours => $1)
"""


class ReplayError(Exception):
    """A replay that cannot be given; the message is the server's."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Which messages to replay: the newest `limit` ones since a moment."""

    since: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class StoredBroadcast:
    """A message kept in `realtime.messages`."""

    id: str
    event: str
    payload: str | None
    binary: bytes | None

    def as_replay(self) -> Mapping[str, object] | UserBroadcast:
        """Return what is sent to a client, marked as a replay."""
        meta = {"replayed": True, "id": self.id}
        if self.binary is not None:
            return UserBroadcast(self.event, Encoding.BINARY, self.binary, orjson.dumps(meta))
        return {
            "type": "broadcast",
            "event": self.event,
            "payload": None if self.payload is None else orjson.Fragment(self.payload),
            "meta": meta,
        }


@dataclass(frozen=True, slots=True)
class RowBroadcast:
    """A broadcast that was inserted into `realtime.messages`; `payload` is JSON or bytes of any kind."""

    id: str
    topic: str
    private: bool
    event: str
    encoding: Encoding
    payload: bytes

    def as_broadcast(self) -> UserBroadcast:
        """Return what is sent to the clients."""
        return UserBroadcast(self.event, self.encoding, self.payload, orjson.dumps({"id": self.id}))


def broadcast_of_row(change: RowChange) -> RowBroadcast | None:
    """Read a broadcast from the log of `realtime.messages`; None for rows that are none."""
    row = {name: change.value(name) for name in change.table.positions}
    topic, event, payload, binary = (
        row.get(name) for name in ("topic", "event", "payload", "binary_payload")
    )
    if row.get("extension") != "broadcast" or not isinstance(topic, str) or not isinstance(event, str):
        return None
    if isinstance(binary, str):
        encoding, data = Encoding.BINARY, bytes.fromhex(binary.removeprefix("\\x"))
    elif isinstance(payload, str):
        encoding, data = Encoding.JSON, payload.encode()
    else:
        return None
    return RowBroadcast(str(row.get("id")), topic, row.get("private") == "t", event, encoding, data)


def read_replay(raw: object) -> ReplayRequest:
    """Read `broadcast.replay` of a join: `since` in Unix milliseconds, `limit` 1 to 25 (more is clamped).

    Raises `ReplayError`.
    """
    if not isinstance(raw, dict):
        raise ReplayError("Replay params are not valid")
    since, limit = raw.get("since", 0), raw.get("limit", _MOST)
    since, limit = 0 if since is None else since, _MOST if limit is None else limit
    if isinstance(since, bool) or isinstance(limit, bool):
        raise ReplayError("Replay params are not valid")
    if not (isinstance(since, int) and isinstance(limit, int)):
        raise ReplayError("Replay params are not valid")
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=since)
    except OverflowError as error:
        raise ReplayError("Replay params are not valid") from error
    return ReplayRequest(moment, max(1, min(limit, _MOST)))


class MessageStore:
    """`realtime.messages`, as its owner."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def recent(self, topic: str, request: ReplayRequest) -> list[StoredBroadcast]:
        """Return the messages to replay, oldest first.

        Raises `ReplayError` when they cannot be read.
        """
        try:
            rows = await self._pool.fetch(_RECENT, topic, request.since.replace(tzinfo=None), request.limit)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise ReplayError("Realtime was unable to replay messages") from error
        return [
            StoredBroadcast(row["id"], row["event"] or "", row["payload"], row["binary_payload"])
            for row in reversed(rows)
        ]

    async def forget(self, hours: int) -> None:
        """Delete messages older than that."""
        await self._pool.execute(_FORGET, hours)
