"""Measures a commit until the handler of its table is called in the app's process.

The commit is the moment when Postgres answers the writer. The writer has its own connection, so the app's
write path is not part of the figure. The engine is the app's, with all of its tables.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
import uuid
from collections.abc import Iterator

import psycopg2

from bench.figures import Figure, percentiles
from bench.running import fresh_stack
from db.hub.models import TavernMessage
from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.feed.status import FeedState
from livetables.tables.changes import Change, Key
from livetables.tables.rows import Rows
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS, handle_tavern_messages_change
from realtime_handlers.messages import TAVERN_MESSAGES
from tests.support.wait import wait_for

_ROWS = 300
_PAUSE = 0.02  # seconds between commits, so that each is handled before the next
_AUTHOR = "select id from public.users limit 1"


class _Watch:
    """Records when the handler of the messages is first called for each key."""

    def __init__(self) -> None:
        self.called: dict[Key, float] = {}
        self._changed = threading.Condition()

    def handler(self, rows: Rows[TavernMessage], change: Change[TavernMessage]) -> Rows[TavernMessage]:
        """Record the time, and call the real handler."""
        with self._changed:
            self.called.setdefault(change.key, time.perf_counter())
            self._changed.notify_all()
        return handle_tavern_messages_change(rows, change)

    def wait(self, key: Key) -> float:
        """Return when the handler was called for this key."""
        with self._changed:
            assert self._changed.wait_for(lambda: key in self.called, 10), f"No change of {key}"
            return self.called[key]


def main() -> Iterator[Figure]:
    """Measure the delay."""
    watch = _Watch()
    watched = dataclasses.replace(TAVERN_MESSAGES, handler=watch.handler)
    specs = [watched if spec.name == watched.name else spec for spec in ALL_SPECS]
    with fresh_stack() as stack:
        engine = Engine.start(EngineConfig(stack.url, stack.anon_key), specs)
        try:
            wait_for(lambda: engine.status().state is FeedState.LIVE, what="the engine to be live")
            delays = _measure(stack, watch)
        finally:
            engine.stop()
    yield Figure("commit to handler called", percentiles(delays), "p50 < 15 ms")


def _measure(stack: StackInfo, watch: _Watch) -> list[float]:
    delays: list[float] = []
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database:
        database.autocommit = True
        cursor = database.cursor()
        cursor.execute(_AUTHOR)
        found = cursor.fetchone()
        assert found is not None
        for number in range(_ROWS):
            message = str(uuid.uuid4())
            cursor.execute(
                "insert into public.tavern_messages (id, author_id, body) values (%s, %s, %s)",
                (message, found[0], f"message {number}"),
            )
            committed = time.perf_counter()
            delays.append(watch.wait((message,)) - committed)
            time.sleep(_PAUSE)
    # The first ones run with cold caches.
    return delays[10:]
