"""Tabs on a real Streamlit runtime: which changes rerun them, and what survives that."""

import threading
from collections.abc import Callable, Sequence

import pytest
from streamlit.proto.ClientState_pb2 import ContextInfo
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from livetables import rerun, sessions
from livetables.audiences import Audience
from livetables.engine import Engine
from livetables.faults import FAULTS
from livetables.feed.status import FeedState, FeedStatus
from livetables.rerun_scheduler import RerunResult
from livetables.running_session import connection
from livetables.sessions import Sessions
from livetables.tables.filters import parse
from tests.livetables import stage
from tests.livetables.streamlit_server import Server, Tab
from tests.livetables.support import SignedOut
from tests.livetables.things import record
from tests.support.wait import wait_for

RerunFunction = Callable[[str, Sequence[str]], RerunResult]


def wait_shown(tab: Tab, text: str) -> None:
    """Wait until the tab has been sent this text."""
    wait_for(lambda: text in tab.texts, within=10, what=f"{text!r}, after {tab.texts}")


@pytest.fixture
def private_tables_loaded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the private tables of everybody who signs in as loaded: this engine has no feeds."""
    monkeypatch.setattr(sessions, "FIRST_LOAD", 0.0)


def test_a_change_reaches_every_tab_without_a_full_run(server: Server, engine: Engine) -> None:
    tabs = [server.tab() for _ in range(3)]
    runs = [tab.full_runs for tab in tabs]
    engine.apply_written("things", record("1", "first"))
    for tab in tabs:
        wait_shown(tab, "things: first")
    assert [tab.full_runs for tab in tabs] == runs


def test_a_fragment_that_shows_a_part_of_a_table_reruns_only_when_that_part_changes(
    server: Server, engine: Engine
) -> None:
    tab = server.tab()
    assert "pairs: 0" in tab.texts
    engine.apply_written("others", record("1", "first"))
    wait_shown(tab, "others: first")
    tab.wait_idle()
    assert [text for text in tab.texts if text.startswith("pairs")] == ["pairs: 0"]
    engine.apply_written("others", record("2", "second"))
    wait_shown(tab, "pairs: 1")


def test_an_item_that_comes_and_goes_while_a_fragment_shows_it_is_not_shown_for_good(
    server: Server, engine: Engine, private_tables_loaded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revision of the item is the same before and after."""

    class Confirmed(dict[str, str]):
        """Drafts that are confirmed as soon as they have been shown."""

        def __getitem__(self, user_id: str) -> str:
            engine.own_changed("drafts", user_id, 0)
            return self.pop(user_id)

    def write() -> None:
        monkeypatch.setattr(stage, "inside", lambda: None)
        stage.pending["ada"] = "not confirmed"
        engine.own_changed("drafts", "ada", 1)

    monkeypatch.setattr(stage, "user", SignedOut("ada"))
    monkeypatch.setattr(stage, "pending", Confirmed())
    monkeypatch.setattr(stage, "inside", write)
    tab = server.tab()
    wait_for(
        lambda: [text for text in tab.texts if text.startswith("drafts of Ada")][1:],
        what="another run of the fragment",
    )
    shown = [text for text in tab.texts if text.startswith("drafts of Ada")]
    assert shown == ["drafts of Ada: ['not confirmed']", "drafts of Ada: []"]


def test_half_typed_text_survives_a_rerun(server: Server, engine: Engine) -> None:
    tab = server.tab()
    typed = WidgetStates(widgets=[WidgetState(id=tab.widgets["Draft"], string_value="half a sen")])
    tab.run(widget_states=typed, fragment_id=tab.fragment_of("draft:"))
    wait_shown(tab, "draft: half a sen")
    seen = len(tab.texts)
    engine.apply_written("things", record("1", "interruption"))
    wait_shown(tab, "things: interruption")
    tab.wait_idle()
    assert "draft: half a sen" in tab.texts[seen:]


def test_a_rerun_fragment_keeps_time_zone_and_url(server: Server, engine: Engine) -> None:
    tab = server.tab()
    tab.run(query_string="event=7", context_info=ContextInfo(timezone="Asia/Tokyo"))
    wait_shown(tab, "zone: Asia/Tokyo {'event': '7'}")
    for number in range(3):
        seen = len(tab.texts)
        engine.apply_written("things", record(str(number), str(number)))
        wait_for(lambda: any(text.startswith("zone:") for text in tab.texts[seen:]), what="a rerun")  # noqa: B023
        assert "zone: Asia/Tokyo {'event': '7'}" in tab.texts[seen:]
        tab.wait_idle()


def test_a_change_during_a_full_run_is_shown_after_it(server: Server, engine: Engine) -> None:
    tab = server.tab()
    stage.gate.clear()
    tab.request_run()
    wait_shown(tab, "waiting")
    engine.apply_written("things", record("1", "meanwhile"))
    assert "things: meanwhile" not in tab.texts
    stage.gate.set()
    wait_shown(tab, "things: meanwhile")
    wait_shown(tab, "through")


def test_a_rerun_that_was_lost_is_repeated(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab, lost = server.tab(), list[str]()

    def lose_first(
        session_id: str, fragments: Sequence[str], real: RerunFunction = rerun.rerun_fragments
    ) -> RerunResult:
        if lost:
            return real(session_id, fragments)
        lost.extend(fragments)
        return RerunResult.STARTED

    monkeypatch.setattr(rerun, "rerun_fragments", lose_first)
    engine.apply_written("things", record("1", "late"))
    wait_shown(tab, "things: late")
    assert lost


def test_a_fault_in_one_sweep_does_not_end_the_sweeps(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tab that is closed after the fault is still forgotten."""
    monkeypatch.setattr(sessions, "_SWEEP", 0.05)
    tab = server.tab()
    failed = threading.Event()
    is_connected = rerun.is_connected

    def failing_once(session_id: str) -> bool:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("can't start new thread")
        return is_connected(session_id)

    monkeypatch.setattr(rerun, "is_connected", failing_once)
    assert failed.wait(30)
    tab.close()
    wait_for(lambda: tab.session_id not in engine.sessions, what="the closed tab to be forgotten")
    assert FAULTS.counts["sweep"] >= 1


def test_many_changes_are_merged_into_few_reruns(server: Server, engine: Engine) -> None:
    tab = server.tab()
    before = tab.fragment_runs_finished
    for number in range(200):
        engine.apply_written("things", record("1", str(number), version=number + 1))
    wait_shown(tab, "things: 199")
    tab.wait_idle()
    assert tab.fragment_runs_finished - before < 50


def test_the_echo_of_a_row_that_is_shown_reruns_nothing(server: Server, engine: Engine) -> None:
    tab = server.tab()
    engine.apply_written("things", record("1", "mine"))
    wait_shown(tab, "things: mine")
    tab.wait_idle()
    seen = len(tab.messages)
    engine.apply_written("things", record("1", "mine"))
    engine.apply_written("others", record("1", "next"))
    wait_shown(tab, "others: next")
    tab.wait_idle()
    assert not any(
        message.delta.new_element.text.body.startswith("things:") for message in tab.messages[seen:]
    )


def test_a_fragment_that_is_current_in_one_place_reruns_in_the_other(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click has rerun one of them, so it shows the newest rows already."""
    tab = server.tab()
    with monkeypatch.context() as patched:
        patched.setattr(rerun, "rerun_fragments", lambda _session, _fragments: RerunResult.BUSY)
        engine.apply_written("others", record("1", "new"))
        tab.run(fragment_id=tab.fragment_of("both left"))
        assert "both left: /new" in tab.texts
        assert "both right: /new" not in tab.texts
        left = tab.texts.count("both left: /new")
    wait_shown(tab, "both right: /new")
    tab.wait_idle()
    assert tab.texts.count("both left: /new") == left


def test_a_disconnected_tab_is_left_alone_and_catches_up(server: Server, engine: Engine) -> None:
    tab, other = server.tab(), server.tab()
    tab.disconnect()
    seen = len(tab.messages)
    engine.apply_written("things", record("1", "unseen"))
    wait_shown(other, "things: unseen")
    assert len(tab.messages) == seen
    tab.reconnect()
    wait_shown(tab, "things: unseen")
    engine.apply_written("things", record("2", "seen"))
    wait_shown(tab, "things: seen,unseen")


def test_closed_tabs_are_forgotten(server: Server, engine: Engine) -> None:
    tab, other = server.tab(), server.tab()
    tab.close()
    wait_for(lambda: tab.session_id not in engine.sessions, what="the closed tab to be forgotten")
    assert other.session_id in engine.sessions


@pytest.mark.usefixtures("private_tables_loaded")
@pytest.mark.parametrize("leave", [Tab.close, Tab.disconnect])
def test_a_fragment_that_outlives_its_tab_ends_without_a_fault(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch, leave: Callable[[Tab], None]
) -> None:
    """Streamlit ends a script at its next element. Until then it may ask for what it is shown."""
    monkeypatch.setattr(sessions, "_SWEEP", 0.05)
    stage.user = SignedOut("ada")
    tab, inside, go_on = server.tab(), threading.Event(), threading.Event()
    ended: list[BaseException | FeedStatus] = []

    def ask() -> None:
        inside.set()
        go_on.wait(30)
        try:
            ended.append(connection())
        except BaseException as error:
            ended.append(error)
            raise

    monkeypatch.setattr(stage, "inside", ask)
    tab.request_run(fragment_id=tab.fragment_of("drafts of Ada"))
    assert inside.wait(30)
    leave(tab)
    swept = server.call(threading.Event)
    sweep = Sessions._sweep
    count = []

    def counting(self: Sessions) -> None:
        sweep(self)
        count.append(1)
        if len(count) == 2:
            swept.set()

    monkeypatch.setattr(Sessions, "_sweep", counting)
    assert swept.wait(30)
    go_on.set()
    wait_for(lambda: ended, what="the fragment to go on")
    assert not isinstance(ended[0], Exception)
    wait_for(lambda: tab.session_id not in engine.sessions, what="the tab to be forgotten")


def test_a_tab_without_a_browser_is_not_reported_as_present(server: Server, engine: Engine) -> None:
    closed, disconnected, open_tab = server.tab(), server.tab(), server.tab()
    everybody = {closed.session_id, disconnected.session_id, open_tab.session_id}
    assert engine.presence.tracked == everybody
    closed.close()
    disconnected.disconnect()
    wait_for(lambda: engine.presence.tracked == {open_tab.session_id}, what="the others to be untracked")
    disconnected.reconnect()
    assert engine.presence.tracked == everybody - {closed.session_id}


@pytest.mark.usefixtures("private_tables_loaded")
def test_signing_out_removes_the_private_tables(server: Server, engine: Engine) -> None:
    stage.user = SignedOut("ada")
    tab = server.tab()
    engine.apply_written("secrets", record("1", "psst"), "ada")
    wait_shown(tab, "secrets: psst")
    stage.user = None
    tab.run()
    assert "secrets: none" in tab.texts
    assert engine.sessions[tab.session_id] is None


@pytest.mark.usefixtures("private_tables_loaded")
def test_a_private_change_reaches_nobody_else(server: Server, engine: Engine) -> None:
    stage.user = SignedOut("ada")
    ada = server.tab()
    stage.user = SignedOut("bo")
    bo = server.tab()
    stage.user = None
    visitor = server.tab()
    runs = [tab.fragment_runs_finished for tab in (bo, visitor)]
    engine.apply_written("secrets", record("1", "for ada"), "ada")
    wait_shown(ada, "secrets: for ada")
    assert not any("for ada" in text for tab in (bo, visitor) for text in tab.texts)
    assert [tab.fragment_runs_finished for tab in (bo, visitor)] == runs


@pytest.mark.usefixtures("private_tables_loaded")
def test_a_status_change_reruns_the_fragments_that_show_it(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.user = SignedOut("ada")
    tab = server.tab()
    assert "status: Connecting" in tab.texts
    live = FeedStatus(FeedState.LIVE, engine.status().since)
    monkeypatch.setattr(Audience, "status", property(lambda _: live))
    engine.sign_in_changed("ada")
    wait_shown(tab, "status: Live")


def test_a_tab_shows_the_rows_it_has_chosen_and_reruns_only_for_them(server: Server, engine: Engine) -> None:
    stage.filters = parse("text=like.a%")
    tab = server.tab()
    assert "loading" in tab.texts
    [view] = engine.views.values()
    view.store.finish_loading()
    wait_shown(tab, "things:")
    tab.wait_idle()
    runs = tab.fragment_runs_finished
    engine.apply_written("things", record("1", "banana"))
    assert ("1",) in engine.tables()["things"]
    engine.apply_written("things", record("2", "apple"))
    wait_shown(tab, "things: apple")
    wait_shown(tab, "both right: apple/")
    tab.wait_idle()
    assert tab.fragment_runs_finished - runs <= 3
    assert not any("banana" in text for text in tab.texts if not text.startswith("page"))
    seen = len(tab.texts)
    engine.apply_deleted("things", ("2",))
    wait_for(lambda: "things:" in tab.texts[seen:], what="the row to disappear")


def test_a_choice_in_a_fragment_reaches_the_others_and_ends_with_the_page(
    server: Server, engine: Engine
) -> None:
    engine.apply_written("things", record("1", "banana"))
    engine.apply_written("things", record("2", "apple"))
    tab = server.tab()
    wait_shown(tab, "both right: apple,banana/")
    stage.filters = parse("text=like.b%")
    seen = len(tab.texts)
    tab.run(fragment_id=tab.fragment_of("draft:"))
    wait_for(lambda: {"loading", "both right: /"} <= set(tab.texts[seen:]), what="the view in both")
    assert len(engine.views) == 1
    stage.page, seen = "second", len(tab.texts)
    tab.run()
    assert "things: apple,banana" in tab.texts[seen:]
    assert engine.attach(tab.session_id, None).tables()["things"] is engine.tables()["things"]
