"""An engine behind a proxy that can fail, and writes that bypass the proxy."""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg2

from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.feed.status import FeedState
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.livetables.fault_proxy import FaultProxy, Message
from tests.livetables.support import rows_of
from tests.support.people import Person
from tests.support.wait import wait_for

QUICK = Timing(
    open=2,
    heartbeat=0.1,
    heartbeat_answer=0.5,
    late_after=0.1,
    quiet_heartbeat=0.2,
    first_retry=0.05,
    longest_retry=0.5,
    stream_wait=1,
    poll=0.1,
    request=1,
    offline_after=0.5,
    linger=0.2,
)

NEVER = 1000.0
"""Seconds that no test lasts."""


@contextlib.contextmanager
def running(proxy: FaultProxy, stack: StackInfo, timing: Timing = QUICK) -> Iterator[Engine]:
    """Run an engine with all of the app's tables behind the proxy."""
    engine = Engine.start(EngineConfig(proxy.url, stack.anon_key), ALL_SPECS, timing)
    try:
        yield engine
    finally:
        engine.stop()


@contextlib.contextmanager
def sql(stack: StackInfo) -> Iterator[Any]:
    """Give a cursor of the database's owner, past the proxy."""
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database:
        yield database.cursor()


def post_message(stack: StackInfo, author: Person, body: str = "text") -> tuple[str]:
    """Insert a message into the common room by SQL. Return its key."""
    message = str(uuid.uuid4())
    with sql(stack) as cursor:
        cursor.execute(
            "insert into public.tavern_messages (id, author_id, body) values (%s, %s, %s)",
            (message, author.user_id, body),
        )
    return (message,)


def without_changes(message: Message) -> Message | None:
    """Drop every change from a stream, silently; for `FaultProxy.rewrite`."""
    return None if message["event"] == "postgres_changes" else message


def wait_state(engine: Engine, *states: FeedState, user_id: str | None = None, within: float = 20) -> None:
    """Wait until the user is connected in one of these ways."""
    wait_for(
        lambda: engine.status(user_id).state in states,
        within=within,
        what=f"{states}; it is {engine.status(user_id)}",
    )


def wait_shown(engine: Engine, key: tuple[str], within: float = 10) -> None:
    """Wait until the engine holds this message of the common room."""
    wait_for(lambda: key in rows_of(engine, "tavern_messages"), within=within, what="the message")


def can_write(stack: StackInfo) -> bool:
    """Return whether the database answers."""
    with contextlib.suppress(psycopg2.Error):
        with sql(stack) as cursor:
            cursor.execute("select 1")
        return True
    return False
