"""Writers that change rows at random, straight in the database, past everything that is broken."""

from __future__ import annotations

import contextlib
import random
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg2

from tests.storm.weather import let_pass

_NEXT_STATUS = {
    "pending": ("in_progress", "cancelled"),
    "in_progress": ("awaiting_verification", "completed", "failed"),
    "awaiting_verification": ("verification_in_progress",),
    "verification_in_progress": ("verification_passed", "verification_failed"),
    "verification_failed": ("in_progress", "escalated_to_human"),
    "verification_passed": ("completed",),
}


TENANT = "storm"


def prepare(database_url: str) -> str:
    """Make what the writers count on; return the id of the event whose guests they are."""
    with contextlib.closing(psycopg2.connect(database_url)) as database, database:
        cursor = database.cursor()
        cursor.execute(
            "insert into public.tenants (id, name) values (%s, 'Storm') on conflict do nothing", (TENANT,)
        )
        cursor.execute("select id from public.events where capacity is null and cancelled_at is null limit 1")
        found = cursor.fetchone()
    assert found is not None
    return str(found[0])


class Writer(threading.Thread):
    """Changes rows of its own of every kind until `over`, resting while `quiet`."""

    def __init__(self, database_url: str, people: Sequence[str], event: str, chance: random.Random) -> None:
        super().__init__(name="writer")
        self._database_url = database_url
        self._people, self._event, self._random = people, event, chance
        self._written = 0
        self._messages: list[str] = []
        self._whispers: list[tuple[str, str]] = []
        self._runs: dict[str, str] = {}
        self._over = threading.Event()
        self._resting = threading.Event()
        self._rest = threading.Event()
        self.failure: BaseException | None = None

    def stop(self) -> None:
        """End, after what is being written."""
        self._over.set()
        if self.is_alive():
            self.join()

    def rest(self) -> None:
        """Return once nothing more is being written."""
        self._rest.set()
        while self.is_alive() and not self._resting.wait(0.1):
            pass

    def go_on(self) -> None:
        """Write again."""
        self._resting.clear()
        self._rest.clear()

    def run(self) -> None:
        """Write until it is over."""
        try:
            with contextlib.closing(psycopg2.connect(self._database_url)) as database:
                database.autocommit = True
                while not self._over.wait(self._random.uniform(0, 0.02)):
                    if self._rest.is_set():
                        self._resting.set()
                        continue
                    self._random.choice(self._ways())(database.cursor())
                    self._written += 1
        except BaseException as error:
            self.failure = error
            raise

    def _ways(self) -> list[Callable[[Any], None]]:
        often: tuple[Callable[[Any], None], ...] = (
            self._say,
            self._edit,
            self._unsay,
            self._answer,
            self._withdraw,
            self._whisper,
            self._work,
            self._route,
        )
        rarely = (self._hide, self._commit_late, self._take_back, self._change_event, self._cohost)
        return [*often * 3, *rarely, self._rate]

    def _person(self) -> str:
        return self._random.choice(self._people)

    def _say(self, cursor: Any, words: str = "words") -> None:
        self._messages.append(str(uuid.uuid4()))
        sql = "insert into public.tavern_messages (id, author_id, body) values (%s, %s, %s)"
        cursor.execute(sql, (self._messages[-1], self._person(), words))

    def _commit_late(self, cursor: Any) -> None:
        """Keep a transaction open while others commit."""
        cursor.execute("begin")
        self._say(cursor, "late")
        let_pass(self._random.uniform(0, 0.3))
        if self._random.random() < 0.8:
            cursor.execute("commit")
        else:
            cursor.execute("rollback")
            self._messages.pop()

    def _edit(self, cursor: Any) -> None:
        if self._messages:
            body, message = f"edit {self._written}", self._random.choice(self._messages)
            cursor.execute(
                "update public.tavern_messages set body = %s where id = %s and hidden_at is null",
                (body, message),
            )

    def _hide(self, cursor: Any) -> None:
        if self._messages:
            sql = (
                "update public.tavern_messages set hidden_at = case when hidden_at is null then now() end"
                " where id = %s"
            )
            cursor.execute(sql, (self._random.choice(self._messages),))

    def _unsay(self, cursor: Any) -> None:
        some = [self._messages.pop(self._index(self._messages)) for _ in self._few(self._messages)]
        cursor.execute("delete from public.tavern_messages where id = any (%s::uuid[])", (some,))

    def _answer(self, cursor: Any) -> None:
        status = self._random.choice(["going", "maybe", "declined"])
        cursor.execute(
            "insert into public.rsvps (event_id, user_id, status) values (%s, %s, %s)"
            " on conflict (event_id, user_id) do update set status = excluded.status",
            (self._event, self._person(), status),
        )

    def _withdraw(self, cursor: Any) -> None:
        cursor.execute(
            "delete from public.rsvps where event_id = %s and user_id = %s", (self._event, self._person())
        )

    def _whisper(self, cursor: Any) -> None:
        sender, recipient = self._random.sample(self._people, 2)
        self._whispers.append((str(uuid.uuid4()), recipient))
        cursor.execute(
            "insert into public.private_messages (id, sender_id, recipient_id, body)"
            " values (%s, %s, %s, 'psst')",
            (self._whispers[-1][0], sender, recipient),
        )

    def _take_back(self, cursor: Any) -> None:
        """Delete private messages, and mark others as read."""
        gone = [self._whispers.pop(self._index(self._whispers))[0] for _ in self._few(self._whispers)]
        cursor.execute("delete from public.private_messages where id = any (%s::uuid[])", (gone,))
        if self._whispers:
            read = self._random.choice(self._whispers)[0]
            cursor.execute("update public.private_messages set read_at = now() where id = %s", (read,))

    def _work(self, cursor: Any) -> None:
        """Let a run of an agent begin, or go on."""
        if not self._runs or self._random.random() < 0.2:
            run = str(uuid.uuid4())
            cursor.execute(
                "insert into public.agent_runs (id, user_id, agent_name, agent_id)"
                " values (%s, %s, 'Storm', 'storm-1')",
                (run, self._person()),
            )
            self._runs[run] = "pending"
            return
        run = self._random.choice(list(self._runs))
        status = self._runs[run] = self._random.choice(_NEXT_STATUS[self._runs[run]])
        cursor.execute(
            "update public.agent_runs set status = %s, progress_percent = %s where id = %s",
            (status, self._random.randrange(100), run),
        )
        if status not in _NEXT_STATUS:
            del self._runs[run]

    def _route(self, cursor: Any) -> None:
        """Note what was routed, from which the database keeps the sums of the day."""
        cursor.execute(
            "insert into public.routing_metrics (user_id, request_id, provider, model, cost)"
            " values (%s, %s, 'storm', 'gale-1', 0.01)",
            (self._person(), str(uuid.uuid4())),
        )

    def _rate(self, cursor: Any) -> None:
        """Let somebody join a tenant, leave it or come back: others come into sight and go out of it."""
        cursor.execute(
            "insert into public.rater_profiles (user_id, tenant_id, rater_id, name)"
            " values (%(person)s, %(tenant)s, %(person)s, 'A rater')"
            " on conflict (user_id) do update set active = not rater_profiles.active",
            {"person": self._person(), "tenant": TENANT},
        )

    def _change_event(self, cursor: Any) -> None:
        place = f"Place {self._written}"
        cursor.execute("update public.events set location = %s where id = %s", (place, self._event))

    def _cohost(self, cursor: Any) -> None:
        row = (self._event, self._person())
        if self._random.random() < 0.5:
            cursor.execute("delete from public.event_cohosts where event_id = %s and user_id = %s", row)
        else:
            cursor.execute(
                "insert into public.event_cohosts (event_id, user_id) values (%s, %s) on conflict do nothing",
                row,
            )

    def _index(self, things: Sequence[object]) -> int:
        return self._random.randrange(len(things))

    def _few(self, things: Sequence[object]) -> range:
        return range(min(len(things), self._random.randint(1, 3)))


def rest_all(writers: Iterable[Writer]) -> None:
    """Return once none of them is writing."""
    for writer in writers:
        writer.rest()
        if writer.failure is not None:
            raise writer.failure
