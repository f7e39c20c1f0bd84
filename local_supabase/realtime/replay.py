"""Stored broadcasts of private channels: reading them for a replay, and deleting old ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import asyncpg
import orjson

from local_supabase.realtime.catalog import Pool
from local_supabase.realtime.changes import RowChange
from local_supabase.realtime.framing import Encoding, UserBroadcast

_MAX_MESSAGES = 25
# One statement, so that the messages and the snapshot are of the same moment. Without messages there is one
# row.
_RECENT = """
select pg_current_snapshot()::text as snapshot, m.*
from (values (1)) as always left join lateral _realtime.recent_messages($1, $2, $3) as m on true
order by m.inserted_at
"""
_DELETE_OLD = "select _realtime.delete_messages($1)"
_XID_COUNT = 2**32


class ReplayError(Exception):
    """The messages cannot be replayed; the text is Realtime's own."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Which messages to replay: the newest `limit` ones since a time."""

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
        """Return the message for a client, marked as replayed."""
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
class Snapshot:
    """Which transactions a statement could see: all that began before `xmax` and are not `in_progress`.

    Numbers are transaction ids as the log has them: 32 bits, on a circle.
    """

    xmax: int
    in_progress: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read Postgres' text of a `pg_snapshot`, `xmin:xmax:xip,xip`."""
        _xmin, xmax, in_progress = text.split(":")
        return cls(
            int(xmax) % _XID_COUNT,
            frozenset(int(xid) % _XID_COUNT for xid in in_progress.split(",") if xid),
        )

    def sees(self, xid: int) -> bool:
        """Return whether a committed transaction is visible in the snapshot."""
        age = (self.xmax - xid) % _XID_COUNT
        return 0 < age < _XID_COUNT // 2 and xid not in self.in_progress


@dataclass(frozen=True, slots=True)
class Replay:
    """Stored messages, oldest first, and the snapshot they were read in.

    The replication stream is independent of the read and may be behind it. So a stored message that the
    stream brings later is new only if the snapshot did not see its transaction.
    """

    messages: tuple[StoredBroadcast, ...]
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class RowBroadcast:
    """A broadcast that transaction `xid` inserted into `realtime.messages`; `payload` is JSON or bytes."""

    xid: int
    id: str
    topic: str
    private: bool
    event: str
    encoding: Encoding
    payload: bytes

    def as_broadcast(self) -> UserBroadcast:
        """Return the message for the clients."""
        return UserBroadcast(self.event, self.encoding, self.payload, orjson.dumps({"id": self.id}))


def broadcast_of_row(change: RowChange) -> RowBroadcast | None:
    """Read a broadcast from a logged row of `realtime.messages`; return None for rows of other kinds."""
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
    private = row.get("private") == "t"
    return RowBroadcast(change.transaction.xid, str(row.get("id")), topic, private, event, encoding, data)


def read_replay(raw: object) -> ReplayRequest:
    """Read `broadcast.replay` of a join: `since` in Unix milliseconds, `limit` clamped to 1 to 25.

    Raises `ReplayError` when either is not a whole number.
    """
    if not isinstance(raw, dict):
        raise ReplayError("Replay params are not valid")
    since, limit = raw.get("since", 0), raw.get("limit", _MAX_MESSAGES)
    since, limit = 0 if since is None else since, _MAX_MESSAGES if limit is None else limit
    if isinstance(since, bool) or isinstance(limit, bool):
        raise ReplayError("Replay params are not valid")
    if not (isinstance(since, int) and isinstance(limit, int)):
        raise ReplayError("Replay params are not valid")
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=since)
    except OverflowError as error:
        raise ReplayError("Replay params are not valid") from error
    return ReplayRequest(moment, max(1, min(limit, _MAX_MESSAGES)))


class MessageStore:
    """Reads and deletes rows of `realtime.messages`, past its policies."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def recent(self, topic: str, request: ReplayRequest) -> Replay:
        """Return the messages to replay.

        Raises `ReplayError` when the database cannot be read.
        """
        try:
            rows = await self._pool.fetch(_RECENT, topic, request.since.replace(tzinfo=None), request.limit)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise ReplayError("Realtime was unable to replay messages") from error
        messages = tuple(
            StoredBroadcast(row["id"], row["event"] or "", row["payload"], row["binary_payload"])
            for row in rows
            if row["id"] is not None
        )
        return Replay(messages, Snapshot.parse(rows[0]["snapshot"]))

    async def delete_older_than(self, hours: int) -> None:
        """Delete the messages that were inserted more than `hours` ago."""
        await self._pool.execute(_DELETE_OLD, hours)
