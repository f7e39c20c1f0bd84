"""Tabs on a real Streamlit runtime: what wakes them, what does not, and what survives it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from streamlit.proto.ClientState_pb2 import ContextInfo
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from live import fragments, rerun
from live.engine import Engine
from live.filters import parse
from live.rerun import Wake
from live.status import FeedState, FeedStatus
from tests.live import stage
from tests.live.streamlit_server import Server, Tab
from tests.live.tables import record
from tests.support.wait import wait_for

Waking = Callable[[str, Sequence[str]], Wake]


def shows(tab: Tab, text: str) -> None:
    """Wait until the tab has been sent this text."""
    wait_for(lambda: text in tab.texts, within=10, what=f"{text!r}, after {tab.texts}")


class Person:
    """A signed-in person."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.claims: dict[str, object] = {}

    def access_token(self) -> str:
        return "token"

    def on_token(self, callback: Callable[[str], object]) -> Callable[[], None]:
        return lambda: None


def test_a_change_reaches_every_tab_without_a_full_run(server: Server, engine: Engine) -> None:
    tabs = [server.tab() for _ in range(3)]
    runs = [tab.full_runs for tab in tabs]
    engine.apply_written("things", record("1", "first"))
    for tab in tabs:
        shows(tab, "things: first")
    assert [tab.full_runs for tab in tabs] == runs


def test_only_fragments_that_show_the_table_rerun(server: Server, engine: Engine) -> None:
    tab = server.tab()
    seen = len(tab.texts)
    engine.apply_written("others", record("1", "else"))
    shows(tab, "others: else")
    shows(tab, "both right: /else")
    tab.wait_at_rest()
    assert {text.split(":")[0] for text in tab.texts[seen:]} == {"others", "both left", "both right"}


def test_what_is_half_typed_survives(server: Server, engine: Engine) -> None:
    tab = server.tab()
    typed = WidgetStates(widgets=[WidgetState(id=tab.widgets["Draft"], string_value="half a sen")])
    tab.run(widget_states=typed, fragment_id=tab.fragment_of("draft:"))
    shows(tab, "draft: half a sen")
    seen = len(tab.texts)
    engine.apply_written("things", record("1", "interruption"))
    shows(tab, "things: interruption")
    wait_for(lambda: "draft: half a sen" in tab.texts[seen:], what="the text to be there still")


def test_a_woken_fragment_keeps_time_zone_and_address(server: Server, engine: Engine) -> None:
    tab = server.tab()
    tab.run(query_string="event=7", context_info=ContextInfo(timezone="Asia/Tokyo"))
    shows(tab, "zone: Asia/Tokyo {'event': '7'}")
    for number in range(3):
        seen = len(tab.texts)
        engine.apply_written("things", record(str(number), str(number)))
        wait_for(lambda: any(text.startswith("zone:") for text in tab.texts[seen:]), what="a rerun")  # noqa: B023
        assert "zone: Asia/Tokyo {'event': '7'}" in tab.texts[seen:]
        tab.wait_at_rest()


def test_a_change_during_a_full_run_is_shown_after_it(server: Server, engine: Engine) -> None:
    tab = server.tab()
    stage.gate.clear()
    tab.ask()
    shows(tab, "waiting")
    engine.apply_written("things", record("1", "meanwhile"))
    assert "things: meanwhile" not in tab.texts
    stage.gate.set()
    shows(tab, "things: meanwhile")
    shows(tab, "through")


def test_a_run_that_came_to_nothing_is_made_up_for(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab, lost = server.tab(), list[str]()

    def lose_one(session_id: str, fragments: Sequence[str], real: Waking = rerun.wake) -> Wake:
        if lost:
            return real(session_id, fragments)
        lost.extend(fragments)
        return Wake.STARTED

    monkeypatch.setattr(rerun, "wake", lose_one)
    engine.apply_written("things", record("1", "late"))
    shows(tab, "things: late")
    assert lost


def test_many_changes_are_merged_into_few_reruns(server: Server, engine: Engine) -> None:
    tab = server.tab()
    before = tab.fragment_runs_finished
    for number in range(200):
        engine.apply_written("things", record("1", str(number), version=number + 1))
    shows(tab, "things: 199")
    tab.wait_at_rest()
    assert tab.fragment_runs_finished - before < 50


def test_the_echo_of_what_is_shown_wakes_nobody(server: Server, engine: Engine) -> None:
    tab = server.tab()
    engine.apply_written("things", record("1", "mine"))
    shows(tab, "things: mine")
    tab.wait_at_rest()
    seen = len(tab.messages)
    engine.apply_written("things", record("1", "mine"))
    engine.apply_written("others", record("1", "next"))
    shows(tab, "others: next")
    tab.wait_at_rest()
    assert not any(
        message.delta.new_element.text.body.startswith("things:") for message in tab.messages[seen:]
    )


def test_a_fragment_in_two_places_is_brought_up_to_date_in_both(server: Server, engine: Engine) -> None:
    """One of them has rerun by a click, and so already shows the newest; the other has not."""
    tab = server.tab()
    engine._listeners._listeners.clear()
    engine.apply_written("others", record("1", "new"))
    tab.run(fragment_id=tab.fragment_of("both left"))
    assert "both left: /new" in tab.texts
    assert "both right: /new" not in tab.texts
    left = tab.texts.count("both left: /new")
    _listen_again(engine)
    shows(tab, "both right: /new")
    tab.wait_at_rest()
    assert tab.texts.count("both left: /new") == left


def _listen_again(engine: Engine) -> None:
    from live import sessions

    for one in sessions._by_loop.values():
        if one._wakes is not None and engine in one._engines:
            engine.listen(one._wakes.wake)
            one._wakes.wake(engine.sessions, frozenset({"others"}))


def test_a_disconnected_tab_is_left_alone_and_catches_up(server: Server, engine: Engine) -> None:
    tab, other = server.tab(), server.tab()
    tab.disconnect()
    seen = len(tab.messages)
    engine.apply_written("things", record("1", "unseen"))
    shows(other, "things: unseen")
    assert len(tab.messages) == seen
    tab.reconnect()
    shows(tab, "things: unseen")
    engine.apply_written("things", record("2", "seen"))
    shows(tab, "things: seen,unseen")


def test_closed_tabs_are_forgotten(server: Server, engine: Engine) -> None:
    tab, other = server.tab(), server.tab()
    tab.close()
    wait_for(lambda: tab.session_id not in engine.sessions, what="the closed tab to be forgotten")
    assert other.session_id in engine.sessions


def test_a_tab_that_lost_its_browser_is_not_shown_as_being_here(server: Server, engine: Engine) -> None:
    closed, disconnected, here = server.tab(), server.tab(), server.tab()
    present = engine.presence._own
    assert {closed.session_id, disconnected.session_id, here.session_id} == set(present)
    closed.close()
    disconnected.disconnect()
    wait_for(lambda: set(present) == {here.session_id}, what="the dead tabs to fade")
    disconnected.reconnect()
    wait_for(lambda: disconnected.session_id in present, what="it to be here again")


def test_signing_out_takes_the_private_tables_away(server: Server, engine: Engine) -> None:
    stage.user = Person("ada")
    with _loaded(engine):
        tab = server.tab()
    engine.apply_written("secrets", record("1", "psst"), "ada")
    shows(tab, "secrets: psst")
    stage.user = None
    tab.run()
    assert "secrets: none" in tab.texts
    assert engine.sessions[tab.session_id] is None


def test_nobody_else_is_shown_or_woken_for_what_is_private(server: Server, engine: Engine) -> None:
    stage.user = Person("ada")
    with _loaded(engine):
        ada = server.tab()
        stage.user = Person("bo")
        bo = server.tab()
    stage.user = None
    visitor = server.tab()
    runs = [tab.fragment_runs_finished for tab in (bo, visitor)]
    engine.apply_written("secrets", record("1", "for ada"), "ada")
    shows(ada, "secrets: for ada")
    assert not any("for ada" in text for tab in (bo, visitor) for text in tab.texts)
    assert [tab.fragment_runs_finished for tab in (bo, visitor)] == runs


def test_the_status_wakes_the_fragments_that_show_it(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = server.tab()
    assert "status: Connecting" in tab.texts
    live = FeedStatus(FeedState.LIVE, engine.status().since)
    monkeypatch.setattr(type(engine._public), "status", property(lambda _: live))
    engine._status_changed(engine._public)
    shows(tab, "status: Live")


def test_where_sessions_cannot_be_woken_fragments_ask_by_themselves(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "supported", lambda: False)
    tab = server.tab()
    asking = [message.auto_rerun for message in tab.messages if message.HasField("auto_rerun")]
    assert {one.interval for one in asking} == {fragments.FALLBACK_EVERY}
    assert tab.fragment_of("things:") in {one.fragment_id for one in asking}


def test_a_tab_sees_what_it_has_chosen_and_reruns_for_that_alone(server: Server, engine: Engine) -> None:
    stage.filters = parse("text=like.a%")
    tab = server.tab()
    assert "loading" in tab.texts
    [view] = engine._views.open.values()
    view.store.finish_loading()
    shows(tab, "things:")
    tab.wait_at_rest()
    runs = tab.fragment_runs_finished
    engine.apply_written("things", record("1", "banana"))
    assert ("1",) in engine.tables()["things"]
    engine.apply_written("things", record("2", "apple"))
    shows(tab, "things: apple")
    shows(tab, "both right: apple/")
    tab.wait_at_rest()
    assert tab.fragment_runs_finished - runs <= 3
    assert not any("banana" in text for text in tab.texts if not text.startswith("page"))
    seen = len(tab.texts)
    engine.apply_deleted("things", ("2",))
    wait_for(lambda: "things:" in tab.texts[seen:], what="it to go")


def test_a_choice_in_a_fragment_reaches_the_others_and_ends_with_the_page(
    server: Server, engine: Engine
) -> None:
    engine.apply_written("things", record("1", "banana"))
    engine.apply_written("things", record("2", "apple"))
    tab = server.tab()
    shows(tab, "both right: apple,banana/")
    stage.filters = parse("text=like.b%")
    seen = len(tab.texts)
    tab.run(fragment_id=tab.fragment_of("draft:"))
    wait_for(lambda: {"loading", "both right: /"} <= set(tab.texts[seen:]), what="the view, in both")
    assert len(engine.views) == 1
    stage.page, seen = "second", len(tab.texts)
    tab.run()
    assert "things: apple,banana" in tab.texts[seen:]
    assert engine._views.of_session(tab.session_id) == []


@contextmanager
def _loaded(engine: Engine) -> Iterator[None]:
    """Count the private tables of everybody who signs in as loaded."""
    new = engine._new_audience

    def loaded(user_id: str) -> object:
        audience = new(user_id)
        audience.store.loaded.set()
        return audience

    engine._new_audience = loaded  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        engine._new_audience = new  # type: ignore[method-assign]
