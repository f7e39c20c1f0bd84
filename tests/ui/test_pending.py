"""What is asked for is shown at once, done once and in order, and taken back or kept when it cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.auth import SignedIn
from db.errors import EventFull, Unreachable
from db.models import TavernMessage
from live.snapshot import Snapshot
from live.status import FeedState
from tests.support.wait import wait_for
from tests.ui.hanging import ME, Connection, Database
from tests.ui.samples import HOSTILE, message, snapshot, user
from ui import pending
from ui.pending import Expected, Line, State, Write, Writes, saving_html, with_values

ANN = user("Ann")
SAID = message("Hello", ANN)
BASE = snapshot([SAID])
KEY = (SAID.id,)
TABLE = "tavern_messages"


@pytest.fixture
def connection() -> Connection:
    return Connection()


@pytest.fixture
def line(connection: Connection) -> Line:
    return Writes(connection).of(ANN.id)


@pytest.fixture
def database() -> Database:
    return Database()


def bodies(line: Line, base: Snapshot[TavernMessage] = BASE) -> list[str | None]:
    return [each.body for each in line.over(TABLE, base)]


def edited(database: Database, body: str) -> Write:
    return Write(database.write(body), (Expected(TABLE, KEY, replace(SAID, body=body)),), told="tab")


def posted(database: Database, body: str, message_id: str = "new") -> Write:
    row = replace(SAID, id=message_id, body=body)
    expected = Expected(TABLE, (message_id,), row, new=True)
    return Write(database.write(body), (expected,), text=body, waits=True)


def test_it_shows_until_the_database_has_answered(line: Line, database: Database) -> None:
    write = edited(database, "Hallo")
    line.put(write, ME)
    assert bodies(line) == ["Hallo"]
    assert line.keys(TABLE) == {KEY}
    database.open.set()
    assert write.wait(30)
    assert (write.state, write.result) == (State.DONE, "Hallo")
    assert line.over(TABLE, BASE) is BASE
    assert line.keys(TABLE) == frozenset()


def test_what_is_refused_is_taken_back_and_told_once(
    line: Line, database: Database, connection: Connection
) -> None:
    write = edited(database, "Hallo")
    database.errors = [EventFull()]
    database.open.set()
    line.put(write, ME)
    assert write.wait(30)
    assert bodies(line) == ["Hello"]
    assert connection.revisions[-1] != 0
    assert line.outcomes("another tab") == []
    assert line.outcomes("tab") == [write]
    assert line.outcomes("tab") == []
    assert connection.revisions[-1] == 0


def test_one_after_another_and_each_on_top_of_the_one_before(line: Line, database: Database) -> None:
    removal = Write(database.write("gone"), (Expected(TABLE, KEY, None),))
    writes = [posted(database, "First"), edited(database, "Hallo"), removal]
    shown = []
    for write in writes:
        line.put(write, ME)
        shown.append(bodies(line))
    assert [sorted(map(str, each)) for each in shown] == [["First", "Hello"], ["First", "Hallo"], ["First"]]
    database.open.set()
    assert all(write.wait(30) for write in writes)
    assert database.written == ["First", "Hallo", "gone"]


def test_a_change_of_a_row_that_is_not_written_yet_shows(line: Line, database: Database) -> None:
    line.put(posted(database, "First", SAID.id), ME)
    line.put(edited(database, "Second"), ME)
    assert bodies(line, snapshot([])) == ["Second"]
    database.open.set()


def test_the_echo_of_a_new_row_wins_and_a_row_that_is_gone_stays_gone(line: Line, database: Database) -> None:
    line.put(posted(database, "Mine", SAID.id), ME)
    assert bodies(line) == ["Hello"]
    line.put(edited(database, "Hallo"), ME)
    assert bodies(line, snapshot([replace(SAID, id="other")])) == ["Hello", "Hallo"]
    database.open.set()


def test_text_waits_for_the_connection_and_keeps_its_order(
    line: Line, database: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing but the word of the connection sends it.
    monkeypatch.setattr(pending, "_FIRST_RETRY", 1000)
    monkeypatch.setattr(pending, "_LONGEST_RETRY", 1000)
    connection.state = FeedState.OFFLINE
    database.open.set()
    writes = [posted(database, "First", "1"), posted(database, "Second", "2"), posted(database, "Third", "3")]
    for write in writes:
        line.put(write, ME)
        assert write.wait(30)
        wait_for(lambda w=write: w.state is State.WAITING, what="it to wait")  # type: ignore[misc]
    assert [write.text for write in line.unsent(TABLE)] == ["First", "Second", "Third"]
    assert bodies(line) == ["Hello"]
    line.discard(writes[1])
    connection.becomes(FeedState.CATCHING_UP)
    wait_for(lambda: writes[2].state is State.DONE, what="the last one to be sent")
    assert database.written == ["First", "Third"]
    assert line.unsent(TABLE) == []


def test_without_a_word_of_the_connection_it_tries_again_by_itself(line: Line, database: Database) -> None:
    database.errors = [Unreachable()]
    database.open.set()
    write = posted(database, "First")
    line.put(write, ME)
    wait_for(lambda: write.state is State.DONE, what="it to be sent")
    assert database.written == ["First"]


def test_refused_text_stays_until_it_is_sent_or_discarded(line: Line, database: Database) -> None:
    database.errors = [EventFull(), EventFull()]
    database.open.set()
    write = posted(database, "First")
    line.put(write, ME)
    assert write.wait(30)
    assert [each.error for each in line.unsent(TABLE)] == [write.error]
    line.again(write, ME)
    wait_for(lambda: write.tried == 2 and write.state is State.REFUSED, what="the second refusal")
    line.again(write, ME)
    wait_for(lambda: write.state is State.DONE, what="it to be sent")
    line.again(write, ME)
    assert database.written == ["First"]


def test_a_fault_of_ours_ends_one_write_and_not_the_line(line: Line, database: Database) -> None:
    def fail(_: SignedIn) -> None:
        raise ZeroDivisionError

    database.open.set()
    broken, good = Write(fail), posted(database, "First")
    line.put(broken, ME)
    line.put(good, ME)
    assert broken.wait(30)
    assert good.wait(30)
    assert (broken.state, good.state) == (State.REFUSED, State.DONE)


def test_what_takes_long_holds_nothing_up_and_is_held_up_by_nothing(
    line: Line, database: Database, connection: Connection
) -> None:
    database.open.set()
    file = Database()
    upload = Write(file.write("file"), told="tab", words="It is there.", apart=True)
    line.put(upload, ME)
    assert not upload.wait(0.05)
    write = edited(database, "Hallo")
    line.put(write, ME)
    assert write.wait(30)
    assert not upload.done
    stuck = Database()
    line.put(edited(stuck, "stuck"), ME)
    file.open.set()
    assert upload.wait(30)
    assert line.outcomes("tab") == [upload]
    assert connection.revisions[-1] != 0
    stuck.open.set()


def test_nobody_else_pays_for_it(line: Line, database: Database) -> None:
    assert line.over(TABLE, BASE) is BASE
    line.put(edited(database, "Hallo"), ME)
    other = snapshot([ANN])
    assert line.over("users", other) is other
    assert line.over(TABLE, BASE) is line.over(TABLE, BASE)
    database.open.set()


def test_a_row_takes_values_as_the_database_would() -> None:
    changed: TavernMessage = with_values(SAID, {"body": HOSTILE, "hidden_at": "2026-11-20T18:30:00+00:00"})
    assert (changed.body, changed.created_at, changed.id) == (HOSTILE, SAID.created_at, SAID.id)
    assert changed.hidden_at is not None


def test_the_mark_is_there_for_screen_readers_too() -> None:
    assert 'role="status"' in saving_html(True)
    assert saving_html(False) == ""
