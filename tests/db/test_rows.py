"""Writing rows: once, against the version a person saw, and certain also when the answer is lost."""

import uuid
from datetime import UTC, timedelta

import pytest

from db import errors
from db.auth.accounts import SignedIn
from db.hub import events, tavern_messages
from db.hub.models import Event
from db.rows import find, find_all, repeat_if_lost, same_value
from tests.db.conftest import SignUp
from tests.db.hub.samples import new_event, new_message


def test_an_insert_with_the_id_of_another_row_is_refused(sign_up: SignUp) -> None:
    message = new_message(sign_up("Ann"))
    with pytest.raises(errors.DuplicateError):
        tavern_messages.post(sign_up("Bob"), message.id, "Hello")


def test_an_update_of_an_old_version_is_a_conflict(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    event = new_event(me)
    events.change(me, event.id, {"title": "First"}, version=event.version)
    with pytest.raises(errors.ConflictError) as conflict:
        events.change(me, event.id, {"title": "Second"}, version=event.version)
    assert Event.from_record(conflict.value.current).title == "First"


def test_the_same_update_twice_is_one_update(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    event = new_event(me)
    starts = event.starts_at + timedelta(minutes=5)
    values = {"title": "Same", "starts_at": starts.astimezone(UTC).isoformat()}
    first = events.change(me, event.id, values, version=event.version)
    assert events.change(me, event.id, values, version=event.version) == first


def test_an_insert_whose_answer_is_lost_returns_the_row(lossy: SignedIn) -> None:
    message = new_message(lossy, "Did this arrive?")
    assert message.body == "Did this arrive?"


def test_rows_are_found_by_any_number_of_ids(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    ids = [new_message(me, f"Number {number}").id for number in range(3)]
    others = [str(uuid.uuid4()) for _ in range(250)]
    found = find_all(me, "tavern_messages", "id", [ids[0], *others[:120], ids[1], *others[120:], ids[2]])
    assert [record["id"] for record in found] == ids
    assert find_all(me, "tavern_messages", "id", []) == []
    assert find(me, "tavern_messages", {"id": others[0]}) is None


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (errors.UnreachableError(), 2),
        (errors.UnreachableError(perhaps_written=False), 1),
        (errors.UnreachableError(timed_out=True), 1),
        (errors.NotAllowedError(), 1),
    ],
)
def test_only_a_call_whose_answer_was_lost_is_repeated(error: errors.DatabaseError, calls: int) -> None:
    made: list[int] = []

    def fail() -> None:
        made.append(1)
        raise error

    with pytest.raises(type(error)):
        repeat_if_lost(fail)
    assert len(made) == calls


def test_numbers_are_equal_however_they_are_written() -> None:
    assert same_value(2, "2.00")
    assert same_value(0.1, "0.10")
    assert not same_value(2, "3.00")
    assert not same_value(True, "1")
    assert not same_value(2, "two")


def test_times_are_equal_however_they_are_written() -> None:
    assert same_value("2026-11-20T18:00:00+00:00", "2026-11-20T19:00:00+01:00")
    assert not same_value("2026-11-20T18:00:00+00:00", "2026-11-20T18:00:00+01:00")
    assert not same_value("2026-11-20T18:00:00", "2026-11-20T19:00:00+01:00")
    assert not same_value("Hello", None)
