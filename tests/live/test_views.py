"""Views on a real stack: a session sees the rows it has chosen, and the server does the choosing."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from live.engine import Engine, EngineConfig
from live.errors import FilterError, LiveError
from live.filters import parse
from live.status import FeedState
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.live.broken import QUICK, say, sql
from tests.live.fault_proxy import FaultProxy
from tests.live.support import Signed
from tests.support.people import Person, give_role, sign_up
from tests.support.recorder import recording
from tests.support.wait import wait_for

STREAM_ONLY = replace(QUICK, reconcile=1000.0)
"""What arrives has come over the stream, or because of it."""


@contextlib.contextmanager
def running(stack: StackInfo, url: str | None = None) -> Iterator[Engine]:
    engine = Engine.start(EngineConfig(url or stack.url, stack.anon_key), ALL_SPECS, STREAM_ONLY)
    try:
        assert engine.wait_loaded(30)
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="module")
def engine(stack: StackInfo) -> Iterator[Engine]:
    with running(stack) as engine:
        yield engine


@pytest.fixture(scope="module")
def bo(stack: StackInfo) -> Person:
    return sign_up(stack, "Bo")


class Tab:
    """A session that has chosen what it sees of a table."""

    def __init__(self, engine: Engine, name: str, person: Person | None = None) -> None:
        self.engine, self.name = engine, name
        self.user_id = person.user_id if person else None
        engine.attach(name, Signed(person) if person else None)

    def choose(self, table: str, filters: str) -> None:
        """Choose, and wait for the first rows and the stream."""
        self.engine.choose(self.name, table, parse(filters))
        for view in self.engine._views.of_session(self.name):
            wait_for(lambda v=view: v.status.state is FeedState.LIVE, what=f"{filters} to be live")  # type: ignore[misc]
        wait_for(lambda: not self.engine.loading(table, self.user_id, self.name), what="rows")

    def rows(self, table: str) -> dict[tuple[str, ...], object]:
        """Return what it is shown."""
        return dict(self.engine.tables(self.user_id, self.name)[table].rows)

    def keys(self, table: str) -> set[tuple[str, ...]]:
        """Return the keys of what it is shown."""
        return set(self.rows(table))


@pytest.fixture
def tab(engine: Engine) -> Iterator[Tab]:
    tab = Tab(engine, "tab")
    yield tab
    engine.detach("tab")
    wait_for(lambda: not engine.views, what="the view to close")


def start_run(person: Person, name: str) -> tuple[str]:
    row = {"agent_name": name, "agent_id": "a"}
    answer = person.client.table("agent_runs").insert(row).execute()
    return (str(answer.data[0]["id"]),)  # type: ignore[index,call-overload]


def test_a_view_is_loaded_and_followed_with_its_filter(
    tab: Tab, engine: Engine, stack: StackInfo, ada: Person, bo: Person
) -> None:
    before, foreign = say(stack, ada), say(stack, bo)
    tab.choose("tavern_messages", f"author_id=eq.{ada.user_id}")
    assert before in tab.keys("tavern_messages")
    assert foreign not in tab.keys("tavern_messages")
    other, mine = say(stack, bo), say(stack, ada)
    wait_for(lambda: mine in tab.keys("tavern_messages"), what="the new row")
    wait_for(lambda: other in engine.tables()["tavern_messages"], what="the other row, for the others")
    with sql(stack) as cursor:
        cursor.execute("update public.tavern_messages set body = 'new words' where id = %s", mine)
        cursor.execute("delete from public.tavern_messages where id = %s", before)
    wait_for(lambda: getattr(tab.rows("tavern_messages")[mine], "body") == "new words", what="the edit")  # noqa: B009
    wait_for(lambda: before not in tab.keys("tavern_messages"), what="the deletion")
    assert other not in tab.keys("tavern_messages")
    tab.engine.choose("tab", "tavern_messages", ())
    assert {other, mine, foreign} <= tab.keys("tavern_messages")


def test_a_row_that_leaves_the_filter_leaves_the_view_and_may_come_back(
    tab: Tab, engine: Engine, stack: StackInfo, ada: Person
) -> None:
    """Realtime says nothing of an update after which a row passes no longer."""
    with sql(stack) as cursor:
        cursor.execute("select id from public.events where capacity is null and cancelled_at is null limit 1")
        [event] = cursor.fetchone()
        cursor.execute("delete from public.rsvps where user_id = %s", (ada.user_id,))
        cursor.execute(
            "insert into public.rsvps (event_id, user_id, status) values (%s, %s, 'going')",
            (event, ada.user_id),
        )
    key = (event, ada.user_id)
    tab.choose("rsvps", "status=eq.going")
    assert key in tab.keys("rsvps")
    for status, shown in (("maybe", False), ("going", True), ("declined", False)):
        with sql(stack) as cursor:
            cursor.execute("update public.rsvps set status = %s where user_id = %s", (status, ada.user_id))
        wait_for(lambda: (key in tab.keys("rsvps")) is shown, what=status)  # noqa: B023
    [view] = engine._views.of_session("tab")
    assert view.status.repaired == 0


def test_the_writers_own_row_is_in_their_view_at_once_or_out_of_it(
    tab: Tab, engine: Engine, ada: Person, stack: StackInfo
) -> None:
    tab.choose("tavern_messages", f"author_id=eq.{ada.user_id},edited_at=is.null")
    record = dict(ada.client.table("tavern_messages").insert({"body": "mine"}).execute().data[0])  # type: ignore[arg-type]
    engine.apply_written("tavern_messages", record)
    key = (str(record["id"]),)
    assert key in tab.keys("tavern_messages")
    edit = ada.client.table("tavern_messages").update({"body": "edited"}).eq("id", key[0]).execute()
    engine.apply_written("tavern_messages", dict(edit.data[0]))  # type: ignore[arg-type]
    wait_for(lambda: key not in tab.keys("tavern_messages"), what="the edited row to go")
    another = (str(ada.client.table("tavern_messages").insert({"body": "x"}).execute().data[0]["id"]),)  # type: ignore[index,call-overload]
    wait_for(lambda: another in tab.keys("tavern_messages"), what="another row")
    engine.apply_deleted("tavern_messages", another)
    assert another not in tab.keys("tavern_messages")


def test_a_private_view_is_read_with_the_persons_own_token(
    engine: Engine, stack: StackInfo, ada: Person, bo: Person
) -> None:
    mine, other_name, foreign = start_run(ada, "checker"), start_run(ada, "writer"), start_run(bo, "checker")
    tab = Tab(engine, "ada", ada)
    assert engine.wait_loaded(20, user_id=ada.user_id)
    tab.choose("agent_runs", "agent_name=eq.checker")
    assert mine in tab.keys("agent_runs")
    assert not {other_name, foreign} & tab.keys("agent_runs")
    foreign_too, mine_too = start_run(bo, "checker"), start_run(ada, "checker")
    wait_for(lambda: mine_too in tab.keys("agent_runs"), what="the new run")
    assert foreign_too not in tab.keys("agent_runs")
    assert not engine.load_older("agent_runs", ada.user_id, "ada")
    give_role(stack, ada.user_id, "admin")
    wait_for(lambda: foreign in tab.keys("agent_runs"), what="an admin to see the runs of others")
    start_run(bo, "other name")
    latest = start_run(bo, "checker")
    wait_for(lambda: latest in tab.keys("agent_runs"), what="a new run of somebody else")
    give_role(stack, ada.user_id, "member")
    wait_for(lambda: not {foreign, latest} & tab.keys("agent_runs"), what="them to be taken away")
    with sql(stack) as cursor:
        cursor.execute("delete from public.agent_runs where id = %s", mine)
    wait_for(lambda: mine not in tab.keys("agent_runs"), what="the deletion")
    wait_for(lambda: mine not in engine.tables(ada.user_id)["agent_runs"], what="it in the whole table")
    engine.detach("ada")
    wait_for(lambda: not engine.views, what="the view to close with the last tab")
    with pytest.raises(LiveError):
        engine.choose("nobody", "agent_runs", parse("agent_name=eq.checker"))


def test_tabs_that_choose_the_same_share_a_view_that_closes_after_the_last(engine: Engine) -> None:
    one, two = Tab(engine, "one"), Tab(engine, "two")
    one.choose("users", "role=eq.admin,display_name=like.A*")
    two.choose("users", "display_name=like.A%,role=eq.admin")
    [view] = {*engine._views.of_session("one"), *engine._views.of_session("two")}
    assert len(engine.views) == 1
    assert one.rows("users") is not two.rows("users")
    engine.choose("one", "users", ())
    assert engine._views.of_session("two") == [view]
    for letter in "BCDE":
        engine.choose("two", "users", parse(f"display_name=like.{letter}%"))
    assert len(engine.views) <= 2
    engine.detach("two")
    wait_for(lambda: not engine.views, what="the views to close")
    engine.detach("one")
    assert engine.feeds == {None}


def test_values_that_look_like_syntax_are_only_values(tab: Tab, stack: StackInfo) -> None:
    for name in ('a,b)"(c\\', "null", "x  y", "a.b=eq.(c)", "{a}"):
        person = sign_up(stack, "Somebody")
        person.client.table("users").update({"display_name": name}).eq("id", person.user_id).execute()
    found = []
    for name in ('"a,b)\\"(c\\\\"', '"null"', '"x  y"', '"a.b=eq.(c)"', '"{a}"'):
        for condition in (f"eq.{name}", f"in.(other,{name})"):
            tab.choose("users", f"display_name={condition}")
            found.append(len(tab.keys("users")))
    assert found == [1] * 10


def test_an_empty_view_is_told_apart_from_one_that_is_not_there_yet(engine: Engine, tab: Tab) -> None:
    told: list[frozenset[str]] = []
    stop = engine.listen(lambda sessions, tables: told.append(tables) if "tab" in sessions else None)
    engine.choose("tab", "users", parse("display_name=eq.nobody"))
    before = engine.revision("users", None, "tab")
    assert engine.loading("users", None, "tab")
    wait_for(lambda: not engine.loading("users", None, "tab"), what="the view to load")
    wait_for(lambda: frozenset({"users"}) in told, what="the tab to be woken")
    assert engine.revision("users", None, "tab") != before
    assert tab.keys("users") == set()
    assert engine.status(None, "tab").state is FeedState.LIVE
    stop()


def test_a_question_the_database_refuses_is_said_and_is_no_outage(engine: Engine, tab: Tab) -> None:
    engine.choose("tab", "events", parse("capacity=gt.99999999999"))
    wait_for(lambda: engine.refused("events", None, "tab") is not None, what="the refusal")
    assert "out of range" in str(engine.refused("events", None, "tab"))
    assert engine.status(None, "tab").state is FeedState.LIVE


def test_only_columns_that_are_meant_for_it_can_be_chosen(engine: Engine, tab: Tab) -> None:
    for filters in ("body=eq.x", "author_id=eq.7", "hidden_at=like.a"):
        with pytest.raises(FilterError):
            engine.choose("tab", "tavern_messages", parse(filters))
    assert not engine.views


def test_everything_is_asked_with_the_filter(stack: StackInfo, ada: Person) -> None:
    with recording(stack.url) as recorder, running(stack, recorder.url) as engine:
        tab = Tab(engine, "tab")
        before = len(recorder.requests)
        tab.choose("tavern_messages", f"author_id=eq.{ada.user_id}")
        tab.engine.load_older("tavern_messages", None, "tab")
        reads = [request for request in recorder.requests[before:] if request.table == "tavern_messages"]
        assert reads
        assert all(f"author_id=eq.{ada.user_id}" in request.target for request in reads)


def test_a_view_catches_up_after_an_outage(
    proxy: FaultProxy, stack: StackInfo, ada: Person, bo: Person
) -> None:
    with running(stack, proxy.url) as engine:
        tab = Tab(engine, "tab")
        doomed = say(stack, ada)
        tab.choose("tavern_messages", f"author_id=eq.{ada.user_id}")
        proxy.refuse()
        wait_for(lambda: engine.status(None, "tab").state is FeedState.OFFLINE, what="the outage")
        missed, foreign = say(stack, ada), say(stack, bo)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", doomed)
        proxy.heal()
        wait_for(lambda: missed in tab.keys("tavern_messages"), what="what was missed")
        wait_for(lambda: doomed not in tab.keys("tavern_messages"), what="the deletion")
        wait_for(lambda: foreign in engine.tables()["tavern_messages"], what="the whole table")
        assert foreign not in tab.keys("tavern_messages")
        wait_for(lambda: engine.status(None, "tab").state is FeedState.LIVE, what="live")
