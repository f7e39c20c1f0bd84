"""How long after its commit a change is in the hands of its table's handler, in the process of the app.

Commit is when Postgres has answered the writer; the writer is a connection of its own, so nothing of the
app's own write path is in the figure. The engine is the app's, with all of its tables.
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
from db.models import TavernMessage
from live.changes import Change, Key
from live.engine import Engine, EngineConfig
from live.rows import Rows
from live.status import FeedState
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS, tavern_messages
from tests.support.wait import wait_for

_ROWS = 300
_PAUSE = 0.02  # seconds between commits, so that one is over before the next
_AUTHOR = "select id from public.users limit 1"


class _Watch:
    """Notes when the handler of the messages is called for each key."""

    def __init__(self) -> None:
        self.called: dict[Key, float] = {}
        self._news = threading.Condition()

    def handler(self, rows: Rows[TavernMessage], change: Change[TavernMessage]) -> Rows[TavernMessage]:
        """Do what the real one does, and note the time."""
        with self._news:
            self.called.setdefault(change.key, time.perf_counter())
            self._news.notify_all()
        return tavern_messages.handle_tavern_messages_change(rows, change)

    def wait(self, key: Key) -> float:
        """Return when the handler was called for this key."""
        with self._news:
            assert self._news.wait_for(lambda: key in self.called, 10), f"No change of {key}"
            return self.called[key]


def main() -> Iterator[Figure]:
    """Measure, and give the delay."""
    watch = _Watch()
    watched = dataclasses.replace(tavern_messages.SPEC, handler=watch.handler)
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
    # The first ones find cold caches.
    return delays[10:]
