"""What the tabs of a measurement show: a page with many rows, and one change of it that can be recognized."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import psycopg2

from local_supabase.stack.runtime import StackInfo
from tests.support.people import Person, sign_up

_MESSAGES: Final = 50_000
_EVENTS: Final = 1_000
_PEOPLE: Final = 5_000

_FILL_ROOM: Final = """
    insert into public.tavern_messages (author_id, body, created_at)
    select %(author)s, 'What was said before, number ' || n, now() - n * interval '1 minute'
    from generate_series(1, %(rows)s) n"""
_FILL_EVENTS: Final = """
    insert into public.events (organizer_id, title, description, starts_at, ends_at)
    select %(author)s, 'Event number ' || n, 'About event number ' || n,
        now() + n * interval '5 hours', now() + n * interval '5 hours' + interval '2 hours'
    from generate_series(1, %(rows)s) n"""
_FILL_PEOPLE: Final = """
    insert into auth.users (id, instance_id, aud, role, email, raw_user_meta_data, created_at, updated_at)
    select gen_random_uuid(), '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated',
        'guest-' || n || '@people.example', jsonb_build_object('display_name', 'Guest number ' || n),
        now(), now()
    from generate_series(1, %(rows)s) n"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A page with rows, and how one of them changes."""

    page: str
    fill: str
    """SQL that makes the rows."""
    rows: int
    change: Callable[[Writers, str], Awaitable[None]]
    """Makes a change that shows a text."""


class Writers:
    """People who change rows through REST, each in turn, as the quotas allow only so much for each."""

    def __init__(self, stack: StackInfo, people: Sequence[Person]) -> None:
        self._client = httpx.AsyncClient(base_url=f"{stack.url}/rest/v1", timeout=30)
        self._key = stack.anon_key
        self._people = itertools.cycle([(one.user_id, _token(one)) for one in people])
        self.first = people[0]
        self._first_token = _token(people[0])

    async def insert(self, table: str, author: str, row: dict[str, Any]) -> None:
        """Insert a row as the next person, whose id stands in the column `author`."""
        user_id, token = next(self._people)
        answer = await self._client.post(table, json={author: user_id, **row}, headers=self._headers(token))
        answer.raise_for_status()

    async def update(self, table: str, where: str, row: dict[str, Any]) -> None:
        """Update rows as the first person."""
        headers = self._headers(self._first_token)
        answer = await self._client.patch(f"{table}?{where}", json=row, headers=headers)
        answer.raise_for_status()

    def _headers(self, token: str) -> dict[str, str]:
        return {"apikey": self._key, "Authorization": f"Bearer {token}"}


async def _say(writers: Writers, text: str) -> None:
    await writers.insert("tavern_messages", "author_id", {"body": text})


async def _rename_event(writers: Writers, text: str) -> None:
    await writers.update("events", "description=eq.About event number 3", {"title": text})


async def _rename_person(writers: Writers, text: str) -> None:
    await writers.update("users", f"id=eq.{writers.first.user_id}", {"display_name": f"Aa {text}"})


SCENES: Final = {
    "room": Scene("tavern", _FILL_ROOM, _MESSAGES, _say),
    "events": Scene("events", _FILL_EVENTS, _EVENTS, _rename_event),
    "people": Scene("people", _FILL_PEOPLE, _PEOPLE, _rename_person),
}
"""The scenes by name."""


def fill(stack: StackInfo, scene: Scene, author: Person) -> None:
    """Make the rows of the scene."""
    with database(stack) as cursor:
        cursor.execute(scene.fill, {"author": author.user_id, "rows": scene.rows})


def writers(stack: StackInfo, count: int = 1) -> Writers:
    """Sign people up who write."""
    return Writers(stack, [sign_up(stack, "Aa Writer") for _ in range(count)])


@contextlib.contextmanager
def database(stack: StackInfo) -> Iterator[Any]:
    """Give a cursor of the database's owner."""
    with contextlib.closing(psycopg2.connect(stack.database_url)) as connection, connection:
        yield connection.cursor()


def _token(person: Person) -> str:
    session = person.client.auth.get_session()
    assert session is not None
    return session.access_token
