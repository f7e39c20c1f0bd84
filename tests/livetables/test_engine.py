"""The engine on a real stack: loading, following changes, separating private rows, recovering."""

import contextlib
import dataclasses
import os
import signal
import threading
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest

from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.errors import LiveError
from livetables.feed.status import FeedState
from livetables.tables.spec import AnySpec, Visibility
from livetables.timing import Timing
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from realtime_handlers.events import EVENTS, RSVPS
from realtime_handlers.messages import PRIVATE_MESSAGES, TAVERN_MESSAGES
from realtime_handlers.people import USERS
from tests.livetables.support import Signed, SignedOut, rows_of, wait_equal
from tests.livetables.things import NOWHERE
from tests.support.people import Person, anonymous_client, give_role, sign_up
from tests.support.recorder import Request, recording
from tests.support.records import record_of
from tests.support.wait import wait_for

QUICK = Timing(linger=0.2, first_retry=0.05, longest_retry=0.5, poll=0.2, stream_wait=3)


@contextlib.contextmanager
def running(
    stack: StackInfo, timing: Timing = QUICK, url: str | None = None, specs: Sequence[AnySpec] = ALL_SPECS
) -> Iterator[Engine]:
    engine = Engine.start(EngineConfig(url or stack.url, stack.anon_key), specs, timing)
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="module")
def engine(stack: StackInfo) -> Iterator[Engine]:
    with running(stack) as engine:
        assert engine.wait_loaded(30)
        yield engine


@pytest.fixture(scope="module")
def bo(stack: StackInfo) -> Person:
    return sign_up(stack, "Bo")


def post_message(person: Person, body: str) -> str:
    answer = person.client.table("tavern_messages").insert({"body": body}).execute()
    return str(answer.data[0]["id"])  # type: ignore[index,call-overload]


def send_private(sender: Person, recipient: Person, body: str) -> str:
    row = {"recipient_id": recipient.user_id, "body": body}
    answer = sender.client.table("private_messages").insert(row).execute()
    return str(answer.data[0]["id"])  # type: ignore[index,call-overload]


def create_event(person: Person) -> str:
    starts = datetime.now(UTC) + timedelta(days=1)
    row = {
        "title": "Gathering",
        "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=1)).isoformat(),
        "time_zone": "Europe/Berlin",
        "organizer_id": person.user_id,
    }
    answer = person.client.table("events").insert(row).execute()
    return str(answer.data[0]["id"])  # type: ignore[index,call-overload]


def wait_live(engine: Engine, user_id: str | None = None) -> None:
    wait_for(lambda: engine.status(user_id).state is FeedState.LIVE, what=f"{user_id} to be live")


def test_starting_reads_each_table_once_however_many_sessions_attach(stack: StackInfo) -> None:
    with recording(stack.url) as recorder, running(stack, url=recorder.url) as engine:
        assert engine.wait_loaded(30)
        wait_live(engine)
        for number in range(20):
            engine.attach(f"session {number}", None)
            engine.tables()
        public = [spec.name for spec in ALL_SPECS if spec.visibility is Visibility.PUBLIC]
        assert sorted(str(read.table) for read in recorder.reads()) == sorted(public)
        assert _sockets(recorder.requests) == 1


def _sockets(requests: list[Request]) -> int:
    return sum(request.target.startswith("/realtime/v1/websocket") for request in requests)


def test_an_insert_an_update_and_a_delete_arrive(engine: Engine, ada: Person) -> None:
    wait_live(engine)
    message = post_message(ada, "first text")
    key = (message,)
    wait_for(lambda: key in rows_of(engine, "tavern_messages"), what="the insert")
    ada.client.table("tavern_messages").update({"body": "other text"}).eq("id", message).execute()
    wait_for(lambda: rows_of(engine, "tavern_messages")[key].body == "other text", what="the update")
    ada.client.table("tavern_messages").delete().eq("id", message).execute()
    wait_for(lambda: key not in rows_of(engine, "tavern_messages"), what="the delete")
    assert engine.status().state is FeedState.LIVE


def test_a_natural_key_can_be_inserted_and_deleted_again_and_again(
    engine: Engine, ada: Person, stack: StackInfo
) -> None:
    event = create_event(ada)
    key = (event, ada.user_id)
    row = {"event_id": event, "user_id": ada.user_id}
    for status in ("going", "maybe", "declined"):
        ada.client.table("rsvps").upsert({**row, "status": status}).execute()
        wait_for(lambda: key in rows_of(engine, "rsvps"), what="the answer")
        ada.client.table("rsvps").delete().eq("event_id", event).execute()
        wait_for(lambda: key not in rows_of(engine, "rsvps"), what="the answer to disappear")
    wait_equal(engine, RSVPS, anonymous_client(stack))
    assert key not in rows_of(engine, "rsvps")


def test_a_row_deleted_and_inserted_again_in_one_transaction_exists(
    engine: Engine, ada: Person, stack: StackInfo
) -> None:
    event = create_event(ada)
    ada.client.table("rsvps").insert({"event_id": event, "user_id": ada.user_id, "status": "going"}).execute()
    key = (event, ada.user_id)
    wait_for(lambda: key in rows_of(engine, "rsvps"), what="the answer")
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database:
        cursor = database.cursor()
        cursor.execute("delete from public.rsvps where event_id = %s", (event,))
        cursor.execute(
            "insert into public.rsvps (event_id, user_id, status) values (%s, %s, 'maybe')",
            (event, ada.user_id),
        )
    # The stream reports the deletion first, so for a moment there may be no answer.
    wait_for(
        lambda: getattr(rows_of(engine, "rsvps").get(key), "status", None) == "maybe",
        what="the second answer",
    )
    wait_equal(engine, RSVPS, anonymous_client(stack))
    assert rows_of(engine, "rsvps")[key].status == "maybe"


def test_a_change_by_direct_sql_arrives_too(engine: Engine, ada: Person, stack: StackInfo) -> None:
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database:
        database.cursor().execute("update public.users set bio = 'by hand' where id = %s", (ada.user_id,))
    wait_for(lambda: rows_of(engine, "users")[ada.user_id,].bio == "by hand", what="the update")
    wait_equal(engine, USERS, anonymous_client(stack))
    assert rows_of(engine, "users")[ada.user_id,].bio == "by hand"


def test_private_messages_reach_both_parties_and_nobody_else(
    engine: Engine, ada: Person, bo: Person, stack: StackInfo
) -> None:
    cy = sign_up(stack, "Cy")
    for number, person in enumerate((ada, bo, cy)):
        engine.attach(f"tab {number}", Signed(person))
    engine.attach("visitor", None)
    for person in (ada, bo, cy):
        assert engine.wait_loaded(30, user_id=person.user_id)
        wait_live(engine, person.user_id)
    key = (send_private(ada, bo, "between us"),)
    for person in (ada, bo):
        wait_for(lambda p=person: key in rows_of(engine, "private_messages", p.user_id), what="the message")  # type: ignore[misc]
    bo.client.table("private_messages").update({"read_at": "now"}).eq("id", key[0]).execute()
    wait_for(
        lambda: rows_of(engine, "private_messages", ada.user_id)[key].read_at is not None,
        what="the sender to see that it was read",
    )
    assert rows_of(engine, "private_messages", cy.user_id) == {}
    assert "private_messages" not in engine.tables()
    for person in (ada, bo):
        wait_equal(engine, PRIVATE_MESSAGES, person.client, person.user_id)
    for tab in ("tab 0", "tab 1", "tab 2", "visitor"):
        engine.detach(tab)


def test_tabs_of_one_person_share_a_feed_that_closes_after_the_last_tab(engine: Engine, ada: Person) -> None:
    wait_for(lambda: engine.feeds == {None}, what="all users' feeds to be closed")
    signed = Signed(ada)
    engine.attach("one", signed)
    engine.attach("two", signed)
    wait_for(lambda: engine.feeds == {None, ada.user_id}, what="the feed to open")
    engine.detach("one")
    wait_live(engine, ada.user_id)
    assert ada.user_id in engine.feeds
    engine.detach("two")
    wait_for(lambda: engine.feeds == {None}, what="the feed to close")
    assert signed.callbacks == []


def test_the_feed_goes_on_with_a_refreshed_token(engine: Engine, ada: Person, bo: Person) -> None:
    signed = Signed(ada)
    engine.attach("refresher", signed)
    wait_live(engine, ada.user_id)
    since = engine.status(ada.user_id).since
    signed.refresh()
    key = (send_private(bo, ada, "after the refresh"),)
    wait_for(lambda: key in rows_of(engine, "private_messages", ada.user_id), what="the message")
    assert engine.status(ada.user_id).since == since
    engine.detach("refresher")


def test_a_new_admin_sees_the_change_log_at_once(engine: Engine, stack: StackInfo) -> None:
    dee = sign_up(stack, "Dee")
    engine.attach("dee", Signed(dee))
    assert engine.wait_loaded(30, user_id=dee.user_id)
    assert "change_log" not in engine.tables(dee.user_id)
    give_role(stack, dee.user_id, "admin")
    wait_for(lambda: "change_log" in engine.tables(dee.user_id), what="the table to be readable")
    message = post_message(dee, "logged")
    wait_for(
        lambda: any(entry.row_key == {"id": message} for entry in engine.tables(dee.user_id)["change_log"]),
        what="the entry",
    )
    give_role(stack, dee.user_id, "member")
    wait_for(lambda: "change_log" not in engine.tables(dee.user_id), what="the table to be removed")
    engine.detach("dee")


def test_the_writers_own_row_is_shown_at_once_and_its_echo_changes_nothing(
    engine: Engine, ada: Person
) -> None:
    wait_live(engine)
    notified: list[frozenset[str]] = []
    engine.attach("writer", None)
    stop = engine.listen(lambda _, tables: notified.append(tables))
    answer = ada.client.table("tavern_messages").insert({"body": "mine"}).execute()
    record = dict(answer.data[0])  # type: ignore[arg-type]
    engine.apply_written("tavern_messages", record)
    key = (str(record["id"]),)
    assert rows_of(engine, "tavern_messages")[key].body == "mine"
    engine.apply_deleted("tavern_messages", key)
    assert key not in rows_of(engine, "tavern_messages")
    ada.client.table("tavern_messages").delete().eq("id", key[0]).execute()
    later = post_message(ada, "later")
    wait_for(lambda: (later,) in rows_of(engine, "tavern_messages"), what="a later message")
    assert key not in rows_of(engine, "tavern_messages")
    assert notified.count(frozenset({"tavern_messages"})) <= 3
    stop()
    engine.detach("writer")


def test_older_messages_are_loaded_on_demand(stack: StackInfo, ada: Person) -> None:
    rows = [{"body": f"{number}"} for number in range(300)]
    ada.client.table("tavern_messages").insert(rows).execute()
    with running(stack) as engine:
        assert engine.wait_loaded(30)
        assert len(engine.tables()["tavern_messages"]) == TAVERN_MESSAGES.window
        tab = engine.attach("tab", None)
        while tab.load_older("tavern_messages"):
            pass
        wait_equal(engine, TAVERN_MESSAGES, anonymous_client(stack))
        assert len(engine.tables()["tavern_messages"]) >= 300


def test_a_table_that_grows_is_trimmed_and_can_page_back(stack: StackInfo, ada: Person) -> None:
    small = dataclasses.replace(TAVERN_MESSAGES, window=5)
    with running(stack, specs=[USERS, small]) as engine:
        assert engine.wait_loaded(30)
        wait_live(engine)
        for number in range(40):
            last = post_message(ada, str(number))
        wait_for(lambda: (last,) in rows_of(engine, "tavern_messages"), what="the last message")
        assert len(engine.tables()["tavern_messages"]) <= 3 * 5
        tab = engine.attach("tab", None)
        while tab.load_older("tavern_messages"):
            pass
        wait_equal(engine, dataclasses.replace(small, window=None), anonymous_client(stack))


def test_an_item_of_one_user_reruns_only_their_sessions() -> None:
    engine = Engine(NOWHERE, [])
    tabs = {
        name: engine.attach(name, SignedOut(name[:3])) for name in ("ada's tab", "ada's other tab", "bob")
    }
    calls: list[tuple[frozenset[str], frozenset[str]]] = []
    engine.listen(lambda sessions, tables: calls.append((sessions, tables)))
    engine.own_changed("drafts", "ada", 7)
    assert calls == [(frozenset({"ada's tab", "ada's other tab"}), frozenset({"drafts"}))]
    assert {name: tab.version("drafts") for name, tab in tabs.items()} == {
        "ada's tab": ("ada", 7),
        "ada's other tab": ("ada", 7),
        "bob": 0,
    }
    engine.stop()


def test_an_item_of_a_visitor_reruns_only_their_tab() -> None:
    engine = Engine(NOWHERE, [])
    tabs = {name: engine.attach(name, None) for name in ("one", "other")}
    calls: list[frozenset[str]] = []
    engine.listen(lambda sessions, _tables: calls.append(sessions))
    engine.own_changed("drafts", "one", 7)
    assert calls == [frozenset({"one"})]
    assert {name: tab.version("drafts") for name, tab in tabs.items()} == {"one": ("one", 7), "other": 0}
    engine.stop()


def test_a_table_is_followed_from_then_on_in_the_same_engine(stack: StackInfo) -> None:
    with running(stack, specs=[USERS]) as engine:
        engine.follow(EVENTS)
        assert engine.wait_loaded(10)
        tab = engine.attach("tab", None)
        assert not tab.is_loading("events")
        wait_equal(engine, EVENTS, anonymous_client(stack))


def test_a_table_followed_in_another_way_is_loaded_again_in_that_way(stack: StackInfo, ada: Person) -> None:
    create_event(ada)
    create_event(ada)
    with running(stack, specs=[USERS, EVENTS]) as engine:
        assert engine.wait_loaded(10)
        before = engine.tables()["users"]
        engine.follow(dataclasses.replace(EVENTS, window=1))
        assert engine.wait_loaded(10)
        assert len(engine.tables()["events"]) == 1
        assert engine.tables()["users"] is before


def test_what_somebody_wrote_who_has_left_shows_to_nobody_and_is_no_error() -> None:
    engine = Engine(NOWHERE, [USERS, PRIVATE_MESSAGES])
    engine.apply_written("private_messages", record_of("private_messages"), "ada")
    engine.apply_deleted("private_messages", ("id",), user_id="ada")
    engine.apply_written("users", record_of("users"), "ada")
    assert len(engine.tables()["users"]) == 1
    with pytest.raises(LiveError, match="no_table"):
        engine.apply_written("no_table", {}, "ada")
    engine.stop()


def test_a_function_is_called_later() -> None:
    called = threading.Event()
    engine = Engine.start(NOWHERE, [])
    engine.call_later(0.01, called.set)
    assert called.wait(30)
    engine.stop()


def test_a_user_without_a_session_has_no_audience() -> None:
    engine = Engine(NOWHERE, [])
    with pytest.raises(LiveError, match="ada"):
        engine.audience("ada")
    engine.stop()


def test_killed_services_lose_no_change(stack: StackInfo, ada: Person) -> None:
    with running(stack) as engine:
        assert engine.wait_loaded(30)
        wait_live(engine)
        kept, doomed = post_message(ada, "stays"), post_message(ada, "goes")
        wait_for(lambda: (doomed,) in rows_of(engine, "tavern_messages"), what="the second message")
        _kill_services(stack)
        wait_for(lambda: engine.status().state is not FeedState.LIVE, what="the outage to be noticed")
        missed = str(uuid.uuid4())
        with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database:
            cursor = database.cursor()
            cursor.execute("delete from public.tavern_messages where id = %s", (doomed,))
            cursor.execute(
                "insert into public.tavern_messages (id, author_id, body) values (%s, %s, 'missed')",
                (missed, ada.user_id),
            )
        wait_live(engine)
        found = rows_of(engine, "tavern_messages")
        assert (missed,) in found
        assert (kept,) in found
        assert (doomed,) not in found


def _kill_services(stack: StackInfo) -> None:
    """Kill the gateway, and Realtime, whose websockets would survive it."""
    state = DataDir(stack.data_dir).read_state()
    assert state is not None
    for pid in (state.gateway_pid, state.realtime_pid):
        os.kill(pid, signal.SIGKILL)
