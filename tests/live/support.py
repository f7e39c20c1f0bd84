"""A person of the real Auth, as the engine's user session; and what the database holds, read afresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import jwt
from supabase import Client

from live.changes import Key, Record
from live.engine import Engine
from live.tables import AnySpec
from tests.support.people import Person
from tests.support.wait import wait_for


@dataclass(slots=True)
class Signed:
    """Satisfies `live.users.UserSession` with the tokens of a signed-up person."""

    person: Person
    callbacks: list[Callable[[str], object]] = field(default_factory=list)

    @property
    def user_id(self) -> str:
        """The person's id."""
        return self.person.user_id

    @property
    def claims(self) -> dict[str, object]:
        """The claims of the token."""
        return dict(jwt.decode(self.access_token(), options={"verify_signature": False}))

    def access_token(self) -> str:
        """Return the present token."""
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


def fresh_load(client: Client, spec: AnySpec) -> dict[Key, Any]:
    """Read the whole table as this client may see it."""
    query = client.table(spec.name).select(spec.columns).limit(1000)
    answer = (query.order(spec.order, desc=True) if spec.order else query).execute()
    records = cast(list[Record], answer.data)
    return {spec.key_of(record): spec.parse(record) for record in records}


def rows_of(engine: Engine, table: str, user_id: str | None = None) -> dict[Key, Any]:
    """Return what the engine shows of a table."""
    snapshot = engine.tables(user_id).get(table)
    return {} if snapshot is None else dict(snapshot.rows)


def agree(spec: AnySpec, shown: dict[Key, Any], there: dict[Key, Any]) -> bool:
    """Return whether what is shown is what is there, down to the oldest row of the window if there is one."""
    if spec.window is None or spec.order is None or not shown:
        return shown == there
    oldest = min(getattr(row, spec.order) for row in shown.values())
    # Rows as old as the oldest one may lie on either side of the window's edge.
    newer = {key for key, row in there.items() if getattr(row, spec.order) > oldest}
    same = all(there.get(key) == row for key, row in shown.items())
    return same and newer <= shown.keys() and len(shown) >= min(spec.window, len(there))


def wait_equal(engine: Engine, spec: AnySpec, client: Client, user_id: str | None = None) -> None:
    """Wait until the engine shows what this client reads, row by row."""
    wait_for(
        lambda: agree(spec, rows_of(engine, spec.name, user_id), fresh_load(client, spec)),
        within=10,
        what=f"{spec.name} to equal a fresh load",
    )
