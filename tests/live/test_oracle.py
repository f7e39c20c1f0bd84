"""The oracle: after a storm of writes and faults, everybody is shown what a query of their own gives.

`TAVERN_ORACLE_SEED` repeats a run, `TAVERN_ORACLE_SECONDS` makes it longer.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
from supabase import Client

from live.engine import Engine, EngineConfig
from live.status import FeedState
from live.timing import Timing
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS, private_messages, rsvps, tavern_messages, users
from tests.live.fault_proxy import FaultProxy, Message, fault_proxy
from tests.live.support import Signed, fresh_load, rows_of
from tests.support.people import Person, anonymous_client, sign_up
from tests.support.wait import wait_for

SECONDS = float(os.environ.get("TAVERN_ORACLE_SECONDS", "8"))
SEED = int(os.environ.get("TAVERN_ORACLE_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

TIMING = Timing(
    open=2,
    heartbeat=0.1,
    heartbeat_answer=0.5,
    quiet_heartbeat=0.2,
    first_retry=0.05,
    longest_retry=0.3,
    patience=1,
    poll=0.1,
    reconcile=0.8,
    grace=0.3,
    request=1,
    notice=0.5,
)


class Writer(threading.Thread):
    """Changes rows at random, straight in the database."""

    def __init__(
        self,
        stack: StackInfo,
        people: list[Person],
        event: str,
        chance: random.Random,
        over: threading.Event,
    ) -> None:
        super().__init__(name="writer")
        self.stack, self.people, self.event = stack, people, event
        self.random, self.over = chance, over
        self.written = 0
        self.messages: list[str] = []
        self.whispers: list[str] = []

    def run(self) -> None:
        """Write until it is over."""
        with contextlib.closing(psycopg2.connect(self.stack.database_url)) as database:
            database.autocommit = True
            cursor = database.cursor()
            while not self.over.wait(self.random.uniform(0, 0.02)):
                self.random.choice(
                    [self.say, self.edit, self.unsay, self.answer, self.withdraw, self.whisper]
                )(cursor)
                self.written += 1

    def say(self, cursor: Any) -> None:
        self.messages.append(str(uuid.uuid4()))
        author = self.random.choice(self.people).user_id
        sql = "insert into public.tavern_messages (id, author_id, body) values (%s, %s, 'words')"
        cursor.execute(sql, (self.messages[-1], author))

    def edit(self, cursor: Any) -> None:
        if self.messages:
            body, message = f"edit {self.written}", self.random.choice(self.messages)
            cursor.execute("update public.tavern_messages set body = %s where id = %s", (body, message))

    def unsay(self, cursor: Any) -> None:
        if self.messages:
            message = self.messages.pop(self.random.randrange(len(self.messages)))
            cursor.execute("delete from public.tavern_messages where id = %s", (message,))

    def answer(self, cursor: Any) -> None:
        status = self.random.choice(["going", "maybe", "declined"])
        cursor.execute(
            "insert into public.rsvps (event_id, user_id, status) values (%s, %s, %s)"
            " on conflict (event_id, user_id) do update set status = excluded.status",
            (self.event, self.random.choice(self.people).user_id, status),
        )

    def withdraw(self, cursor: Any) -> None:
        cursor.execute(
            "delete from public.rsvps where event_id = %s and user_id = %s",
            (self.event, self.random.choice(self.people).user_id),
        )

    def whisper(self, cursor: Any) -> None:
        if self.whispers and self.random.random() < 0.3:
            gone = self.whispers.pop(self.random.randrange(len(self.whispers)))
            cursor.execute("delete from public.private_messages where id = %s", (gone,))
            return
        sender, recipient = self.random.sample(self.people, 2)
        self.whispers.append(str(uuid.uuid4()))
        cursor.execute(
            "insert into public.private_messages (id, sender_id, recipient_id, body)"
            " values (%s, %s, %s, 'psst')",
            (self.whispers[-1], sender.user_id, recipient.user_id),
        )


def dropping(chance: random.Random) -> Callable[[Message], Message | None]:
    """Return what loses one event in five, in silence."""

    def drop(message: Message) -> Message | None:
        return None if message["event"] == "postgres_changes" and chance.random() < 0.2 else message

    return drop


def disturb(proxy: FaultProxy, chance: random.Random, seconds: float) -> list[str]:
    """Break and mend the passage at random until the time is over; return what was done."""

    def stall() -> None:
        proxy.stalled = True

    def silence() -> None:
        proxy.silent = True
        proxy.cut()

    def no_websockets() -> None:
        proxy.no_websockets = True
        proxy.cut()

    def drop_events() -> None:
        proxy.rewrite = dropping(chance)

    def close() -> None:
        proxy.close_websockets(chance.choice([1000, 1001, 1006, 1011, 1012]))

    faults: list[Callable[[], None]] = [
        proxy.cut,
        proxy.refuse,
        stall,
        silence,
        no_websockets,
        drop_events,
        close,
    ]
    done, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        fault = chance.choice(faults)
        fault()
        done.append(fault.__name__)
        _let_pass(chance.uniform(0.05, 0.7))
        if chance.random() < 0.7:
            proxy.heal()
            _let_pass(chance.uniform(0.05, 0.5))
    return done


def _let_pass(seconds: float) -> None:
    # A storm is made of time: nothing is waited for here that could be asked about.
    threading.Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody, and how they ask the database themselves."""

    user_id: str | None
    client: Client
    tables: tuple[Any, ...]

    def differences(self, engine: Engine) -> tuple[int, int, int]:
        """Return how many rows are lost, foreign, and outdated."""
        lost = foreign = outdated = 0
        for spec in self.tables:
            shown, there = rows_of(engine, spec.name, self.user_id), fresh_load(self.client, spec)
            lost += len(there.keys() - shown.keys())
            foreign += len(shown.keys() - there.keys())
            outdated += sum(shown[key] != there[key] for key in shown.keys() & there.keys())
        return lost, foreign, outdated


@pytest.fixture
def storm(stack: StackInfo) -> Iterator[tuple[FaultProxy, Engine, list[Session], list[Writer]]]:
    chance = random.Random(SEED)
    people = [sign_up(stack, name) for name in ("Ada", "Bo", "Cy")]
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database:
        cursor = database.cursor()
        cursor.execute("delete from public.tavern_messages")
        cursor.execute("select id from public.events where capacity is null and cancelled_at is null limit 1")
        found = cursor.fetchone()
        assert found is not None
    over = threading.Event()
    writers = [Writer(stack, people, found[0], random.Random(chance.random()), over) for _ in range(3)]
    sessions = [Session(None, anonymous_client(stack), (users.SPEC, rsvps.SPEC, tavern_messages.SPEC))]
    sessions += [Session(one.user_id, one.client, (private_messages.SPEC,)) for one in people]
    with fault_proxy(stack.url) as proxy:
        engine = Engine.start(EngineConfig(proxy.url, stack.anon_key), ALL_SPECS, TIMING)
        for person in people:
            engine.attach(person.name, Signed(person))
        try:
            for person in people:
                assert engine.wait_loaded(30, user_id=person.user_id)
            yield proxy, engine, sessions, writers
        finally:
            over.set()
            engine.stop()


@pytest.mark.timeout(120 + 2 * SECONDS)
def test_after_a_storm_everybody_is_shown_what_is_there(
    storm: tuple[FaultProxy, Engine, list[Session], list[Writer]],
) -> None:
    proxy, engine, sessions, writers = storm
    for writer in writers:
        writer.start()
    faults = disturb(proxy, random.Random(SEED + 1), SECONDS)
    proxy.heal()
    # At last only events are lost, on streams that stay: nothing but reconciling finds out.
    for session in sessions:
        wait_for(lambda s=session: engine.status(s.user_id).state is FeedState.LIVE, what="all to be live")  # type: ignore[misc]
    proxy.rewrite = dropping(random.Random(SEED + 2))
    _let_pass(1.5)
    writers[0].over.set()
    for writer in writers:
        writer.join()
    proxy.heal()
    healed = time.monotonic()
    written = sum(writer.written for writer in writers)
    with contextlib.suppress(AssertionError):
        wait_for(
            lambda: all(session.differences(engine) == (0, 0, 0) for session in sessions),
            within=10,
            what="everybody to be shown what is there",
        )
    converged = time.monotonic() - healed
    lost, foreign, outdated = (sum(n) for n in zip(*(s.differences(engine) for s in sessions), strict=True))
    repaired = sum(engine.status(session.user_id).repaired for session in sessions)
    print(  # noqa: T201 - the report of the run
        f"seed {SEED}: {written} changes, {len(faults)} faults, lost {lost}, foreign {foreign},"
        f" outdated {outdated}, repaired {repaired}, converged after {converged:.2f} s"
    )
    assert (lost, foreign, outdated) == (0, 0, 0), f"seed {SEED}"
    wait_for(lambda: engine.status().state is FeedState.LIVE, what="the engine to be live again")
