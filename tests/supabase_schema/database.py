"""Connections that act as a person, and a small set of people and rows for the tests of the schema."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2

Value = object
Row = tuple[Value, ...]


class Session:
    """A connection. It acts as the owner of the database until `act_as`."""

    def __init__(self, dsn: str) -> None:
        self.connection = psycopg2.connect(dsn)

    def close(self) -> None:
        """Close the connection without committing."""
        self.connection.close()

    def commit(self) -> None:
        """Commit, and act as the owner again."""
        self.connection.commit()

    def rollback(self) -> None:
        """Undo everything since the last commit, and act as the owner again."""
        self.connection.rollback()

    def act_as(self, person: str | None, role: str | None = None, **more: str) -> None:
        """Act as PostgREST does for a person's token, or for a visitor, until the transaction ends.

        `more` are other claims of the token.
        """
        role = role or ("authenticated" if person else "anon")
        claims = json.dumps({"role": role, **({"sub": person} if person else {}), **more})
        self.run(
            "select set_config('request.jwt.claims', %s, true), set_config('role', %s, true)", claims, role
        )

    def act_as_owner(self) -> None:
        """Act as the owner again, in the same transaction."""
        self.run("reset role; select set_config('request.jwt.claims', '', true)")

    def run(self, sql: str, *values: Value) -> int:
        """Execute a statement; return the number of rows it touched."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return int(cursor.rowcount)

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """Return the rows of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def value(self, sql: str, *values: Value) -> Value:
        """Return the one value of a query."""
        (row,) = self.rows(sql, *values)
        return row[0]

    def refusal(self, sql: str, *values: Value) -> psycopg2.Error:
        """Execute a statement that must fail; return its error. The transaction continues."""
        self.run("savepoint refusal")
        try:
            touched = self.run(sql, *values)
        except psycopg2.Error as error:
            self.run("rollback to savepoint refusal")
            return error
        raise AssertionError(f"Not refused ({touched} rows): {sql}")

    def changes_since(self, cursor: str | None) -> Mapping[str, object]:
        """Call the function as the API does."""
        answer = self.value("select public.changes_since(%s)", cursor)
        assert isinstance(answer, dict)
        return answer


@contextmanager
def session(dsn: str) -> Iterator[Session]:
    """Open a session for the block; what it does not commit is rolled back."""
    opened = Session(dsn)
    try:
        yield opened
    finally:
        opened.close()


def message(error: psycopg2.Error) -> str:
    """Return the message for the person."""
    return error.diag.message_primary or ""


def new_person(owner: Session, name: str, role: str = "member") -> str:
    """Create an account as the Auth service does; return its id."""
    person = str(uuid.uuid4())
    owner.run(
        "insert into auth.users (id, email, raw_user_meta_data) values (%s, %s, %s)",
        person, f"{person}@people.example", json.dumps({"display_name": name}),
    )  # fmt: skip
    if role != "member":
        owner.run("update public.users set role = %s where id = %s", role, person)
    return person


def new_event(
    owner: Session, organizer: str, *, capacity: int | None = None, starts_in: str = "2 days"
) -> str:
    """Create an event of one hour that starts after `starts_in`; return its id."""
    return str(
        owner.value(
            "insert into public.events (title, starts_at, ends_at, capacity, organizer_id)"
            " values ('Quiz night', now() + %s::interval, now() + %s::interval + interval '1 hour', %s, %s)"
            " returning id",
            starts_in, starts_in, capacity, organizer,
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    """People with one row each in every table. Their names are the roles of the access table."""

    people: Mapping[str, str]
    event: str
    chat: str
    private: str
    run: str
    metric: str
    budget: str
    price: str
    said: str

    @property
    def values(self) -> dict[str, str]:
        """The ids by name, for named placeholders."""
        return {
            **self.people,
            "event": self.event,
            "chat": self.chat,
            "private": self.private,
            "run": self.run,
            "metric": self.metric,
            "budget": self.budget,
            "price": self.price,
            "said": self.said,
        }

    def fill(self, sql: str) -> str:
        """Insert the ids into a statement."""
        return sql % {name: f"'{value}'" for name, value in self.values.items()}


def new_world(owner: Session) -> World:
    """Create the people and rows in the current transaction."""
    people = {name: new_person(owner, name) for name in ("owner", "other", "cohost", "recipient")}
    people["admin"] = new_person(owner, "admin", "admin")
    event = new_event(owner, people["owner"])
    owner.run("insert into public.event_cohosts (event_id, user_id) values (%s, %s)", event, people["cohost"])
    owner.run(
        "insert into public.rsvps (event_id, user_id, status) values (%s, %s, 'maybe')",
        event,
        people["owner"],
    )
    chat = owner.value(
        "insert into public.tavern_messages (author_id, body) values (%s, 'Hello') returning id",
        people["owner"],
    )
    said = owner.value(
        "insert into public.event_messages (event_id, author_id, body) values (%s, %s, 'Hello') returning id",
        event,
        people["recipient"],
    )
    private = owner.value(
        "insert into public.private_messages (sender_id, recipient_id, body)"
        " values (%s, %s, 'Psst') returning id",
        people["owner"],
        people["recipient"],
    )
    owner.run(
        "insert into public.ended_sessions (session_id, user_id) values (gen_random_uuid(), %s)",
        people["owner"],
    )
    run = owner.value(
        "insert into public.agent_runs (user_id, agent_name, agent_id, status)"
        " values (%s, 'Tester', 't-1', 'in_progress') returning id",
        people["owner"],
    )
    metric = owner.value(
        "insert into public.routing_metrics (user_id, request_id, provider, model)"
        " values (%s, 'r-1', 'acme', 'small') returning id",
        people["owner"],
    )
    budget = owner.value(
        "insert into public.routing_budgets (user_id, period, soft_limit, hard_limit)"
        " values (%s, 'month', 10, 20) returning id",
        people["owner"],
    )
    price = owner.value(
        "insert into public.model_prices (provider, model, input_price, output_price)"
        " values ('acme', %s, 1, 2) returning id",
        event,  # a name of its own
    )
    ids = (chat, private, run, metric, budget, price, said)
    return World(people, event, *(str(each) for each in ids))
