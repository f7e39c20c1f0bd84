"""Opening databases, and retrying transactions after lock conflicts."""

from __future__ import annotations

from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from ratings.database import Database, get_db, init_db, open_database
from ratings.errors import BadDatabaseUrlError, NotMigratedError


def conflict() -> OperationalError:
    return OperationalError("update rating_tasks", {}, Exception("database is locked"))


def test_a_transaction_runs_again_after_lock_conflicts(file: Database) -> None:
    conflicts = [conflict(), conflict()]

    def work(_: Session) -> str:
        if conflicts:
            raise conflicts.pop()
        return "done"

    assert file.write(work) == "done"
    assert conflicts == []


def test_a_conflict_that_does_not_end_is_raised_in_the_end(
    file: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratings.database._LONGEST_PAUSE", 0)
    attempts: list[Session] = []

    def work(session: Session) -> None:
        attempts.append(session)
        raise conflict()

    with pytest.raises(OperationalError, match="locked"):
        file.write(work)
    assert len(attempts) == 20


def test_other_errors_are_not_retried(file: Database) -> None:
    attempts: list[Session] = []

    def work(session: Session) -> None:
        attempts.append(session)
        raise IntegrityError("insert", {}, Exception("not unique"))

    with pytest.raises(IntegrityError):
        file.write(work)
    assert len(attempts) == 1


@pytest.mark.parametrize(
    "url", ["", "nonsense", "oracle://x", "sqlite://", "sqlite:///:memory:", "https://x.supabase.co"]
)
def test_an_unusable_database_url_is_refused(url: str) -> None:
    with pytest.raises(BadDatabaseUrlError):
        open_database(url)


def test_a_process_has_one_database(tmp_path: Path) -> None:
    opened = init_db(f"sqlite:///{tmp_path}/one.db")
    assert get_db() is opened
    opened.close()


def test_no_tables_are_created_in_a_supabase_project(plain_postgres_url: str) -> None:
    connection = psycopg2.connect(plain_postgres_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("drop database if exists unmigrated")
        cursor.execute("create database unmigrated")
    connection.close()
    url = plain_postgres_url.replace("plain_ratings", "unmigrated")
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("create schema auth")
    connection.close()
    with pytest.raises(NotMigratedError, match="supabase/migrations"):
        open_database(url)
