"""A project with a public table of items and a private one of notes, with the SQL of the library."""

from collections.abc import Iterator

import pytest

from livetables.config import EngineConfig
from livetables.database.migration import write
from livetables.library.database import Database
from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.support.stack import running_stack

TABLES = """
create table items (
    id uuid primary key default gen_random_uuid(),
    title text not null check (length(title) < 50),
    done boolean not null default false,
    made_at timestamptz not null default now()
);
alter table items enable row level security;
create policy "Anybody" on items for all to anon, authenticated
    using (true) with check (title <> 'forbidden');
select livetables.watch('items');

create table notes (
    id bigint primary key generated always as identity, user_id uuid not null, body text not null
);
alter table notes enable row level security;
create policy "Own" on notes for all to authenticated using (user_id = (select auth.uid()));
select livetables.watch('notes');

create table seats (hall text, number int, taken boolean not null default false, primary key (hall, number));
alter table seats enable row level security;
create policy "Anybody" on seats for all to anon, authenticated using (true);
select livetables.watch('seats');

create function tick_all() returns int language sql
as $$ update items set done = true where not done; select 42 $$;
create function refuse() returns void language plpgsql as $$ begin raise exception 'Not today.'; end $$;

create table unwatched (id int primary key);
"""


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """Run that project."""
    folder = tmp_path_factory.mktemp("shop") / "supabase"
    (folder / "migrations").mkdir(parents=True)
    path = write(folder).path
    path.with_name("99990101000000_tables.sql").write_text(TABLES)
    with running_stack(tmp_path_factory.mktemp("shop data") / "data", folder) as info:
        yield info


@pytest.fixture
def proxy(shop: StackInfo) -> Iterator[FaultProxy]:
    """Return a proxy in front of that project that can fail."""
    with fault_proxy(shop.url) as proxy:
        yield proxy


@pytest.fixture
def db(proxy: FaultProxy, shop: StackInfo) -> Iterator[Database]:
    """Return a database behind the proxy that watches the items."""
    database = Database(EngineConfig(proxy.url, shop.anon_key))
    database.watch("items", order="title")
    assert database.engine.wait_loaded(30)
    yield database
    database.engine.stop()
