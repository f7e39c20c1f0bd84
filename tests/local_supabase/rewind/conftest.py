"""A test stack with a project that has a bit of everything that can change."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local_supabase.auth.service import RATE_LIMIT_VARIABLE
from local_supabase.auth.settings import LIMITS
from local_supabase.testing.stacks import SessionStack
from local_supabase.testing.supabase import Supabase
from tests.local_supabase.launch import make_project

_MIGRATION = """
create table public.parents (id int generated always as identity primary key, name text not null unique);
create table public.children (
    id serial primary key, parent int not null references public.parents on delete cascade, note text,
    shouted text generated always as (upper(note)) stored
);
create unlogged table public.drafts (body text);
create table public.parted (day date not null) partition by range (day);
create table public.parted_2026 partition of public.parted for values from ('2026-01-01') to ('2027-01-01');
create materialized view public.totals as select count(*) as parents from public.parents;
create table public.audit (line text);
create function public.note_it() returns trigger language plpgsql as
    $$ begin insert into public.audit values (tg_op); return null; end $$;
create trigger noted after insert or delete on public.parents for each row execute function public.note_it();
alter table public.parents enable row level security;
create policy "all read" on public.parents for select using (true);
grant select on public.parents to anon, authenticated;
insert into storage.buckets (id, name) values ('files', 'files');
"""
_SEED = """
insert into public.parents (name) values ('ada'), ('bo');
insert into public.children (parent, note) values (1, 'x');
insert into public.drafts values ('seeded');
refresh materialized view public.totals;
"""


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionStack]:
    folder = tmp_path_factory.mktemp("rewind")
    project = make_project(folder / "supabase", _MIGRATION, seed=_SEED)
    with pytest.MonkeyPatch.context() as patch:
        # The stack that other tests share has a thousand times the limits, by the environment.
        for name in LIMITS:
            patch.delenv(f"{RATE_LIMIT_VARIABLE}_{name.upper()}", raising=False)
        stack = SessionStack(project, folder / "cache")
        yield stack
        stack.close()


@pytest.fixture(scope="package")
def connections() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def supabase(stack: SessionStack, connections: httpx.Client) -> Iterator[Supabase]:
    own = Supabase(stack.info, connections)
    yield own
    own.close()
    assert Path(stack.info.data_dir).exists()
