"""Views on a real stack: a session sees the rows it has chosen, and the server filters them."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from livetables.audiences import Audience
from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.errors import FilterError, LiveError
from livetables.feed.status import FeedState
from livetables.tables.filters import parse
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.livetables.broken import QUICK, post_message, sql
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.support import Signed
from tests.support.people import Person, give_role, sign_up
from tests.support.recorder import recording
from tests.support.wait import wait_for

STREAM_ONLY = replace(QUICK, reconcile=1000.0)
"""With this, a change can only arrive over the stream or because of it."""


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
        self.engine = engine
        self.session = engine.attach(name, Signed(person) if person else None)

    def choose(self, table: str, filters: str) -> None:
        """Choose, and wait for the first rows and the stream."""
        self.session.choose(table, parse(filters))
        wait_for(lambda: self.view(table).status.state is FeedState.LIVE, what=f"{filters} to be live")
        wait_for(lambda: not self.session.is_loading(table), what="rows")

    def view(self, table: str) -> Audience:
        """Return the open view from which the session sees the table."""
        shown = self.session.tables()[table]
        # A copy, because the engine closes the views of before meanwhile.
        [view] = [view for view in list(self.engine.views.values()) if view.tables.get(table) is shown]
        return view

    def rows(self, table: str) -> dict[tuple[str, ...], object]:
        """Return the rows it is shown."""
        return dict(self.session.tables()[table].rows)

    def keys(self, table: str) -> set[tuple[str, ...]]:
        """Return the keys of the rows it is shown."""
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
    before, foreign = post_message(stack, ada), post_message(stack, bo)
    tab.choose("tavern_messages", f"author_id=eq.{ada.user_id}")
    assert before in tab.keys("tavern_messages")
    assert foreign not in tab.keys("tavern_messages")
    other, mine = post_message(stack, bo), post_message(stack, ada)
    wait_for(lambda: mine in tab.keys("tavern_messages"), what="the new row")
    wait_for(lambda: other in engine.tables()["tavern_messages"], what="the other row, for the others")
    with sql(stack) as cursor:
        cursor.execute("update public.tavern_messages set body = 'new text' where id = %s", mine)
        cursor.execute("delete from public.tavern_messages where id = %s", before)
    wait_for(lambda: getattr(tab.rows("tavern_messages")[mine], "body") == "new text", what="the edit")  # noqa: B009
    wait_for(lambda: before not in tab.keys("tavern_messages"), what="the deletion")
    assert other not in tab.keys("tavern_messages")
    tab.session.choose("tavern_messages", ())
    assert {other, mine, foreign} <= tab.keys("tavern_messages")


def test_a_row_that_leaves_the_filter_leaves_the_view_and_may_come_back(
    tab: Tab, engine: Engine, stack: StackInfo, ada: Person
) -> None:
    """Realtime does not report an update after which a row no longer passes."""
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
    [view] = engine.views.values()
    assert view.status.repaired == 0


def test_the_writers_own_row_enters_or_leaves_their_view_at_once(
    tab: Tab, engine: Engine, ada: Person, stack: StackInfo
) -> None:
    tab.choose("tavern_messages", f"author_id=eq.{ada.user_id},edited_at=is.null")
    record = dict(ada.client.table("tavern_messages").insert({"body": "mine"}).execute().data[0])  # type: ignore[arg-type]
    engine.apply_written("tavern_messages", record)
    key = (str(record["id"]),)
    assert key in tab.keys("tavern_messages")
    edit = ada.client.table("tavern_messages").update({"body": "edited"}).eq("id", key[0]).execute()
    engine.apply_written("tavern_messages", dict(edit.data[0]))  # type: ignore[arg-type]
    wait_for(lambda: key not in tab.keys("tavern_messages"), what="the edited row to leave")
    another = (str(ada.client.table("tavern_messages").insert({"body": "x"}).execute().data[0]["id"]),)  # type: ignore[index,call-overload]
    wait_for(lambda: another in tab.keys("tavern_messages"), what="another row")
    engine.apply_deleted("tavern_messages", another)
    assert another not in tab.keys("tavern_messages")


def test_a_private_view_is_read_with_the_users_own_token(
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
    assert not tab.session.load_older("agent_runs")
    give_role(stack, ada.user_id, "admin")
    wait_for(lambda: foreign in tab.keys("agent_runs"), what="an admin to see the runs of others")
    start_run(bo, "other name")
    latest = start_run(bo, "checker")
    wait_for(lambda: latest in tab.keys("agent_runs"), what="a new run of somebody else")
    give_role(stack, ada.user_id, "member")
    wait_for(lambda: not {foreign, latest} & tab.keys("agent_runs"), what="them to be removed")
    with sql(stack) as cursor:
        cursor.execute("delete from public.agent_runs where id = %s", mine)
    wait_for(lambda: mine not in tab.keys("agent_runs"), what="the deletion")
    wait_for(
        lambda: mine not in engine.tables(ada.user_id)["agent_runs"], what="the deletion in the whole table"
    )
    engine.detach("ada")
    wait_for(lambda: not engine.views, what="the view to close with the last tab")
    with pytest.raises(LiveError):
        tab.session.choose("agent_runs", parse("agent_name=eq.checker"))


def test_tabs_with_the_same_choice_share_a_view_that_closes_after_the_last_tab(engine: Engine) -> None:
    one, two = Tab(engine, "one"), Tab(engine, "two")
    one.choose("users", "role=eq.admin,display_name=like.A*")
    two.choose("users", "display_name=like.A%,role=eq.admin")
    [view] = engine.views.values()
    assert one.session.tables()["users"] is two.session.tables()["users"] is view.tables["users"]
    one.session.choose("users", ())
    assert two.view("users") is view
    for letter in "BCDE":
        two.session.choose("users", parse(f"display_name=like.{letter}%"))
    assert len(engine.views) <= 2
    engine.detach("two")
    wait_for(lambda: not engine.views, what="the views to close")
    engine.detach("one")
    assert engine.feeds == {None}


def test_values_that_look_like_syntax_are_values(tab: Tab, stack: StackInfo) -> None:
    for name in ('a,b)"(c\\', "null", "x  y", "a.b=eq.(c)", "{a}"):
        person = sign_up(stack, "Somebody")
        person.client.table("users").update({"display_name": name}).eq("id", person.user_id).execute()
    found = []
    for name in ('"a,b)\\"(c\\\\"', '"null"', '"x  y"', '"a.b=eq.(c)"', '"{a}"'):
        for condition in (f"eq.{name}", f"in.(other,{name})"):
            tab.choose("users", f"display_name={condition}")
            found.append(len(tab.keys("users")))
    assert found == [1] * 10


def test_an_empty_view_differs_from_one_that_is_still_loading(engine: Engine, tab: Tab) -> None:
    notified: list[frozenset[str]] = []
    stop = engine.listen(lambda sessions, tables: notified.append(tables) if "tab" in sessions else None)
    tab.session.choose("users", parse("display_name=eq.nobody"))
    before = tab.session.version("users")
    assert tab.session.is_loading("users")
    wait_for(lambda: not tab.session.is_loading("users"), what="the view to load")
    wait_for(lambda: frozenset({"users"}) in notified, what="the tab to be notified")
    assert tab.session.version("users") != before
    assert tab.keys("users") == set()
    assert tab.session.status().state is FeedState.LIVE
    stop()


def test_a_query_the_database_refuses_is_reported_and_is_no_outage(tab: Tab) -> None:
    tab.session.choose("events", parse("capacity=gt.99999999999"))
    wait_for(lambda: tab.session.refusal("events") is not None, what="the refusal")
    assert "out of range" in str(tab.session.refusal("events"))
    assert tab.session.status().state is FeedState.LIVE


def test_only_filterable_columns_can_be_filtered(engine: Engine, tab: Tab) -> None:
    for filters in ("body=eq.x", "author_id=eq.7", "hidden_at=like.a"):
        with pytest.raises(FilterError):
            tab.session.choose("tavern_messages", parse(filters))
    assert not engine.views


def test_every_request_carries_the_filter(stack: StackInfo, ada: Person) -> None:
    with recording(stack.url) as recorder, running(stack, recorder.url) as engine:
        tab = Tab(engine, "tab")
        before = len(recorder.requests)
        tab.choose("tavern_messages", f"author_id=eq.{ada.user_id}")
        tab.session.load_older("tavern_messages")
        reads = [request for request in recorder.requests[before:] if request.table == "tavern_messages"]
        assert reads
        assert all(f"author_id=eq.{ada.user_id}" in request.target for request in reads)


def test_a_view_catches_up_after_an_outage(
    proxy: FaultProxy, stack: StackInfo, ada: Person, bo: Person
) -> None:
    with running(stack, proxy.url) as engine:
        tab = Tab(engine, "tab")
        doomed = post_message(stack, ada)
        tab.choose("tavern_messages", f"author_id=eq.{ada.user_id}")
        proxy.refuse()
        wait_for(lambda: tab.session.status().state is FeedState.OFFLINE, what="the outage")
        missed, foreign = post_message(stack, ada), post_message(stack, bo)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", doomed)
        proxy.heal()
        wait_for(lambda: missed in tab.keys("tavern_messages"), what="the missed message")
        wait_for(lambda: doomed not in tab.keys("tavern_messages"), what="the deletion")
        wait_for(lambda: foreign in engine.tables()["tavern_messages"], what="the whole table")
        assert foreign not in tab.keys("tavern_messages")
        wait_for(lambda: tab.session.status().state is FeedState.LIVE, what="live")
        assert tab.keys("tavern_messages") >= {missed}
