"""Every test of the rating core runs on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from local_supabase.runtime import StackInfo
from ratings.database import Database, open_database
from tests.ratings.workbench import Workbench
from tests.support import mariadb


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """Give a private MariaDB."""
    if (why := mariadb.missing()) is not None:
        pytest.skip(why)
    with mariadb.mariadb_server() as url:
        yield url


@pytest.fixture(scope="session")
def plain_postgres_url(stack: StackInfo) -> str:
    """Give an empty database, as on a Postgres that is no Supabase."""
    connection = psycopg2.connect(stack.database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("drop database if exists plain_ratings")
        cursor.execute("create database plain_ratings")
    connection.close()
    return urlsplit(stack.database_url)._replace(path="/plain_ratings").geturl()


@pytest.fixture(scope="session", params=["sqlite", "mariadb", "postgres", "supabase"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Give the rating tables on each kind of database; `supabase` has them from the migrations."""
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
    """Give a tenant of the test's own."""
    return Workbench(database)
