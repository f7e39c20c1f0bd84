"""Writers that change rows at random, directly in the database, past the faults of the proxy."""

from __future__ import annotations

import contextlib
import random
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg2

from tests.storm.faults import elapse

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
    """Make the tenant that the writers use, and return the id of the event that they answer to."""
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
    """Changes rows of its own, of every kind, until it is stopped. It can be paused."""

    def __init__(self, database_url: str, people: Sequence[str], event: str, chance: random.Random) -> None:
        super().__init__(name="writer")
        self._database_url = database_url
        self._people, self._event, self._random = people, event, chance
        self._written = 0
        self._messages: list[str] = []
        self._private: list[tuple[str, str]] = []
        self._runs: dict[str, str] = {}
        self._stopped = threading.Event()
        self._paused = threading.Event()
        self._writing = threading.Lock()
        self.failure: BaseException | None = None

    def stop(self) -> None:
        """Finish the write that is under way, and end the thread."""
        self._stopped.set()
        if self.is_alive():
            self.join()

    def pause(self) -> None:
        """Return when the write that is under way is finished. No other follows until `resume`."""
        self._paused.set()
        with self._writing:
            pass

    def resume(self) -> None:
        """Write again."""
        self._paused.clear()

    def run(self) -> None:
        """Write until `stop`."""
        try:
            with contextlib.closing(psycopg2.connect(self._database_url)) as database:
                database.autocommit = True
                while not self._stopped.wait(self._random.uniform(0, 0.02)):
                    with self._writing:
                        if not self._paused.is_set():
                            # What is written twice at one moment may be given up for the other write.
                            with contextlib.suppress(psycopg2.errors.DeadlockDetected):
                                self._random.choice(self._ways())(database.cursor())
                            self._written += 1
        except BaseException as error:
            self.failure = error
            raise

    def _ways(self) -> list[Callable[[Any], None]]:
        often: tuple[Callable[[Any], None], ...] = (
            self._post,
            self._edit,
            self._delete_posts,
            self._rsvp,
            self._delete_rsvp,
            self._send_private,
            self._advance_run,
            self._add_metric,
        )
        rarely = (
            self._hide,
            self._commit_late,
            self._delete_and_read_private,
            self._change_event,
            self._toggle_cohost,
        )
        return [*often * 3, *rarely, self._toggle_rater]

    def _person(self) -> str:
        return self._random.choice(self._people)

    def _post(self, cursor: Any, body: str = "a message") -> None:
        self._messages.append(str(uuid.uuid4()))
        sql = "insert into public.tavern_messages (id, author_id, body) values (%s, %s, %s)"
        cursor.execute(sql, (self._messages[-1], self._person(), body))

    def _commit_late(self, cursor: Any) -> None:
        """Keep a transaction open while others commit."""
        cursor.execute("begin")
        self._post(cursor, "late")
        elapse(self._random.uniform(0, 0.3))
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

    def _delete_posts(self, cursor: Any) -> None:
        some = [self._messages.pop(self._index(self._messages)) for _ in self._few(self._messages)]
        cursor.execute("delete from public.tavern_messages where id = any (%s::uuid[])", (some,))

    def _rsvp(self, cursor: Any) -> None:
        status = self._random.choice(["going", "maybe", "declined"])
        cursor.execute(
            "insert into public.rsvps (event_id, user_id, status) values (%s, %s, %s)"
            " on conflict (event_id, user_id) do update set status = excluded.status",
            (self._event, self._person(), status),
        )

    def _delete_rsvp(self, cursor: Any) -> None:
        cursor.execute(
            "delete from public.rsvps where event_id = %s and user_id = %s", (self._event, self._person())
        )

    def _send_private(self, cursor: Any) -> None:
        sender, recipient = self._random.sample(self._people, 2)
        self._private.append((str(uuid.uuid4()), recipient))
        cursor.execute(
            "insert into public.private_messages (id, sender_id, recipient_id, body)"
            " values (%s, %s, %s, 'psst')",
            (self._private[-1][0], sender, recipient),
        )

    def _delete_and_read_private(self, cursor: Any) -> None:
        """Delete private messages, and mark others as read."""
        gone = [self._private.pop(self._index(self._private))[0] for _ in self._few(self._private)]
        cursor.execute("delete from public.private_messages where id = any (%s::uuid[])", (gone,))
        if self._private:
            read = self._random.choice(self._private)[0]
            cursor.execute("update public.private_messages set read_at = now() where id = %s", (read,))

    def _advance_run(self, cursor: Any) -> None:
        """Begin a run of an agent, or advance one to its next status."""
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

    def _add_metric(self, cursor: Any) -> None:
        """Add a routing metric. The database adds it to the sums of its day."""
        cursor.execute(
            "insert into public.routing_metrics (user_id, request_id, provider, model, cost)"
            " values (%s, %s, 'storm', 'gale-1', 0.01)",
            (self._person(), str(uuid.uuid4())),
        )

    def _toggle_rater(self, cursor: Any) -> None:
        """Let a person join, leave or rejoin a tenant, so that other raters become visible or invisible."""
        cursor.execute(
            "insert into public.rater_profiles (user_id, tenant_id, rater_id, name)"
            " values (%(person)s, %(tenant)s, %(person)s, 'A rater')"
            " on conflict (user_id) do update set active = not rater_profiles.active",
            {"person": self._person(), "tenant": TENANT},
        )

    def _change_event(self, cursor: Any) -> None:
        place = f"Place {self._written}"
        cursor.execute("update public.events set location = %s where id = %s", (place, self._event))

    def _toggle_cohost(self, cursor: Any) -> None:
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


def pause_all(writers: Iterable[Writer]) -> None:
    """Pause all writers. Raises what any of them has failed with."""
    for writer in writers:
        writer.pause()
        if writer.failure is not None:
            raise writer.failure
