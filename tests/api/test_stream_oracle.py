"""The oracle of the streams: whatever is written and however often a listener is cut off, it ends with what
a query of its own gives, and never hears of what is not its own.

`TAVERN_ORACLE_SEED` repeats a run.
"""

import asyncio
import contextlib
import itertools
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg2

from local_supabase.runtime import StackInfo
from tests.api.listening import Mirror, Rows, Stream, listening
from tests.api.serving import token_of
from tests.support.app import AppUnderTest
from tests.support.people import Person, sign_up
from tests.support.wait import wait_until

SEED = int(os.environ.get("TAVERN_ORACLE_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
WRITES, CUTS = 200, 4
TABLES = ("tavern_messages", "rsvps", "private_messages", "agent_runs")
FILTER = "agent_runs:progress_percent=lt.70"


class Writer(threading.Thread):
    """Changes rows at random, straight in the database; some transactions stay open for a while."""

    def __init__(self, stack: StackInfo, people: list[Person], event: str, chance: random.Random) -> None:
        super().__init__(name="writer")
        self.enough: Callable[[], bool] = lambda: True
        self._url, self._people, self._event, self._random = stack.database_url, people, event, chance
        self._messages: list[str] = []
        self._whispers: list[str] = []
        self._runs: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        """Write."""
        with (
            contextlib.closing(psycopg2.connect(self._url)) as quick,
            contextlib.closing(psycopg2.connect(self._url)) as slow,
        ):
            for number in itertools.count():
                if number >= WRITES and self.enough():
                    break
                database = self._random.choice([quick, quick, slow])
                with database.cursor() as cursor:
                    self._write(cursor)
                quick.commit()
                if number % 20 == 0:
                    slow.commit()
                self.over.wait(0.004)
            slow.commit()
        self.over.set()

    def _write(self, cursor: Any) -> None:
        me = self._random.choice(self._people).user_id
        other = self._random.choice([one for one in self._people if one.user_id != me]).user_id
        # What two transactions change at the same time waits for the slower: each row has one writer.
        match self._random.randrange(6):
            case 0:
                self._messages.append(self._insert(cursor, "tavern_messages (author_id, body)", me, "Hello"))
            case 1:
                to = "private_messages (sender_id, recipient_id, body)"
                self._whispers.append(self._insert(cursor, to, me, other, "Psst"))
            case 2:
                to = "agent_runs (user_id, agent_name, agent_id, progress_percent)"
                percent = self._random.randrange(100)
                self._runs.append(self._insert(cursor, to, me, "oracle", "o", percent))
            case 3 if self._runs:
                self._try(
                    cursor,
                    "update public.agent_runs set progress_percent = %s where id = %s",
                    self._random.randrange(100),
                    self._random.choice(self._runs),
                )
            case 4 if self._messages:
                gone = self._messages.pop(self._random.randrange(len(self._messages)))
                self._try(cursor, "delete from public.tavern_messages where id = %s", gone)
            case 5:
                self._try(
                    cursor,
                    "delete from public.rsvps where event_id = %s and user_id = %s",
                    self._event,
                    me,
                )
                self._try(
                    cursor,
                    "insert into public.rsvps (event_id, user_id, status) values (%s, %s, 'going')"
                    " on conflict do nothing",
                    self._event,
                    me,
                )

    def _insert(self, cursor: Any, into: str, *values: object) -> str:
        places = ", ".join(["%s"] * len(values))
        cursor.execute(f"insert into public.{into} values ({places}) returning id::text", values)
        return str(cursor.fetchone()[0])

    def _try(self, cursor: Any, statement: str, *values: object) -> None:
        """Do it unless the other transaction is at the same row, which would wait for ever."""
        cursor.execute("savepoint one")
        try:
            cursor.execute("set local lock_timeout = '5ms'")
            cursor.execute(statement, values)
        except psycopg2.errors.LockNotAvailable:
            cursor.execute("rollback to savepoint one")


@dataclass(slots=True)
class Listener:
    """Follows the tables, cut off again and again, and begins where it was."""

    person: Person
    chance: random.Random
    mirror: Mirror = field(default_factory=Mirror)
    last_id: str | None = None
    cuts: int = 0

    async def follow(self, url: str, over: threading.Event) -> None:
        """Go on until what is mirrored is what there is."""
        while True:
            fresh = self.last_id is None
            if fresh:
                self.mirror.tables.clear()
            async with listening(
                url,
                token_of(self.person),
                ",".join(TABLES),
                last_id=self.last_id,
                snapshot=fresh,
                filter=FILTER,
            ) as stream:
                if fresh and self.chance.random() < 0.3:
                    await self._take(stream, self.chance.randrange(20))
                else:
                    await self._until_ready(stream)
                    stays = over.is_set() and not fresh
                    if await self._take(stream, None if stays else self.chance.randrange(40)):
                        return
            self.last_id = stream.last_id
            self.cuts += 1

    async def _until_ready(self, stream: Stream) -> None:
        while (event := await stream.next("change", "ready")).name != "ready":
            self.mirror.take(event)

    async def _take(self, stream: Stream, most: int | None) -> bool:
        """Take so many events, or with no number all until the mirror is right."""
        if most is None:
            while not await asyncio.to_thread(self.is_right):
                self.mirror.take(await stream.next("change", "resync"))
            return True
        with contextlib.suppress(TimeoutError):  # there may be no more
            async with asyncio.timeout(0.3):
                for _ in range(most):
                    self.mirror.take(await stream.next("change", "resync"))
        return False

    def is_right(self) -> bool:
        """Compare with the tables as this person may read them."""
        return all(self.mirror.rows(table) == self.expected(table) for table in TABLES)

    def expected(self, table: str) -> Rows:
        """Read a table afresh."""
        query = self.person.client.table(table).select("*").limit(1000)
        if table == "agent_runs":
            query = query.lt("progress_percent", 70)
        key = ("event_id", "user_id") if table == "rsvps" else ("id",)
        rows: Any = query.execute().data
        return {"/".join(str(row[column]) for column in key): row for row in rows}


async def test_every_listener_ends_with_what_there_is(server: AppUnderTest, stack: StackInfo) -> None:
    print(f"seed {SEED}")  # noqa: T201  # to repeat it
    chance = random.Random(SEED)
    people = [await asyncio.to_thread(sign_up, stack, name) for name in ("Olga", "Pavel", "Rita")]
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database.cursor() as cursor:
        cursor.execute("select id::text from public.events where capacity is null order by starts_at desc")
        (event,) = cursor.fetchone() or ("",)
    writer = Writer(stack, people, event, random.Random(chance.random()))
    listeners = [Listener(person, random.Random(chance.random())) for person in people]
    writer.enough = lambda: all(one.cuts >= CUTS for one in listeners)
    writer.start()
    async with asyncio.timeout(90):
        await asyncio.gather(*(one.follow(server.url, writer.over) for one in listeners))
    await wait_until(lambda: not writer.is_alive(), what="the writer to be done")
    for one in listeners:
        assert one.is_right()
        assert one.cuts >= CUTS
    own = [{key for table in TABLES[2:] for key in one.expected(table)} for one in listeners]
    for one, mine in zip(listeners, own, strict=True):
        foreign = set().union(*own) - mine
        assert foreign
        assert not one.mirror.seen & foreign
