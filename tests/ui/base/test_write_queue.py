"""What is submitted shows at once, is written once and in order, and is taken back or kept when refused."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import pytest

from db.auth.accounts import SignedIn
from db.errors import EventFullError, SignedOutError, SlowDownError, UnreachableError
from db.hub.models import TavernMessage
from livetables.feed.status import FeedState
from livetables.tables.snapshot import Snapshot
from tests.support.wait import wait_for
from tests.ui.fakes import ME, Connection, Database
from tests.ui.samples import message, snapshot, user
from ui.base.write_queue import Expected, Mode, State, Write, WriteQueue, WriteQueues

ANN = user("Ann")
SAID = message("Hello", ANN)
BASE = snapshot([SAID])
KEY = (SAID.id,)
TABLE = "tavern_messages"


@pytest.fixture
def connection() -> Connection:
    return Connection()


@pytest.fixture
def queue(connection: Connection) -> WriteQueue:
    return WriteQueues(connection).of(ANN.id)


@pytest.fixture
def database() -> Database:
    return Database()


def bodies(queue: WriteQueue, base: Snapshot[TavernMessage] = BASE) -> list[str | None]:
    return [each.body for each in queue.overlay(TABLE, base)]


def edited(database: Database, body: str) -> Write:
    return Write(
        database.write(body), (Expected(TABLE, KEY, replace(SAID, body=body)),), notify_session="tab"
    )


def posted(database: Database, body: str, message_id: str = "new") -> Write:
    row = replace(SAID, id=message_id, body=body)
    expected = Expected(TABLE, (message_id,), row, new=True)
    return Write(database.write(body), (expected,), text=body, mode=Mode.RETRY_WHEN_ONLINE)


def test_a_write_shows_until_the_database_answers(queue: WriteQueue, database: Database) -> None:
    write = edited(database, "Hallo")
    queue.add(write, ME)
    assert bodies(queue) == ["Hallo"]
    assert queue.keys(TABLE) == {KEY}
    database.open.set()
    assert write.wait(30)
    assert (write.state, write.result) == (State.DONE, "Hallo")
    assert queue.overlay(TABLE, BASE) is BASE
    assert queue.keys(TABLE) == frozenset()


def test_a_refused_write_is_taken_back_and_reported_once(
    queue: WriteQueue, database: Database, connection: Connection
) -> None:
    write = edited(database, "Hallo")
    database.errors = [EventFullError()]
    database.open.set()
    queue.add(write, ME)
    assert write.wait(30)
    assert bodies(queue) == ["Hello"]
    assert connection.revisions[-1] != 0
    assert queue.outcomes("another tab") == []
    assert queue.outcomes("tab") == [write]
    assert queue.outcomes("tab") == []
    assert connection.revisions[-1] == 0


def test_writes_run_in_order_and_each_shows_on_top_of_the_one_before(
    queue: WriteQueue, database: Database
) -> None:
    removal = Write(database.write("gone"), (Expected(TABLE, KEY, None),))
    writes = [posted(database, "First"), edited(database, "Hallo"), removal]
    shown = []
    for write in writes:
        queue.add(write, ME)
        shown.append(bodies(queue))
    assert [sorted(map(str, each)) for each in shown] == [["First", "Hello"], ["First", "Hallo"], ["First"]]
    database.open.set()
    assert all(write.wait(30) for write in writes)
    assert database.written == ["First", "Hallo", "gone"]


def test_a_change_of_a_row_that_is_not_written_yet_shows(queue: WriteQueue, database: Database) -> None:
    queue.add(posted(database, "First", SAID.id), ME)
    queue.add(edited(database, "Second"), ME)
    assert bodies(queue, snapshot([])) == ["Second"]
    database.open.set()


def test_the_echo_of_a_new_row_wins_and_a_row_that_is_gone_stays_gone(
    queue: WriteQueue, database: Database
) -> None:
    queue.add(posted(database, "Mine", SAID.id), ME)
    assert bodies(queue) == ["Hello"]
    queue.add(edited(database, "Hallo"), ME)
    assert bodies(queue, snapshot([replace(SAID, id="other")])) == ["Hello", "Hallo"]
    database.open.set()


def test_text_waits_for_the_connection_and_keeps_its_order(
    database: Database, connection: Connection
) -> None:
    # No retry comes in time, so only the connection's return sends it.
    queue = WriteQueues(connection, first_retry=1000, longest_retry=1000).of(ANN.id)
    connection.state = FeedState.OFFLINE
    database.open.set()
    writes = [posted(database, "First", "1"), posted(database, "Second", "2"), posted(database, "Third", "3")]
    for write in writes:
        queue.add(write, ME)
        assert write.wait(30)
        wait_for(lambda w=write: w.state is State.WAITING, what="it to wait")  # type: ignore[misc]
    assert [write.text for write in queue.unsent(TABLE)] == ["First", "Second", "Third"]
    assert bodies(queue) == ["Hello"]
    queue.discard(writes[1])
    connection.becomes(FeedState.CATCHING_UP)
    wait_for(lambda: writes[2].state is State.DONE, what="the last one to be sent")
    assert database.written == ["First", "Third"]
    assert queue.unsent(TABLE) == []


def test_a_write_is_tried_again_when_no_feed_reports_the_connection(
    connection: Connection, database: Database
) -> None:
    queue = WriteQueues(connection, first_retry=0.01).of(ANN.id)
    database.errors = [UnreachableError()]
    database.open.set()
    write = posted(database, "First")
    queue.add(write, ME)
    wait_for(lambda: write.state is State.DONE, what="it to be sent")
    assert database.written == ["First"]


def test_text_beyond_a_quota_is_sent_by_itself_after_the_wait(
    connection: Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[tuple[float, Callable[[], object]]] = []
    monkeypatch.setattr(connection, "call_later", lambda *call: later.append(call))
    database.errors = [SlowDownError("A little slower, please.", 7)]
    database.open.set()
    (queue := WriteQueues(connection).of(ANN.id)).add(write := posted(database, "First"), ME)
    [(wait, try_again)] = wait_for(lambda: later, what="it to wait")
    assert (wait, queue.unsent(TABLE), try_again()) == (7, [write], None)
    wait_for(lambda: write.state is State.DONE, what="it to be sent")


def test_refused_text_stays_until_it_is_sent_or_discarded(queue: WriteQueue, database: Database) -> None:
    database.errors = [EventFullError(), EventFullError()]
    database.open.set()
    write = posted(database, "First")
    queue.add(write, ME)
    assert write.wait(30)
    assert [each.error for each in queue.unsent(TABLE)] == [write.error]
    queue.retry(write, ME)
    wait_for(lambda: write.tried == 2 and write.state is State.REFUSED, what="the second refusal")
    queue.retry(write, ME)
    wait_for(lambda: write.state is State.DONE, what="it to be sent")
    queue.retry(write, ME)
    assert database.written == ["First"]


def test_a_fault_in_one_write_does_not_block_the_queue(queue: WriteQueue, database: Database) -> None:
    def fail(_: SignedIn) -> None:
        raise ZeroDivisionError

    database.open.set()
    broken, good = Write(fail), posted(database, "First")
    queue.add(broken, ME)
    queue.add(good, ME)
    assert broken.wait(30)
    assert good.wait(30)
    assert (broken.state, good.state) == (State.REFUSED, State.DONE)


def test_a_concurrent_write_does_not_wait_and_is_not_waited_for(
    queue: WriteQueue, database: Database, connection: Connection
) -> None:
    database.open.set()
    file = Database()
    upload = Write(
        file.write("file"), notify_session="tab", success_message="It is there.", mode=Mode.CONCURRENT
    )
    queue.add(upload, ME)
    write = edited(database, "Hallo")
    queue.add(write, ME)
    assert write.wait(30)
    assert not upload.done
    stuck = Database()
    queue.add(edited(stuck, "stuck"), ME)
    file.open.set()
    assert upload.wait(30)
    assert queue.outcomes("tab") == [upload]
    assert connection.revisions[-1] != 0
    stuck.open.set()


def test_tables_without_pending_writes_keep_their_snapshot(queue: WriteQueue, database: Database) -> None:
    assert queue.overlay(TABLE, BASE) is BASE
    queue.add(edited(database, "Hallo"), ME)
    other = snapshot([ANN])
    assert queue.overlay("users", other) is other
    assert queue.overlay(TABLE, BASE) is queue.overlay(TABLE, BASE)
    database.open.set()


@dataclass(eq=False)
class Browser:
    """A sign-in of Ann's in one browser, which may end."""

    ended: bool = False
    user_id: str = ME.user_id

    def as_signed_in(self) -> SignedIn:
        return cast("SignedIn", self)


def sent_by(sent: list[tuple[str, Browser]], body: str) -> Write:
    """Return a message that says with which sign-in it went out."""

    def do(me: SignedIn) -> None:
        browser = cast("Browser", me)
        if browser.ended:
            raise SignedOutError
        sent.append((body, browser))

    row = replace(SAID, id=body, body=body)
    return Write(do, (Expected(TABLE, (body,), row, new=True),), text=body, mode=Mode.RETRY_WHEN_ONLINE)


def test_a_waiting_write_goes_out_with_the_sign_in_it_was_submitted_with(connection: Connection) -> None:
    queue = WriteQueues(connection, first_retry=1000, longest_retry=1000).of(ANN.id)
    connection.state = FeedState.OFFLINE
    sent: list[tuple[str, Browser]] = []
    stays, leaves = Browser(), Browser()
    mine, theirs = sent_by(sent, "mine"), sent_by(sent, "theirs")
    queue.add(mine, stays.as_signed_in())
    queue.add(theirs, leaves.as_signed_in())
    wait_for(lambda: theirs.state is State.WAITING, what="both to wait")
    leaves.ended = True
    connection.becomes(FeedState.LIVE)
    wait_for(lambda: theirs.state is State.REFUSED, what="the answers")
    assert sent == [("mine", stays)]
    assert mine.state is State.DONE
    assert [write.text for write in queue.unsent(TABLE)] == ["theirs"]
    queue.retry(theirs, stays.as_signed_in())
    wait_for(lambda: len(sent) == 2, what="the text that was kept")
    assert sent[1] == ("theirs", stays)


@pytest.mark.parametrize("text", [None, "kept"])
def test_an_answered_write_keeps_nobody_signed_in(connection: Connection, text: str | None) -> None:
    """A sign-in is refreshed while anything holds it, so nothing may after the person has left."""
    queues = WriteQueues(connection)
    me = Browser()

    def refuse(_: SignedIn) -> None:
        try:
            raise KeyError
        except KeyError as error:
            raise EventFullError from error

    write = Write(refuse, (Expected(TABLE, KEY, None),), text, notify_session="tab")
    queues.of(ANN.id).add(write, me.as_signed_in())
    assert write.wait(30)
    gone = weakref.ref(me)
    del me

    def collected() -> bool:
        gc.collect()
        return gone() is None

    wait_for(collected, what="the sign-in to be released")
    assert write.state is State.REFUSED


def test_a_queue_lives_only_while_it_keeps_something(connection: Connection, database: Database) -> None:
    queues = WriteQueues(connection)
    write = posted(database, "First")
    queues.of(ANN.id).add(write, ME)
    gone = weakref.ref(queues.of(ANN.id))
    assert gone() is queues.of(ANN.id)
    database.open.set()
    assert write.wait(30)

    def collected() -> bool:
        gc.collect()
        return gone() is None

    wait_for(collected, what="the queue to be released")
    assert write.state is State.DONE


def test_the_lines_of_a_deleted_account_are_dropped(database: Database) -> None:
    connection = Connection(users=snapshot([ANN]))
    queue = WriteQueues(connection).of(ANN.id)
    database.errors = [EventFullError()]
    database.open.set()
    write = posted(database, "First")
    queue.add(write, ME)
    assert write.wait(30)
    connection.profiles_change(ANN, user("Bob"))
    assert queue.unsent(TABLE) == [write]
    connection.profiles_change(user("Bob"))
    assert queue.unsent(TABLE) == []
    assert connection.revisions[-1] == 0


def test_a_new_account_whose_profile_has_not_arrived_keeps_its_lines(database: Database) -> None:
    connection = Connection()
    queue = WriteQueues(connection).of(ANN.id)
    database.errors = [EventFullError()]
    database.open.set()
    write = posted(database, "First")
    queue.add(write, ME)
    assert write.wait(30)
    connection.profiles_change(user("Bob"))
    assert queue.unsent(TABLE) == [write]


def test_outcomes_for_a_closed_tab_are_dropped(
    connection: Connection, queue: WriteQueue, database: Database
) -> None:
    database.errors = [EventFullError()]
    database.open.set()
    write = edited(database, "Hallo")
    queue.add(write, ME)
    assert write.wait(30)
    connection.sessions = {}
    connection.becomes(FeedState.LIVE)
    assert queue.outcomes("tab") == []
    assert connection.revisions[-1] == 0


def test_a_concurrent_write_whose_text_was_refused_can_be_tried_again(
    queue: WriteQueue, database: Database
) -> None:
    database.errors = [EventFullError()]
    database.open.set()
    write = Write(database.write("file"), (Expected(TABLE, KEY, None),), "a note", Mode.CONCURRENT)
    queue.add(write, ME)
    assert write.wait(30)
    queue.retry(write, ME)
    wait_for(lambda: write.state is State.DONE, what="the second try")
    assert database.written == ["file"]


def test_a_write_survives_a_moment_without_threads(
    connection: Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    database.open.set()
    write = posted(database, "First")
    later: list[Callable[[], object]] = []
    monkeypatch.setattr(Connection, "call_later", lambda _self, _seconds, function: later.append(function))
    queue = WriteQueues(connection).of(ANN.id)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        queue.add(write, ME)
        assert write.state is State.PENDING
    later.pop()()
    assert write.wait(30)
    assert database.written == ["First"]


def test_a_fault_of_the_engine_blocks_no_later_write(
    queue: WriteQueue, database: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.open.set()
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "status", lambda *_: 1 / 0)
        broken = posted(database, "First", "1")
        queue.add(broken, ME)
        assert broken.wait(30)
    good = posted(database, "Second", "2")
    queue.add(good, ME)
    assert good.wait(30)
    assert (broken.state, good.state) == (State.REFUSED, State.DONE)
