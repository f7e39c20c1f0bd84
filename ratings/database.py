"""One SQL database, whichever: how it is reached, what a transaction is there, and what is tried again."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from ratings.errors import BadDatabaseUrl, NotMigrated
from ratings.tables import Base, JudgmentRow, TenantRow

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)

_DRIVERS: Final[Mapping[str, str]] = {
    "postgresql": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
}
_TRIES: Final = 20
_WAITS: Final = {"40001", "40P01", "55P03", "1205", "1213", "1020"}
"""Serialization failures, deadlocks and lock timeouts of Postgres, MariaDB and MySQL."""


class Database:
    """A database with the rating tables. Thread-safe; close it at the end.

    `kept_by_triggers` says that these are the tables of `supabase/migrations`, whose triggers keep what
    follows from leases and judgments; else `ratings.counts` does.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine
        self.kept_by_triggers: Final = _has_triggers(engine)

    @property
    def dialect(self) -> str:
        """`postgresql`, `mysql`, `mariadb` or `sqlite`."""
        return self.engine.dialect.name

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def write(self, work: Callable[[Session], T]) -> T:
        """Do this in one transaction; once more when it met another one in a deadlock. It may run twice."""
        for attempt in range(1, _TRIES + 1):
            try:
                return self._in_transaction(work, writing=True)
            except DBAPIError as error:
                if attempt == _TRIES or not _met_another(error):
                    raise
                _log.info("Trying again after %s", type(error.orig).__name__)
                # Those who met part ways.
                time.sleep(random.uniform(0, 0.02 * attempt))  # noqa: S311 - no secret
        raise AssertionError("unreachable")

    def read(self, work: Callable[[Session], T]) -> T:
        """Do this in one transaction that writes nothing."""
        return self._in_transaction(work, writing=False)

    def _in_transaction(self, work: Callable[[Session], T], *, writing: bool) -> T:
        engine = self.engine.execution_options(rating_writes=writing)
        with Session(engine, expire_on_commit=False) as session, session.begin():
            return work(session)

    def now(self, session: Session) -> datetime:
        """Return the database's clock, which all programs on it share; a file has the computer's."""
        if self.dialect == "postgresql":
            return cast("datetime", session.execute(select(func.clock_timestamp())).scalar_one())
        if self.dialect == "sqlite":
            return datetime.now(UTC)
        found = session.execute(text("select utc_timestamp(6)")).scalar_one()
        return cast("datetime", found).replace(tzinfo=UTC)

    def lock_claims(self, session: Session, user_id: str) -> None:
        """Let one rater claim one task at a time, however many tabs there are."""
        if self.dialect == "postgresql":
            _advisory_lock(session, f"rating.claim.{user_id}")

    def lock_counts(self, session: Session, tenant_id: str) -> None:
        """Let one judgment of a tenant be counted at a time. After the lock of the task, never before it."""
        if self.dialect == "postgresql":
            _advisory_lock(session, f"rating.counts.{tenant_id}")
        elif self.dialect != "sqlite":
            session.execute(select(TenantRow.id).where(TenantRow.id == tenant_id).with_for_update())


def open_database(url: str) -> Database:
    """Connect to the database of this URL, and make the tables that are missing.

    Raises `BadDatabaseUrl`, `NotMigrated`; whatever SQLAlchemy raises when it cannot be reached.
    """
    engine = _engine(_usable(url))
    if not inspect(engine).has_table(JudgmentRow.__tablename__):
        if _is_supabase(engine):
            engine.dispose()
            raise NotMigrated
        Base.metadata.create_all(engine)
    return Database(engine)


_current: Database | None = None
_lock: Final = threading.Lock()


def init_db(url: str) -> Database:
    """Open the database that `get_db()` returns from then on."""
    global _current
    with _lock:
        if _current is not None:
            _current.close()
        _current = open_database(url)
        return _current


def get_db() -> Database:
    """Return the database that was opened with `init_db()`. Raises `BadDatabaseUrl` before that."""
    if _current is None:
        raise BadDatabaseUrl("Call init_db() with DATABASE_URL first.")
    return _current


def broke_a_rule(error: DBAPIError) -> bool:
    """Whether the database refused because of a constraint; MariaDB and MySQL name checks otherwise."""
    return isinstance(error, IntegrityError | DataError) or _code(error) in ("4025", "3819")


def _usable(url: str) -> URL:
    try:
        parsed = make_url(url.strip())
    except ArgumentError as error:
        raise BadDatabaseUrl from error
    backend = parsed.drivername.partition("+")[0]
    if backend not in _DRIVERS:
        raise BadDatabaseUrl
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadDatabaseUrl("Give SQLite a file, as sqlite:///ratings.db: memory is not shared by threads.")
    return parsed.set(drivername=_DRIVERS[backend]) if "+" not in parsed.drivername else parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, hide_parameters=True, connect_args={"timeout": 60, "check_same_thread": False}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Each statement sees what was committed before it: what was looked at before waiting for a lock is old.
    # Errors end up in logs, and parameters are gold answers and candidates' names.
    return create_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=50,
    )


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver's own idea of transactions is switched off, so that `begin` below decides.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma foreign_keys = on")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # Immediate: a transaction that reads first and writes later could else not get the lock any more.
    writing = connection.get_execution_options().get("rating_writes", True)
    connection.exec_driver_sql("begin immediate" if writing else "begin")


def _advisory_lock(session: Session, name: str) -> None:
    session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def _is_supabase(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql" and inspect(engine).has_schema("auth")


def _has_triggers(engine: Engine) -> bool:
    if engine.dialect.name != "postgresql":
        return False
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select exists (select from pg_catalog.pg_trigger where tgname = 'count_judgment'"
                " and tgrelid = to_regclass('judgments'))"
            )
        )
        return bool(found.scalar_one())


def _met_another(error: DBAPIError) -> bool:
    locked = isinstance(error, OperationalError) and "database is locked" in str(error.orig)
    return locked or _code(error) in _WAITS


def _code(error: DBAPIError) -> str:
    original = error.orig
    return str(getattr(original, "pgcode", None) or (getattr(original, "args", None) or ("",))[0])
