"""Fixtures of the rating core: each kind of database, and a Supabase project beside it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from local_supabase.stack.runtime import StackInfo
from ratings.bridge import SupabaseBridge, SupabaseSettings
from ratings.database import Database, open_database
from tests.ratings.supabase_project import Tenant
from tests.ratings.workbench import Workbench
from tests.support import mariadb


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """Start a private MariaDB."""
    if (why := mariadb.missing()) is not None:
        pytest.skip(why)
    with mariadb.mariadb_server() as url:
        yield url


@pytest.fixture(scope="session")
def plain_postgres_url(stack: StackInfo) -> str:
    """Create an empty database on a Postgres without Supabase's schemas."""
    connection = psycopg2.connect(stack.database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("drop database if exists plain_ratings")
        cursor.execute("create database plain_ratings")
    connection.close()
    return urlsplit(stack.database_url)._replace(path="/plain_ratings").geturl()


@pytest.fixture(scope="session", params=["sqlite", "mariadb", "postgres", "supabase"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Open the rating tables on each kind of database; `supabase` has them from the migrations."""
    match request.param:
        case "sqlite":
            file: Path = tmp_path_factory.mktemp("ratings") / "ratings.db"
            url = f"sqlite:///{file}"
        case "mariadb":
            url = request.getfixturevalue("mariadb_url")
        case "postgres":
            url = request.getfixturevalue("plain_postgres_url")
        case _:
            url = request.getfixturevalue("stack").database_url
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def bench(database: Database) -> Workbench:
    """Create a tenant for this test alone."""
    return Workbench(database)


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """Close what a test opens."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def tenant(stack: StackInfo) -> Tenant:
    """Create a tenant with an invite code."""
    name = f"acme_{uuid.uuid4().hex[:8]}"
    connection = psycopg2.connect(stack.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("insert into public.tenants (id, name) values (%s, 'Acme')", (name,))
        cursor.execute(
            "insert into public.tenant_invites (tenant_id, uses_left) values (%s, 9) returning code", (name,)
        )
        (code,) = cursor.fetchone() or ("",)
    connection.close()
    return Tenant(name, code)


@pytest.fixture
def bridge(stack: StackInfo, closing: ExitStack) -> Callable[[], SupabaseBridge]:
    """Make bridges to the stack, with the service key."""

    def make() -> SupabaseBridge:
        made = SupabaseBridge(SupabaseSettings(stack.url, stack.anon_key, stack.service_key))
        closing.callback(made.close)
        return made

    return make


@pytest.fixture
def file(tmp_path: Path, closing: ExitStack) -> Database:
    """Open a database in a file."""
    opened = open_database(f"sqlite:///{tmp_path}/ratings.db")
    closing.callback(opened.close)
    return opened
