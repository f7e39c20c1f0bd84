"""Messages on the wire: which are parsed as changes, and which rows have to be read instead."""

from datetime import UTC, datetime

from realtime import RealtimePostgresChangesListenEvent as Event

from livetables.feed.wire import Incomplete, read_message
from livetables.tables.changes import Change, Op, Record
from tests.livetables.things import Thing, record, spec

THINGS = spec("things")
COMMITTED_AT = "2026-01-01T00:00:00.123Z"


def _data(type: str, **rest: object) -> Record:  # noqa: A002 - the wire's name
    return {"schema": "public", "table": "things", "commit_timestamp": COMMITTED_AT, "type": type, **rest}


def test_an_update_has_the_row_its_version_and_its_commit_time() -> None:
    data = _data("UPDATE", record=record("1", "a", 3), old_record={"id": "1"}, errors=None)
    change = read_message(data, THINGS, 7)
    committed = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
    assert change == Change("things", Op.UPDATE, ("1",), Thing("1", "a", 3), 3, committed, 7)


def test_the_clients_own_enum_is_accepted() -> None:
    change = read_message(_data(Event.Insert, record=record("1", "a")), THINGS, 1)
    assert isinstance(change, Change)
    assert change.op is Op.INSERT
    deletion = read_message(_data(Event.Delete, old_record={"id": "1"}), THINGS, 2)
    assert isinstance(deletion, Change)
    assert (deletion.op, deletion.row) == (Op.DELETE, None)


def test_an_event_that_was_too_large_has_to_be_read_by_its_key() -> None:
    data = _data("UPDATE", record={"id": "1"}, errors=["Error 413: Payload Too Large"])
    assert read_message(data, THINGS, 1) == Incomplete("things", ("1",))


def test_an_event_without_all_columns_has_to_be_read_by_its_key() -> None:
    data = _data("UPDATE", record={"id": "1", "version": 2}, old_record={"id": "1"})
    assert read_message(data, THINGS, 1) == Incomplete("things", ("1",))


def test_an_event_without_a_key_cannot_be_read() -> None:
    assert read_message(_data("INSERT", errors=["Error 401: Unauthorized"]), THINGS, 1) == Incomplete(
        "things", None
    )
    assert read_message(_data("DELETE", old_record={}), THINGS, 1) == Incomplete("things", None)


def test_an_invalid_commit_time_is_left_out() -> None:
    data = {**_data("INSERT", record=record("1", "a")), "commit_timestamp": "yesterday"}
    change = read_message(data, THINGS, 1)
    assert isinstance(change, Change)
    assert change.committed_at is None
