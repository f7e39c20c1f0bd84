"""The tables that the tests watch, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from tests.supabase_schema.database import Session

ANN, BOB, EVE = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))

ITEMS = """
create table public.items (id uuid primary key default gen_random_uuid(), title text not null default '');
alter table public.items enable row level security;
create policy "Anybody may read" on public.items for select using (true);
"""
NOTES = """
create table public.notes (
    id uuid primary key default gen_random_uuid(), user_id uuid not null, body text not null default ''
);
alter table public.notes enable row level security;
create policy "Own notes" on public.notes for all to authenticated using ((select auth.uid()) = user_id);
"""


def watched(db: Session, tables: str, *names: str) -> None:
    """Create tables and watch those named."""
    db.run(tables)
    for name in names:
        db.value("select livetables.watch(%s)", name)


def cursor_of(db: Session) -> str:
    """Return the current cursor."""
    return str(db.changes_since(None)["cursor"])


def changes(db: Session, cursor: str, person: str | None, role: str | None = None) -> list[tuple[str, str]]:
    """Return what somebody is told to have changed: the operation and the table of each, in order."""
    db.act_as(person, role)
    answer = db.changes_since(cursor)
    db.act_as_owner()
    assert answer["resync"] is False
    told = cast(Sequence[Mapping[str, str]], answer["changes"])
    return [(change["op"], change["table"]) for change in told]


def described(db: Session, name: str) -> Mapping[str, Any]:
    """Return what the database says of a table."""
    answer = db.value("select public.livetables_tables(%s)", [name])
    (table,) = cast(Mapping[str, Any], answer)["tables"]
    return cast(Mapping[str, Any], table)


def codes(db: Session, name: str) -> list[str]:
    """Return the problems of a table, by their codes."""
    return [problem["code"] for problem in described(db, name)["problems"]]
