"""Runs SQL files: the bootstrap of the database, a project's migrations and its seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class has a lower-case name

from local_supabase.errors import DiskFullError, MigrationError, ProjectError
from local_supabase.stack.config import Config, seed_files
from local_supabase.stack.event_triggers import call_for
from local_supabase.stack.machine import machine_time_zone
from local_supabase.stack.statements import Statement, split

_MIGRATION = re.compile(r"(?P<version>\d+)_(?P<name>.*)\.sql")
BOOTSTRAP = Path(__file__).parents[1] / "bootstrap"

_HISTORY = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
    version text not null primary key,
    statements text[],
    name text
);
"""
# Only the superuser can change these records; the owner may add that the seed ran.
_OWN_RECORDS = """
create schema if not exists _local_supabase;
create table if not exists _local_supabase.bootstrap (
    name text primary key,
    applied_at timestamptz not null default now()
);
create table if not exists _local_supabase.facts (
    name text primary key,
    noted_at timestamptz not null default now()
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file of a project."""

    version: str
    name: str
    path: Path


def bootstrap(connection: Connection, folder: Path = BOOTSTRAP) -> None:
    """Apply the bootstrap files that the database lacks, in the order of their names.

    Arguments:
        connection: a connection of the superuser, in autocommit mode.
        folder: holds the files.

    Raises:
        MigrationError: the database has the bootstrap of a newer version, or a statement was refused.
        DiskFullError: no space is left.
    """
    _execute(connection, _OWN_RECORDS)
    applied = _column(connection, "select name from _local_supabase.bootstrap")
    files = sorted(folder.glob("*.sql"))
    unknown = applied - {file.name for file in files}
    if unknown:
        raise MigrationError(
            "The data folder was used by a newer version of the embedded Supabase "
            f"(it has {', '.join(sorted(unknown))}). Update, or choose another folder with --data-dir."
        )
    for file in files:
        if file.name not in applied:
            record = ("insert into _local_supabase.bootstrap (name) values (%s)", (file.name,))
            # A project's event trigger could refuse a change of the stack's own.
            _execute(connection, "set event_triggers = off")
            _run_files(connection, [file], record, by_owner=False)


def migrations(project: Path) -> list[Migration]:
    """Return a project's migrations in the order of their names.

    Raises:
        ProjectError: the project folder is missing, or two migrations have the same version.
    """
    if not project.is_dir():
        raise ProjectError(
            f"There is no project folder {project}. Name the folder that holds migrations/ with --project."
        )
    found: dict[str, Migration] = {}
    for path in sorted((project / "migrations").glob("*.sql")):
        match = _MIGRATION.fullmatch(path.name)
        if match is None:
            continue
        migration = Migration(match["version"], match["name"], path)
        if migration.version in found:
            raise ProjectError(
                f"{found[migration.version].path} and {path} have the same version; rename one of them."
            )
        found[migration.version] = migration
    return list(found.values())


def migrate(
    connection: Connection, project: Path, config: Config, *, progress: Callable[[str], None]
) -> Sequence[Migration]:
    """Apply the migrations that the database lacks, then the seed if it was never applied.

    Each migration, and the seed, has a transaction of its own. Returns the applied migrations.

    Arguments:
        connection: a connection of the project's owner, in autocommit mode.
        project: the project folder.
        config: the project's configuration.
        progress: receives messages for a person who waits.

    Raises:
        ProjectError: two migrations have the same version.
        MigrationError: a statement was refused. The database is as the previous migration left it.
        DiskFullError: no space is left.
    """
    _execute(connection, _HISTORY)
    applied = _column(connection, "select version from supabase_migrations.schema_migrations")
    wanted = migrations(project) if config.migrations else []
    pending = [migration for migration in wanted if migration.version not in applied]
    if pending:
        progress("Applying migrations…")
    for migration in pending:
        statements = [statement.text for statement in split(_read(migration.path))]
        record = (
            "insert into supabase_migrations.schema_migrations (version, name, statements) "
            "values (%s, %s, %s)",
            (migration.version, migration.name, statements),
        )
        _run_files(connection, [migration.path], record, by_owner=True)
    _seed(connection, seed_files(project, config), progress=progress)
    return pending


def _seed(connection: Connection, files: Sequence[Path], *, progress: Callable[[str], None]) -> None:
    if _column(connection, "select name from _local_supabase.facts where name = 'seeded'"):
        return
    if files:
        progress("Filling in the seed data…")
    record = ("insert into _local_supabase.facts (name) values (%s)", ("seeded",))
    # So that a seed can have times of day that suit whoever tries the project on this machine.
    with connection.cursor() as cursor:
        cursor.execute("select set_config('local_supabase.time_zone', %s, false)", (machine_time_zone(),))
    _run_files(connection, files, record, by_owner=True)


def _run_files(
    connection: Connection, paths: Sequence[Path], record: tuple[str, Sequence[object]], *, by_owner: bool
) -> None:
    """Run files, and the statement that records them, in one transaction.

    Arguments:
        connection: a connection in autocommit mode.
        paths: the files.
        record: the statement that records them, and its values.
        by_owner: whether the connection is that of the project's owner, who is no superuser.
    """
    with connection.cursor() as cursor:
        cursor.execute("begin")
        try:
            for path in paths:
                for statement in split(_read(path)):
                    sql = (call_for(statement.text) if by_owner else None) or (statement.text,)
                    _run_statement(connection, path, statement, sql)
                # The file may have changed the role and the search path.
                cursor.execute("reset role; reset search_path")
            cursor.execute(*record)
            cursor.execute("commit")
        except psycopg2.Error as error:
            # Deferred constraints fail only at the commit.
            raise MigrationError(f"{', '.join(str(path) for path in paths)}: {_message(error)}") from error
        finally:
            if not connection.closed:
                with suppress(psycopg2.Error):
                    cursor.execute("rollback; reset all")


def _run_statement(connection: Connection, path: Path, statement: Statement, sql: Sequence[Any]) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(*sql)
    except psycopg2.Error as error:
        if error.pgcode == "53100":
            raise DiskFullError(f"There is no space left on the disk while applying {path.name}.") from error
        raise MigrationError(_explain(path, statement, error)) from error


def _explain(path: Path, statement: Statement, error: psycopg2.Error) -> str:
    line = statement.line
    position = error.diag.statement_position
    if position:
        line += statement.text.count("\n", 0, int(position) - 1)
    first = statement.text.split("\n", 1)[0].strip()
    shown = first if len(first) <= 100 else first[:99] + "…"
    return f"{path}, line {line}: {_message(error)}\n  in the statement: {shown}"


def _message(error: psycopg2.Error) -> str:
    text = error.diag.message_primary or str(error).strip()
    for label, more in (("detail", error.diag.message_detail), ("hint", error.diag.message_hint)):
        if more:
            text += f" ({label}: {more})"
    return f"{text} [{error.pgcode}]" if error.pgcode else text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"{path} cannot be read: {error}") from error


def _execute(connection: Connection, sql: str, values: Sequence[object] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _column(connection: Connection, sql: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {str(row[0]) for row in cursor.fetchall()}
