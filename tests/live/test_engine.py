"""The engine on a real stack: loading, following, keeping apart what is private, coming back."""

import contextlib
import dataclasses
import signal
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import psutil
import psycopg2
import pytest

from live.engine import Engine, EngineConfig
from live.status import FeedState
from live.tables import AnySpec, Audience
from live.timing import Timing
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS, private_messages, rsvps, tavern_messages, users
from tests.live.support import Signed, rows_of, wait_equal
from tests.support.people import Person, anonymous_client, give_role, sign_up
from tests.support.recorder import Request, recording
from tests.support.wait import wait_for

QUICK = Timing(linger=0.2, first_retry=0.05, longest_retry=0.5, poll=0.2, patience=3)


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


def say(person: Person, body: str) -> str:
    answer = person.client.table("tavern_messages").insert({"body": body}).execute()
    return str(answer.data[0]["id"])  # type: ignore[index,call-overload]


def whisper(sender: Person, recipient: Person, body: str) -> str:
    row = {"recipient_id": recipient.user_id, "body": body}
    answer = sender.client.table("private_messages").insert(row).execute()
    return str(answer.data[0]["id"])  # type: ignore[index,call-overload]


def new_event(person: Person) -> str:
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


def test_starting_costs_one_read_a_table_however_many_sessions(stack: StackInfo) -> None:
    with recording(stack.url) as recorder, running(stack, url=recorder.url) as engine:
        assert engine.wait_loaded(30)
        wait_live(engine)
        for number in range(20):
            engine.attach(f"session {number}", None)
            engine.tables()
        public = [spec.name for spec in ALL_SPECS if spec.audience is Audience.PUBLIC]
        assert sorted(str(read.table) for read in recorder.reads()) == sorted(public)
        assert _sockets(recorder.requests) == 1


def _sockets(requests: list[Request]) -> int:
    return sum(request.target.startswith("/realtime/v1/websocket") for request in requests)


def test_an_insert_an_update_and_a_delete_arrive(engine: Engine, ada: Person) -> None:
    wait_live(engine)
    message = say(ada, "first words")
    key = (message,)
    wait_for(lambda: key in rows_of(engine, "tavern_messages"), what="the insert")
    ada.client.table("tavern_messages").update({"body": "other words"}).eq("id", message).execute()
    wait_for(lambda: rows_of(engine, "tavern_messages")[key].body == "other words", what="the update")
    ada.client.table("tavern_messages").delete().eq("id", message).execute()
    wait_for(lambda: key not in rows_of(engine, "tavern_messages"), what="the delete")


def test_a_natural_key_comes_and_goes_and_comes(engine: Engine, ada: Person, stack: StackInfo) -> None:
    event = new_event(ada)
    key = (event, ada.user_id)
    row = {"event_id": event, "user_id": ada.user_id}
    for status in ("going", "maybe", "declined"):
        ada.client.table("rsvps").upsert({**row, "status": status}).execute()
        wait_for(lambda: key in rows_of(engine, "rsvps"), what="the answer")
        ada.client.table("rsvps").delete().eq("event_id", event).execute()
        wait_for(lambda: key not in rows_of(engine, "rsvps"), what="the answer to go")
    wait_equal(engine, rsvps.SPEC, anonymous_client(stack))


def test_a_deletion_and_reinsertion_in_one_transaction(engine: Engine, ada: Person, stack: StackInfo) -> None:
    event = new_event(ada)
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
    wait_for(
        lambda: key in (found := rows_of(engine, "rsvps")) and found[key].status == "maybe",
        what="the second answer",
    )


def test_what_direct_sql_changes_arrives_too(engine: Engine, ada: Person, stack: StackInfo) -> None:
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database:
        database.cursor().execute("update public.users set bio = 'by hand' where id = %s", (ada.user_id,))
    wait_for(lambda: rows_of(engine, "users")[ada.user_id,].bio == "by hand", what="the update")
    wait_equal(engine, users.SPEC, anonymous_client(stack))


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
    key = (whisper(ada, bo, "between us"),)
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
        wait_equal(engine, private_messages.SPEC, person.client, person.user_id)
    for tab in ("tab 0", "tab 1", "tab 2", "visitor"):
        engine.detach(tab)


def test_tabs_of_one_person_share_a_feed_that_closes_after_the_last(engine: Engine, ada: Person) -> None:
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


def test_a_refreshed_token_keeps_the_feed_going(engine: Engine, ada: Person, bo: Person) -> None:
    signed = Signed(ada)
    engine.attach("refresher", signed)
    wait_live(engine, ada.user_id)
    signed.refresh()
    key = (whisper(bo, ada, "after the refresh"),)
    wait_for(lambda: key in rows_of(engine, "private_messages", ada.user_id), what="the message")
    engine.detach("refresher")


def test_the_change_log_is_for_admins_from_the_moment_they_are(engine: Engine, stack: StackInfo) -> None:
    dee = sign_up(stack, "Dee")
    engine.attach("dee", Signed(dee))
    assert engine.wait_loaded(30, user_id=dee.user_id)
    assert "change_log" not in engine.tables(dee.user_id)
    give_role(stack, dee.user_id, "admin")
    wait_for(lambda: "change_log" in engine.tables(dee.user_id), what="the table to be readable")
    message = say(dee, "noted")
    wait_for(
        lambda: any(entry.row_key == {"id": message} for entry in engine.tables(dee.user_id)["change_log"]),
        what="the entry",
    )
    give_role(stack, dee.user_id, "member")
    wait_for(lambda: "change_log" not in engine.tables(dee.user_id), what="the table to be taken away")
    engine.detach("dee")


def test_the_writers_own_row_is_there_at_once_and_its_echo_changes_nothing(
    engine: Engine, ada: Person
) -> None:
    wait_live(engine)
    told: list[frozenset[str]] = []
    engine.attach("writer", None)
    stop = engine.listen(lambda _, tables: told.append(tables))
    answer = ada.client.table("tavern_messages").insert({"body": "mine"}).execute()
    record = dict(answer.data[0])  # type: ignore[arg-type]
    engine.apply_written("tavern_messages", record)
    key = (str(record["id"]),)
    assert rows_of(engine, "tavern_messages")[key].body == "mine"
    engine.apply_deleted("tavern_messages", key)
    assert key not in rows_of(engine, "tavern_messages")
    ada.client.table("tavern_messages").delete().eq("id", key[0]).execute()
    later = say(ada, "later")
    wait_for(lambda: (later,) in rows_of(engine, "tavern_messages"), what="a later message")
    assert key not in rows_of(engine, "tavern_messages")
    assert told.count(frozenset({"tavern_messages"})) <= 3
    stop()
    engine.detach("writer")


def test_older_messages_are_paged_in_on_demand(stack: StackInfo, ada: Person) -> None:
    rows = [{"body": f"{number}"} for number in range(300)]
    ada.client.table("tavern_messages").insert(rows).execute()
    with running(stack) as engine:
        assert engine.wait_loaded(30)
        assert len(engine.tables()["tavern_messages"]) == tavern_messages.SPEC.window
        while engine.load_older("tavern_messages"):
            pass
        wait_equal(engine, tavern_messages.SPEC, anonymous_client(stack))


def test_a_table_that_grows_stays_near_its_window_and_pages_back(stack: StackInfo, ada: Person) -> None:
    small = dataclasses.replace(tavern_messages.SPEC, window=5)
    with running(stack, specs=[users.SPEC, small]) as engine:
        assert engine.wait_loaded(30)
        wait_live(engine)
        for number in range(40):
            last = say(ada, str(number))
        wait_for(lambda: (last,) in rows_of(engine, "tavern_messages"), what="the last")
        assert len(engine.tables()["tavern_messages"]) <= 3 * 5
        while engine.load_older("tavern_messages"):
            pass
        wait_equal(engine, dataclasses.replace(small, window=None), anonymous_client(stack))


def test_tables_beyond_the_page_limit_are_loaded_whole(
    stack: StackInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosted projects give at most 1,000 rows an answer; here 7, for single and for composite keys."""
    monkeypatch.setattr("live.reads.PAGE", 7)
    with running(stack) as engine:
        assert engine.wait_loaded(30)
        for spec in (users.SPEC, rsvps.SPEC):
            assert len(engine.tables()[spec.name]) > 7
            wait_equal(engine, spec, anonymous_client(stack))


def test_a_killed_gateway_costs_no_change(stack: StackInfo, ada: Person) -> None:
    with running(stack) as engine:
        assert engine.wait_loaded(30)
        wait_live(engine)
        kept, doomed = say(ada, "stays"), say(ada, "goes")
        wait_for(lambda: (doomed,) in rows_of(engine, "tavern_messages"), what="the second message")
        _gateway(stack).send_signal(signal.SIGKILL)
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


def _gateway(stack: StackInfo) -> psutil.Process:
    port = int(stack.url.rsplit(":", 1)[1])
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "local_supabase.gateway" in " ".join(process.cmdline()) and any(
                connection.laddr.port == port
                for connection in process.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN
            ):
                return process
    raise AssertionError(f"No gateway listens on {port}")
