"""The engine on somebody else's project: what `init` and `livetables.watch` make is all it needs."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from livetables.config import EngineConfig
from livetables.database.check import describe
from livetables.database.description import WatchedTable
from livetables.engine import Engine
from livetables.feed.status import FeedState
from livetables.tables.changes import Record
from livetables.tables.spec import PublicTables, TableSpec
from local_supabase.stack.runtime import StackInfo
from tests.livetables.broken import QUICK
from tests.livetables.database.tables import ITEMS, NOTES
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.livetables.support import Signed, rows_of
from tests.supabase_schema.database import Session, session
from tests.support.people import Person, sign_up
from tests.support.wait import wait_for

POSTS = """
create table public.posts (
    id uuid primary key default gen_random_uuid(), user_id uuid not null, body text not null,
    published boolean not null default false
);
alter table public.posts enable row level security;
create policy "Published and own" on public.posts for select
    using (published or (select auth.uid()) = user_id);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of either table."""

    text: str
    version: int


def reading(column: str) -> Callable[[Record], Row]:
    return lambda record: Row(str(record[column]), int(str(record["version"])))


def following(table: WatchedTable) -> Callable[[str, PublicTables], tuple[str, ...]]:
    return lambda user, _: tuple(f"{column}=eq.{user}" for column in table.filters)


@pytest.fixture(scope="module")
def owner(plain: StackInfo) -> Iterator[Session]:
    """Give the owner of a project with two watched tables; each statement commits."""
    with session(plain.database_url) as opened:
        opened.connection.autocommit = True
        opened.run(ITEMS + NOTES + POSTS)
        for name in ("items", "notes", "posts"):
            opened.run("select livetables.watch(%s)", name)
        opened.run("notify pgrst, 'reload schema'")
        yield opened
        opened.run("drop table public.items, public.notes, public.posts")


@pytest.fixture(scope="module")
def ann(plain: StackInfo) -> Person:
    return sign_up(plain, "Ann")


@contextlib.contextmanager
def running(plain: StackInfo, url: str) -> Iterator[Engine]:
    """Run an engine with specs made of what the database says."""
    tables = describe(plain.url, plain.anon_key).tables
    specs = [
        TableSpec(
            table.name,
            table.key,
            reading("title" if table.name == "items" else "body"),
            visibility=table.visibility,
            filters=following(table) if table.filters else None,
        )
        for table in tables
    ]
    engine = Engine.start(EngineConfig(url, plain.anon_key), specs, replace(QUICK, open=10, reconcile=0.3))
    try:
        yield engine
    finally:
        engine.stop()


def texts(engine: Engine, table: str, user_id: str | None = None) -> list[str]:
    return sorted(row.text for row in rows_of(engine, table, user_id).values())


def wait_texts(engine: Engine, expected: list[str], table: str = "items", user_id: str | None = None) -> None:
    wait_for(
        lambda: texts(engine, table, user_id) == expected,
        what=f"{expected}; they are {texts(engine, table, user_id)}",
        within=15,
    )


def wait_live(engine: Engine, user_id: str | None = None) -> None:
    wait_for(lambda: engine.status(user_id).state is FeedState.LIVE, what="the feed to be live", within=15)


@pytest.fixture
def proxy(plain: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(plain.url) as opened:
        yield opened


@pytest.fixture
def engine(plain: StackInfo, owner: Session, proxy: FaultProxy) -> Iterator[Engine]:
    """Give a live engine on empty tables, behind a proxy that can fail."""
    owner.run("delete from items; delete from notes; delete from posts")
    with running(plain, proxy.url) as started:
        wait_live(started)
        yield started


def test_a_key_that_comes_back_is_shown_again(engine: Engine, owner: Session) -> None:
    key = str(uuid.uuid4())
    for text in ("one", "two", "three"):
        owner.run("insert into items values (%s, %s)", key, text)
        wait_texts(engine, [text])
        owner.run("update items set title = title || '!'")
        wait_texts(engine, [f"{text}!"])
        owner.run("delete from items")
        wait_texts(engine, [])
    assert engine.status().repaired == 0


def test_a_truncated_table_is_empty(engine: Engine, owner: Session) -> None:
    owner.run("insert into items (title) values ('one'), ('two')")
    wait_texts(engine, ["one", "two"])
    owner.run("truncate items")
    wait_texts(engine, [])
    owner.run("insert into items (title) values ('three')")
    wait_texts(engine, ["three"])


def test_what_is_written_in_an_outage_comes_after_it(
    engine: Engine, owner: Session, proxy: FaultProxy
) -> None:
    owner.run("insert into items (title) values ('kept'), ('gone')")
    wait_texts(engine, ["gone", "kept"])
    proxy.refuse()
    wait_for(lambda: engine.status().state is FeedState.OFFLINE, what="the outage")
    owner.run("delete from items where title = 'gone'")
    owner.run("insert into items (title) values ('new')")
    proxy.heal()
    wait_texts(engine, ["kept", "new"])


def test_private_rows_reach_their_owner_alone(
    engine: Engine, owner: Session, plain: StackInfo, ann: Person
) -> None:
    bob = sign_up(plain, "Bob")
    for person in (ann, bob):
        engine.attach(person.name, Signed(person))
        wait_live(engine, person.user_id)
    owner.run("insert into notes (user_id, body) values (%s, 'hers'), (%s, 'his')", ann.user_id, bob.user_id)
    wait_texts(engine, ["hers"], "notes", ann.user_id)
    wait_texts(engine, ["his"], "notes", bob.user_id)
    owner.run("update notes set user_id = %s where body = 'his'", ann.user_id)
    wait_texts(engine, ["hers", "his"], "notes", ann.user_id)
    wait_texts(engine, [], "notes", bob.user_id)
    owner.run("delete from notes where body = 'his'")
    wait_texts(engine, ["hers"], "notes", ann.user_id)
    assert "notes" not in engine.tables()


def test_of_a_table_with_drafts_visitors_see_what_is_published_and_authors_their_drafts_too(
    engine: Engine, owner: Session, plain: StackInfo, ann: Person
) -> None:
    bob = sign_up(plain, "Bob")
    for person in (ann, bob):
        engine.attach(person.name, Signed(person))
        wait_live(engine, person.user_id)
    owner.run("insert into posts (user_id, body) values (%s, 'draft'), (%s, 'his')", ann.user_id, bob.user_id)
    wait_texts(engine, ["draft"], "posts", ann.user_id)
    wait_texts(engine, ["his"], "posts", bob.user_id)
    owner.run("update posts set published = true where body = 'draft'")
    wait_texts(engine, ["draft"], "posts")
    wait_texts(engine, ["draft", "his"], "posts", bob.user_id)
    owner.run("update posts set published = false where body = 'draft'")
    wait_texts(engine, [], "posts")
    wait_texts(engine, ["his"], "posts", bob.user_id)
    assert texts(engine, "posts", ann.user_id) == ["draft"]
