"""Opens an SQL database, and runs transactions on it with retries after lock conflicts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from ratings.errors import BadDatabaseUrlError, NotMigratedError
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
_ATTEMPTS: Final = 20
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.4
"""Seconds between two attempts."""
_CONFLICTS: Final = {"40001", "40P01", "55P03", "1205", "1213", "1020"}
"""Codes of serialization failures, deadlocks and lock timeouts of Postgres, MariaDB and MySQL."""


class Database:
    """A database with the rating tables. Thread-safe; close it at the end.

    `kept_by_triggers` says that the tables are those of `supabase/migrations`, whose triggers update the
    derived columns. Otherwise `ratings.counts` updates them.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine
        self.kept_by_triggers: Final = _has_triggers(engine)

    @property
    def dialect(self) -> str:
        """The kind of database: `postgresql`, `mysql`, `mariadb` or `sqlite`."""
        return self.engine.dialect.name

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction and return its result.

        After a deadlock or another lock conflict it runs again, up to 20 times. Raises what `work` raises.
        """
        for attempt in _lock_conflict_retries():
            with attempt:
                return self._in_transaction(work, writing=True)
        raise AssertionError("unreachable")

    def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction that only reads, and return its result."""
        return self._in_transaction(work, writing=False)

    def _in_transaction(self, work: Callable[[Session], T], *, writing: bool) -> T:
        engine = self.engine.execution_options(rating_writes=writing)
        with Session(engine, expire_on_commit=False) as session, session.begin():
            return work(session)

    def now(self, session: Session) -> datetime:
        """Return the time of the database's clock, which its programs share; for SQLite the computer's."""
        if self.dialect == "postgresql":
            return cast("datetime", session.execute(select(func.clock_timestamp())).scalar_one())
        if self.dialect == "sqlite":
            return datetime.now(UTC)
        found = session.execute(text("select utc_timestamp(6)")).scalar_one()
        return cast("datetime", found).replace(tzinfo=UTC)

    def lock_claims(self, session: Session, user_id: str) -> None:
        """Let a rater claim one task at a time, however many tabs they have open."""
        if self.dialect == "postgresql":
            _advisory_lock(session, f"rating.claim.{user_id}")

    def lock_counts(self, session: Session, tenant_id: str) -> None:
        """Let one judgment of a tenant be counted at a time. Lock the task first, never after this."""
        if self.dialect == "postgresql":
            _advisory_lock(session, f"rating.counts.{tenant_id}")
        elif self.dialect != "sqlite":
            session.execute(select(TenantRow.id).where(TenantRow.id == tenant_id).with_for_update())


def open_database(url: str) -> Database:
    """Connect to the database of this URL, and create missing tables.

    Raises `BadDatabaseUrlError`, `NotMigratedError`, and SQLAlchemy's errors if it is unreachable.
    """
    engine = _engine(_usable(url))
    if not inspect(engine).has_table(JudgmentRow.__tablename__):
        if _is_supabase(engine):
            engine.dispose()
            raise NotMigratedError
        Base.metadata.create_all(engine)
    return Database(engine)


_current: Database | None = None
_lock: Final = threading.Lock()


def init_db(url: str) -> Database:
    """Open the database that `get_db()` returns from now on. Raises what `open_database` raises."""
    global _current
    with _lock:
        if _current is not None:
            _current.close()
        _current = open_database(url)
        return _current


def get_db() -> Database:
    """Return the database of `init_db()`. Raises `BadDatabaseUrlError` before that."""
    if _current is None:
        raise BadDatabaseUrlError("Call init_db() with DATABASE_URL first.")
    return _current


def violates_constraint(error: DBAPIError) -> bool:
    """Return whether a constraint caused the error. MariaDB and MySQL have codes of their own for checks."""
    return isinstance(error, IntegrityError | DataError) or _code(error) in ("4025", "3819")


def _usable(url: str) -> URL:
    try:
        parsed = make_url(url.strip())
    except ArgumentError as error:
        raise BadDatabaseUrlError from error
    backend = parsed.drivername.partition("+")[0]
    if backend not in _DRIVERS:
        raise BadDatabaseUrlError
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadDatabaseUrlError(
            "Give SQLite a file, as sqlite:///ratings.db: memory is not shared by threads."
        )
    return parsed.set(drivername=_DRIVERS[backend]) if "+" not in parsed.drivername else parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, hide_parameters=True, connect_args={"timeout": 60, "check_same_thread": False}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Read committed, because rows that were read before waiting for a lock are out of date.
    # Errors end up in logs, so they must not show parameters: gold verdicts and names of candidates.
    return create_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=50,
    )


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself; `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma foreign_keys = on")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # Immediate, because a transaction that reads before it writes may fail to get the lock later.
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


def _is_lock_conflict(error: BaseException) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    locked = isinstance(error, OperationalError) and "database is locked" in str(error.orig)
    return locked or _code(error) in _CONFLICTS


def _code(error: DBAPIError) -> str:
    original = error.orig
    return str(getattr(original, "pgcode", None) or (getattr(original, "args", None) or ("",))[0])


def _lock_conflict_retries() -> Retrying:
    return Retrying(
        retry=retry_if_exception(_is_lock_conflict),
        stop=stop_after_attempt(_ATTEMPTS),
        # Random pauses, so that two transactions in conflict do not meet again.
        wait=wait_random_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE),
        before_sleep=_log_conflict,
        reraise=True,
    )


def _log_conflict(state: RetryCallState) -> None:
    # Not the error itself: its text may hold rows with secrets.
    error = state.outcome.exception() if state.outcome else None
    _log.info("Trying again after %s", type(getattr(error, "orig", error)).__name__)
