"""An engine behind a passage that can fail, and writing past all of it."""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg2

from live.engine import Engine, EngineConfig
from live.status import FeedState
from live.timing import Timing
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.live.fault_proxy import FaultProxy
from tests.live.support import rows_of
from tests.support.people import Person
from tests.support.wait import wait_for

QUICK = Timing(
    open=2,
    heartbeat=0.1,
    heartbeat_answer=0.5,
    late=0.1,
    quiet_heartbeat=0.2,
    first_retry=0.05,
    longest_retry=0.5,
    patience=1,
    poll=0.1,
    request=1,
    notice=0.5,
    linger=0.2,
)


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
    """Write as the owner of the project does, past everything that is broken."""
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database:
        yield database.cursor()


def say(stack: StackInfo, author: Person, body: str = "words") -> tuple[str]:
    """Say something in the common room; return the message's key."""
    message = str(uuid.uuid4())
    with sql(stack) as cursor:
        cursor.execute(
            "insert into public.tavern_messages (id, author_id, body) values (%s, %s, %s)",
            (message, author.user_id, body),
        )
    return (message,)


def wait_state(engine: Engine, *states: FeedState, user_id: str | None = None, within: float = 20) -> None:
    """Wait until the feed is in one of these states."""
    wait_for(
        lambda: engine.status(user_id).state in states,
        within=within,
        what=f"{states}; it is {engine.status(user_id)}",
    )


def wait_shown(engine: Engine, key: tuple[str], within: float = 10) -> None:
    """Wait until the engine shows this message."""
    wait_for(lambda: key in rows_of(engine, "tavern_messages"), within=within, what="the message")


def can_write(stack: StackInfo) -> bool:
    """Tell whether the database takes part."""
    with contextlib.suppress(psycopg2.Error):
        with sql(stack) as cursor:
            cursor.execute("select 1")
        return True
    return False
