import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from local_supabase.database import CallerRequest, Database
from local_supabase.identity import Identity
from local_supabase.keys import Login, load_keys
from local_supabase.settings import Settings
from local_supabase.stack.config import Config
from local_supabase.stack.datadir import Ports
from tests.local_supabase.launch import Launched, launched, make_project
from tests.support.wait import wait_until

NOTES = """
create table public.notes (id int primary key, owner uuid not null default auth.uid());
alter table public.notes enable row level security;
create policy own on public.notes to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    folder = tmp_path_factory.mktemp("database")
    with launched(make_project(folder / "project", NOTES), folder / "data") as stack:
        yield stack


@pytest.fixture
async def database(running: Launched) -> AsyncIterator[Database]:
    data_dir = running.data_dir
    ports = data_dir.preferred_ports(Ports(Config().port, Config().database_port, Config().mailbox_port))
    settings = Settings(ports.gateway, ports.database, ports.mailbox, Path("project"), data_dir)
    opened = await Database.open(settings, load_keys(data_dir))
    yield opened
    await opened.close()


def caller(role: str = "authenticated", subject: str | None = None) -> Identity:
    claims: dict[str, object] = {"role": role, "sub": subject or str(uuid.uuid4())}
    return Identity(role, claims, json.dumps(claims))


async def test_row_level_security_sees_the_caller(database: Database) -> None:
    mine, yours = caller(), caller()
    async with database.as_caller(mine) as connection:
        await connection.execute("insert into notes (id) values (1)")
    async with database.as_caller(yours) as connection:
        assert await connection.fetch("select id from notes") == []
    async with database.as_caller(mine) as connection:
        assert [row["id"] for row in await connection.fetch("select id from notes")] == [1]
        assert str(await connection.fetchval("select owner from notes")) == mine.user_id


async def test_an_error_rolls_the_transaction_back(database: Database) -> None:
    me = caller()
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.as_caller(me) as connection:
            await connection.execute("insert into notes (id) values (2), (2)")
    async with database.as_caller(me) as connection:
        assert await connection.fetch("select id from notes") == []


async def test_a_read_only_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with database.as_caller(caller(), read_only=True) as connection:
            await connection.execute("insert into notes (id) values (3)")


async def test_functions_can_read_the_request(database: Database) -> None:
    headers = {"x-custom": 'quoted "value"', "cookie": "ü"}
    request = CallerRequest(headers, method="POST", path="/rpc/f")
    async with database.as_caller(caller(), request) as connection:
        row = await connection.fetchrow(
            "select current_setting('request.headers'), current_setting('request.method'),"
            " current_setting('request.path'), current_user, current_setting('search_path')"
        )
    assert row is not None
    assert json.loads(row[0]) == headers
    assert tuple(row)[1:] == ("POST", "/rpc/f", "authenticated", '"public", "extensions"')


async def test_no_setting_of_a_caller_stays_on_the_connection(database: Database) -> None:
    for _ in range(3):
        async with database.as_caller(caller("service_role")):
            pass
    anonymous = caller("anon")
    async with database.as_caller(anonymous) as connection:
        seen = await connection.fetchrow("select current_user::text, auth.uid()::text")
    assert seen is not None
    assert tuple(seen) == ("anon", anonymous.user_id)


@pytest.mark.parametrize(
    "role", ["postgres", "supabase_admin", "no_such_role", "anon; drop table notes", 'a"b', "none"]
)
async def test_a_role_that_callers_may_not_take_is_refused(database: Database, role: str) -> None:
    if role == "none":
        # "none" is valid in Postgres: the session's own role, which may only change to a caller's role.
        async with database.as_caller(caller(role)) as connection:
            assert await connection.fetchval("select current_user::text") == "authenticator"
        return
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
        async with database.as_caller(caller(role)):
            pass


@pytest.mark.parametrize("schema", ['public"; drop table notes; --', "no_such_schema", "a'b"])
async def test_a_schema_name_cannot_inject_sql(database: Database, schema: str) -> None:
    async with database.as_caller(caller(), CallerRequest(schema=schema)) as connection:
        assert await connection.fetchval("select count(*) from notes") is not None


async def test_each_service_has_its_own_role(database: Database) -> None:
    for login in (Login.AUTH_ADMIN, Login.STORAGE_ADMIN, Login.SUPABASE_ADMIN):
        async with database.as_admin(login) as connection:
            assert await connection.fetchval("select current_user::text") == login.value


async def test_more_callers_than_connections_wait_for_a_connection(database: Database) -> None:
    async def read_one() -> int:
        async with database.as_caller(caller()) as connection:
            value: int = await connection.fetchval("select 1")
            return value

    assert sum(await asyncio.gather(*(read_one() for _ in range(200)))) == 200


async def test_callers_wait_out_a_crash_of_the_database(database: Database, running: Launched) -> None:
    async with database.as_caller(caller()):
        pass
    old = running.children["postgres"]
    sessions = old.children()
    old.kill()
    # A statement that runs during the crash fails. A later one waits.
    await wait_until(lambda: not any(session.is_running() for session in sessions), what="the end of all")
    async with database.as_caller(caller()) as connection:
        assert await connection.fetchval("select 1") == 1
    async with database.as_admin() as connection:
        assert await connection.fetchval("select 1") == 1
    await wait_until(lambda: running.pids["postgres"] != old.pid, what="the new state")
