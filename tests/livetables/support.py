"""A user of the real Auth as a user session, and comparing an engine's tables with the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from supabase import Client

from livetables.engine import Engine
from livetables.tables.changes import Key
from livetables.tables.spec import AnySpec
from tests.support.paging import all_records
from tests.support.people import Person
from tests.support.wait import wait_for


@dataclass(slots=True)
class Signed:
    """Implements `livetables.users.UserSession` with the tokens of a signed-up person."""

    person: Person
    callbacks: list[Callable[[str], object]] = field(default_factory=list)

    @property
    def user_id(self) -> str:
        """The person's id."""
        return self.person.user_id

    def access_token(self) -> str:
        """Return the current token."""
        session = self.person.client.auth.get_session()
        assert session is not None
        return session.access_token

    def on_token(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Follow refreshes."""
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def refresh(self) -> None:
        """Get a new token and pass it on."""
        self.person.client.auth.refresh_session()
        for callback in list(self.callbacks):
            callback(self.access_token())


@dataclass(frozen=True, slots=True)
class SignedOut:
    """A user whose sign-in never returns a token."""

    user_id: str
    asked: list[None] = field(default_factory=list, compare=False)
    """One item for each time that a token was asked for."""

    def access_token(self) -> str:
        """Raise, as a sign-in that has ended does."""
        self.asked.append(None)
        raise ConnectionError

    def on_token(self, _callback: Callable[[str], object]) -> Callable[[], None]:
        """Never call back."""
        return lambda: None


def fresh_load(client: Client, spec: AnySpec) -> dict[Key, Any]:
    """Read the whole table as this client may see it."""
    records = all_records(lambda: client.table(spec.name).select(spec.columns), spec.key)
    return {spec.key_of(record): spec.parse(record) for record in records}


def rows_of(engine: Engine, table: str, user_id: str | None = None) -> dict[Key, Any]:
    """Return the rows that the engine holds of a table."""
    snapshot = engine.tables(user_id).get(table)
    return {} if snapshot is None else dict(snapshot.rows)


def agree(spec: AnySpec, shown: dict[Key, Any], existing: dict[Key, Any]) -> bool:
    """Return whether the shown rows are those that exist, down to the oldest row of the window."""
    if spec.window is None or spec.order is None or not shown:
        return shown == existing
    oldest = min(getattr(row, spec.order) for row in shown.values())
    # Rows as old as the oldest one may lie on either side of the window's edge.
    newer = {key for key, row in existing.items() if getattr(row, spec.order) > oldest}
    same = all(existing.get(key) == row for key, row in shown.items())
    return same and newer <= shown.keys() and len(shown) >= min(spec.window, len(existing))


def wait_equal(engine: Engine, spec: AnySpec, client: Client, user_id: str | None = None) -> None:
    """Wait until the engine holds what this client reads, row by row."""
    wait_for(
        lambda: agree(spec, rows_of(engine, spec.name, user_id), fresh_load(client, spec)),
        within=10,
        what=f"{spec.name} to equal a fresh load",
    )
