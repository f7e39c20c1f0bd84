"""The log beside the changes themselves: cursors, what a truncated table means, and how it is kept short."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from livetables.database.description import parse
from livetables.database.migration import DATABASE_VERSION, migration
from tests.livetables.database.tables import ANN, ITEMS, NOTES, cursor_of, watched
from tests.supabase_schema.database import Session, message, session

Connect = Callable[[], Session]


@pytest.fixture
def connect(dsn: str) -> Iterator[Connect]:
    """Give a function that opens more connections to a database with a watched table."""
    with ExitStack() as stack:
        owner = stack.enter_context(session(dsn))
        watched(owner, NOTES, "notes")
        owner.commit()
        yield lambda: stack.enter_context(session(dsn))
        owner.run("drop table public.notes")
        owner.commit()


def resyncs(reader: Session, cursor: str) -> tuple[bool, str]:
    """Return whether the cursor has to load everything again, and the next one."""
    answer = reader.changes_since(cursor)
    reader.commit()
    return bool(answer["resync"]), str(answer["cursor"])


def test_while_a_transaction_is_open_a_truncated_table_means_resync_once(connect: Connect) -> None:
    slow, quick, reader = connect(), connect(), connect()
    slow.run("select pg_current_xact_id()")
    cursor = cursor_of(reader)
    reader.commit()
    quick.run("truncate notes")
    quick.commit()
    first, cursor = resyncs(reader, cursor)
    second, cursor = resyncs(reader, cursor)
    assert (first, second) == (True, False)
    quick.run("truncate notes")
    quick.commit()
    assert resyncs(reader, cursor)[0] is True


def test_an_emptied_log_means_resync(connect: Connect) -> None:
    owner, reader = connect(), connect()
    cursor = cursor_of(reader)
    reader.commit()
    owner.run("insert into notes (user_id) values (%s)", ANN)
    owner.commit()
    owner.run("truncate livetables.change_log")
    owner.commit()
    lost, cursor = resyncs(reader, cursor)
    assert (lost, resyncs(reader, cursor)[0]) == (True, False)


@pytest.mark.parametrize(
    "cursor", ["", "yesterday", "7", "1:2", "5:2:", "1:9:3,2", "1:2:x", "1:2:1:", "-1:2:"]
)
def test_a_text_that_is_no_cursor_means_resync(db: Session, cursor: str) -> None:
    answer = db.changes_since(cursor)
    assert (answer["resync"], answer["changes"]) == (True, [])


def test_a_cursor_from_the_future_of_a_restored_database_means_resync(db: Session) -> None:
    future = db.value("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1")
    assert db.changes_since(f"{future}:{future}:")["resync"] is True


def test_a_cursor_from_before_the_log_means_resync(db: Session) -> None:
    began = db.value("select complete_from::text::bigint - 1 from livetables.state")
    assert db.changes_since(f"{began}:{began}:")["resync"] is True


def test_too_many_changes_mean_resync(db: Session) -> None:
    watched(db, ITEMS, "items")
    cursor = cursor_of(db)
    db.run("insert into items (id) select gen_random_uuid() from generate_series(1, 10001)")
    answer = db.changes_since(cursor)
    assert (answer["resync"], answer["changes"]) == (True, [])


def test_trimming_forgets_what_is_older_than_the_retention(db: Session) -> None:
    watched(db, ITEMS, "items")
    db.run("delete from livetables.change_log; insert into items default values")
    db.run("update livetables.change_log set changed_at = now() - interval '8 days'")
    assert db.value("select livetables.trim('9 days')") == 0
    db.run("update livetables.state set retention = '9 days'")
    assert db.value("select livetables.trim()") == 0
    db.run("update livetables.state set retention = '7 days'")
    assert db.value("select livetables.trim()") == 1
    assert db.refusal("select livetables.trim('-1 day')").pgcode == "22023"


def test_a_cursor_older_than_what_was_trimmed_means_resync(connect: Connect) -> None:
    owner, reader = connect(), connect()
    cursor = cursor_of(reader)
    reader.commit()
    owner.run("insert into notes (user_id) values (%s)", ANN)
    owner.run("update livetables.change_log set changed_at = now() - interval '8 days'")
    owner.commit()
    kept, _ = resyncs(reader, cursor)
    fresh = cursor_of(reader)
    owner.run("select livetables.trim()")
    owner.commit()
    assert kept is False
    assert resyncs(reader, cursor)[0] is True
    assert resyncs(reader, fresh)[0] is False


def test_ordinary_writes_trim_the_log_now_and_then(db: Session) -> None:
    watched(db, ITEMS, "items")
    db.run("insert into items default values")
    db.run("update livetables.change_log set changed_at = now() - interval '8 days'")
    # The chance that none of 5,000 changes trims is below 1 in 20,000.
    db.run("do $$ begin for i in 1..5000 loop insert into public.items default values; end loop; end $$")
    old = db.value("select count(*) from livetables.change_log where changed_at < now() - interval '7 days'")
    assert old == 0


def test_the_log_is_read_by_its_index(db: Session) -> None:
    db.run("set local enable_seqscan = off")
    plan = db.rows("explain select from livetables.change_log where xid >= '100' and audience is null")
    assert "change_log_xid_idx" in str(plan)


def test_the_migration_may_run_again_and_keeps_what_is_there(db: Session) -> None:
    watched(db, ITEMS, "items")
    db.run("insert into items default values; update livetables.state set retention = '2 days'")
    before = db.rows("select * from livetables.change_log"), db.rows("select * from livetables.state")
    db.run(migration())
    assert (
        db.rows("select * from livetables.change_log"),
        db.rows("select * from livetables.state"),
    ) == before
    assert db.value("select public.livetables_tables() -> 'tables' -> 0 -> 'problems'") == []


def test_an_older_database_is_named_and_upgraded(db: Session) -> None:
    watched(db, ITEMS, "items")
    db.run("create or replace function livetables.database_version() returns int language sql as 'select 0'")
    asked = "select public.livetables_tables()"
    assert "old_version" in [problem.code for problem in parse(db.value(asked)).errors]
    db.run(migration())
    assert "old_version" not in [problem.code for problem in parse(db.value(asked)).problems]


def test_an_older_package_does_not_overwrite_a_newer_database(db: Session) -> None:
    newer = f"select {DATABASE_VERSION + 1}"
    db.run(f"create or replace function livetables.database_version() returns int language sql as '{newer}'")
    error = db.refusal(migration())
    assert "which is newer than" in message(error)
    assert error.diag.message_hint == "Upgrade the package streamlit-livetables."


def test_a_function_of_that_name_by_somebody_else_is_not_replaced(db: Session) -> None:
    db.run("drop schema livetables cascade")
    error = db.refusal(migration())
    assert message(error).startswith("There is a function public.changes_since(text) already")
