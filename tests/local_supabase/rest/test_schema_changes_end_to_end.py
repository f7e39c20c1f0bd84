"""The next request sees every change of the schema, whichever client made it."""

from collections.abc import Iterator

import pytest

from tests.local_supabase.rest.conftest import Rest


@pytest.fixture(autouse=True)
def _clean(rest: Rest) -> Iterator[None]:
    """Drop what the tests create."""
    yield
    rest.sql("drop table if exists public.fresh_child, public.fresh, public.fresh_other cascade")
    rest.sql("drop function if exists public.fresh_call(), public.fresh_call(int)")


def test_a_new_table_can_be_used_at_once(rest: Rest) -> None:
    for _ in range(5):
        assert rest.get("/fresh").status_code == 404
        rest.sql("create table public.fresh (id int primary key, name text)")
        assert rest.post("/fresh", {"id": 1}, Prefer="return=representation").json() == [
            {"id": 1, "name": None}
        ]
        rest.sql("drop table public.fresh")


def test_a_dropped_table_is_gone_at_once(rest: Rest) -> None:
    rest.sql("create table public.fresh (id int)")
    assert rest.get("/fresh").status_code == 200
    rest.sql("drop table public.fresh")
    assert rest.get("/fresh").status_code == 404


def test_new_and_changed_columns_are_seen_at_once(rest: Rest) -> None:
    rest.sql("create table public.fresh (id int primary key)")
    assert rest.post("/fresh", {"id": 1, "n": 5}).json()["code"] == "PGRST204"
    rest.sql("alter table public.fresh add column n int default 3")
    assert rest.post("/fresh", {"id": 1, "n": 5}).status_code == 201
    assert rest.get("/fresh?n=eq.5&select=n").json() == [{"n": 5}]
    rest.sql("alter table public.fresh alter column n type text using 'n' || n")
    assert rest.get("/fresh?n=eq.n5&select=n").json() == [{"n": "n5"}]
    rest.sql("alter table public.fresh rename column n to m")
    assert rest.get("/fresh?select=m").json() == [{"m": "n5"}]
    assert rest.get("/fresh?select=n").json()["code"] == "42703"


def test_a_statement_prepared_before_a_change_is_prepared_again(rest: Rest) -> None:
    rest.sql("create table public.fresh (id int primary key, v int)")
    rest.sql("insert into public.fresh values (1, 2)")
    for _ in range(40):
        assert rest.get("/fresh?id=eq.1").json() == [{"id": 1, "v": 2}]
    rest.sql("alter table public.fresh alter column v type text")
    for _ in range(40):
        assert rest.get("/fresh?id=eq.1").json() == [{"id": 1, "v": "2"}]


def test_a_new_foreign_key_can_be_followed_at_once(rest: Rest) -> None:
    rest.sql("create table public.fresh (id int primary key)")
    rest.sql("create table public.fresh_child (id int primary key, fresh_id int)")
    rest.sql("insert into public.fresh values (1); insert into public.fresh_child values (2, 1)")
    assert rest.get("/fresh?select=id,fresh_child(id)").json()["code"] == "PGRST200"
    rest.sql("alter table public.fresh_child add foreign key (fresh_id) references public.fresh")
    assert rest.get("/fresh?select=id,fresh_child(id)").json() == [{"id": 1, "fresh_child": [{"id": 2}]}]


def test_a_new_function_can_be_called_at_once(rest: Rest) -> None:
    assert rest.post("/rpc/fresh_call", {}).status_code == 404
    rest.sql("create function public.fresh_call() returns int language sql as 'select 1'")
    assert rest.post("/rpc/fresh_call", {}).json() == 1
    rest.sql("create function public.fresh_call(a int) returns int language sql as 'select a'")
    assert rest.post("/rpc/fresh_call", {"a": 2}).json() == 2


def test_a_reload_can_be_requested_by_notify(rest: Rest) -> None:
    # Event triggers do not fire for a replica, so no notification announces this table.
    rest.sql("set session_replication_role = replica; create table public.fresh (id int)")
    rest.sql("notify pgrst, 'reload schema'")
    assert rest.get("/fresh").status_code == 200


def test_changes_are_seen_after_every_connection_was_lost(rest: Rest) -> None:
    rest.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where usename in ('supabase_admin', 'authenticator') and backend_type = 'client backend' "
        "and pid <> pg_backend_pid()",
        superuser=True,
    )
    rest.sql("create table public.fresh (id int)")
    assert rest.get("/fresh").status_code == 200
    rest.sql("drop table public.fresh")
    assert rest.get("/fresh").status_code == 404
