"""Shared fragments on a real Streamlit runtime: one session reruns, the others are sent what differs."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import streamlit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.proto.ClientState_pb2 import ContextInfo

from livetables import rerun, sessions
from livetables.counts import COUNTS
from livetables.engine import Engine
from livetables.rerun_scheduler import RerunResult
from tests.livetables import stage
from tests.livetables.page import page_of
from tests.livetables.streamlit_server import Server, Tab, running_server
from tests.livetables.support import SignedOut
from tests.livetables.things import record
from tests.support.wait import wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a real Streamlit runtime that serves `shared_script.py`."""
    with running_server(Path(__file__).with_name("shared_script.py")) as running:
        yield running


@pytest.fixture
def people(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ada and Bo sign in; this engine has no feeds that would load their tables."""
    monkeypatch.setattr(sessions, "FIRST_LOAD", 0.0)
    monkeypatch.setattr(stage, "users", {"ada": SignedOut("ada"), "bo": SignedOut("bo")})


def wait_last(tab: Tab, text: str) -> None:
    """Wait until a text with this beginning is the last row that the tab was sent."""

    def rows() -> list[str]:
        return [one for one in tab.texts if not re.fullmatch(r"\w+: \d", one)]

    wait_for(lambda: rows()[-1:] and rows()[-1].startswith(text), what=f"{text!r}, after {rows()[-3:]}")


def opened(server: Server, count: int, **state: object) -> list[Tab]:
    """Open tabs that have the newest rendering."""
    tabs = [server.tab() for _ in range(count)]
    if state:
        for tab in tabs:
            tab.run(**state)
    stage.rendered.clear()
    return tabs


def test_one_session_reruns_and_the_others_are_sent_the_new_element(server: Server, engine: Engine) -> None:
    engine.apply_written("things", record("1", "first"))
    tabs = opened(server, 5)
    sent = [len(tab.messages) for tab in tabs]
    before = COUNTS.now
    engine.apply_written("things", record("2", "second"))
    for tab in tabs:
        wait_last(tab, "second")
        tab.wait_idle()
    assert stage.rendered == ["things"]
    assert (COUNTS.now.pushes - before.pushes, COUNTS.now.reruns - before.reruns) == (4, 1)
    messages = [len(tab.messages) - before for tab, before in zip(tabs, sent, strict=True)]
    assert sorted(messages)[:4] == [1, 1, 1, 1]
    assert [page_of(tab.messages) for tab in tabs] == [page_of(server.tab().messages)] * 5


def test_a_pushed_session_has_the_newest_rows_in_its_state(server: Server, engine: Engine) -> None:
    """A click on a row that was pushed must find it."""
    tabs = opened(server, 3)
    engine.apply_written("things", record("1", "news"))
    for tab in tabs:
        wait_last(tab, "news")
        tab.wait_idle()
    states = [server.call(lambda tab=tab: tab.state("things")) for tab in tabs]  # type: ignore[misc]
    assert all([thing.text for thing in rows] == ["news"] for rows in states)


def test_sessions_that_vary_each_get_their_own(server: Server, engine: Engine) -> None:
    engine.apply_written("things", record("0", "a thing"))
    zones = [opened(server, 2, context_info=ContextInfo(timezone=zone)) for zone in ("Asia/Tokyo", "UTC")]
    blue = opened(server, 2, query_string="colour=blue", context_info=ContextInfo(timezone="UTC"))
    engine.apply_written("things", record("1", "new"))
    for tab in zones[0]:
        wait_last(tab, "new in red, Asia/Tokyo")
    for tab in zones[1]:
        wait_last(tab, "new in red, UTC")
    for tab in blue:
        wait_last(tab, "new in blue, UTC")
    assert stage.rendered.count("things") == 3


def test_sessions_whose_fragment_has_other_arguments_get_their_own(server: Server, engine: Engine) -> None:
    ales, pies = (opened(server, 2, query_string=f"topic={topic}") for topic in ("ale", "pie"))
    engine.apply_written("things", record("1", "an ale"))
    for tabs, expected, other in ((ales, "ale: 1", "pie:"), (pies, "pie: 0", "ale:")):
        for tab in tabs:
            wait_last(tab, "an ale")
            tab.wait_idle()
            wait_for(lambda tab=tab, text=expected: text in tab.texts, what=expected)  # type: ignore[misc]
            assert not [text for text in tab.texts if text.startswith(other)]


def test_an_element_that_is_gone_makes_every_session_rerun(server: Server, engine: Engine) -> None:
    engine.apply_written("things", record("1", "first"))
    engine.apply_written("things", record("2", "second"))
    tabs = opened(server, 3)
    engine.apply_deleted("things", ("2",))
    wait_for(lambda: len(stage.rendered) == 3, what="three reruns")
    for tab in tabs:
        tab.wait_idle()
    assert [page_of(tab.messages) for tab in tabs] == [page_of(server.tab().messages)] * 3


def test_a_fragment_with_a_widget_reruns_in_every_session(server: Server, engine: Engine) -> None:
    tabs = opened(server, 3)
    engine.apply_written("others", record("1", "choice"))
    wait_for(lambda: stage.rendered.count("others") == 3, what="three reruns")
    for tab in tabs:
        tab.wait_idle()
    assert len({len(page_of(tab.messages)) for tab in tabs}) == 1


def test_nobody_is_sent_the_private_rows_of_another(server: Server, engine: Engine, people: None) -> None:
    """Even if the fragment does not say that it varies by the user."""
    ada = opened(server, 2, query_string="user=ada")
    bo = opened(server, 2, query_string="user=bo")
    visitor = opened(server, 1)
    for number in range(3):
        for person in ("bo", "ada"):
            engine.apply_written("secrets", record(str(number), f"{person} {number}"), person)
    for tabs, person in ((ada, "ada"), (bo, "bo")):
        for tab in tabs:
            wait_last(tab, f"secret: {person} 2")
            tab.wait_idle()
    assert all("bo" not in text for tab in ada for text in tab.texts)
    assert all("ada" not in text for tab in bo for text in tab.texts)
    assert not [text for tab in visitor for text in tab.texts if text.startswith("secret")]


def test_the_others_do_not_wait_for_a_session_that_hangs(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LEADER_TIMEOUT", 0.05)
    tabs = opened(server, 3)
    real, lost = rerun.rerun_fragments, list[str]()

    def lose_first(session_id: str, fragments: list[str]) -> object:
        if lost:
            return real(session_id, fragments)
        lost.append(session_id)
        return RerunResult.STARTED

    monkeypatch.setattr(rerun, "rerun_fragments", lose_first)
    engine.apply_written("things", record("1", "late"))
    for tab in tabs:
        wait_last(tab, "late")
    assert lost


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], object]]:
    """Return what the sessions do once, the next time that they show the things, by session id."""
    acts: dict[str, Callable[[], object]] = {}
    monkeypatch.setattr(stage, "inside", lambda: acts.pop(rerun.current_session() or "", lambda: None)())
    monkeypatch.setattr(stage, "pending", {})
    return acts


_RERUN: Final = rerun.rerun_fragments


def lead(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this tab be the first that reruns the fragment of the things."""

    def this_first(session_id: str, fragments: list[str]) -> object:
        first = session_id == tab.session_id or "things" in stage.rendered
        return _RERUN(session_id, fragments) if first else RerunResult.BUSY

    stage.rendered.clear()
    monkeypatch.setattr(rerun, "rerun_fragments", this_first)


def page_texts(tab: Tab) -> list[str]:
    """Return the contents of the tab's page, as far as they are text."""
    return [bytes.fromhex(one).decode(errors="replace") for one in page_of(tab.messages).values()]


def test_nobody_is_sent_what_another_has_pending(
    server: Server,
    engine: Engine,
    people: None,
    inside: dict[str, Callable[[], object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if the fragment does not say that it shows pending writes, and runs for them first."""
    [ada], [bo], visitors = (
        opened(server, 1, query_string="user=ada"),
        opened(server, 1, query_string="user=bo"),
        opened(server, 2),
    )
    stage.pending["ada"] = "a draft"
    engine.own_changed("drafts", "ada", 1)
    lead(ada, monkeypatch)
    engine.apply_written("things", record("1", "news"))
    for tab in (bo, *visitors):
        wait_last(tab, "news")
        tab.wait_idle()
    wait_last(ada, "pending: a draft")
    assert not [text for tab in (bo, *visitors) for text in tab.texts if "draft" in text]


def test_nobody_is_sent_what_another_submits_meanwhile(
    server: Server,
    engine: Engine,
    people: None,
    inside: dict[str, Callable[[], object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The write is submitted and refused while the fragment renders for the group: 0, 1, 0."""
    [ada], [bo], visitors = (
        opened(server, 1, query_string="user=ada"),
        opened(server, 1, query_string="user=bo"),
        opened(server, 2),
    )
    lead(ada, monkeypatch)

    class Refused(dict[str, str]):
        """Writes that are refused as soon as they have been shown."""

        def __getitem__(self, user_id: str) -> str:
            engine.own_changed("drafts", user_id, 0)
            return self.pop(user_id)

    def submit() -> None:
        stage.pending["ada"] = "a draft"
        engine.own_changed("drafts", "ada", 1)

    monkeypatch.setattr(stage, "pending", Refused())
    inside[ada.session_id] = submit
    engine.apply_written("things", record("1", "news"))
    for tab in (bo, *visitors):
        wait_last(tab, "news")
        tab.wait_idle()
    wait_for(lambda: "pending: a draft" in ada.texts, what="the draft in its own tab")
    wait_for(lambda: not [one for one in page_texts(ada) if "pending" in one], what="the draft to go")
    assert not [text for tab in (bo, *visitors) for text in tab.texts if "draft" in text]


def test_what_appears_in_an_empty_fragment_appears_at_its_place(server: Server, engine: Engine) -> None:
    """A fragment that shows nothing does not tell where it stands, and pages differ above it."""
    tabs = [*opened(server, 2), *opened(server, 2, query_string="wide=1")]
    engine.apply_written("things", record("1", "notice"))
    for tab in tabs:
        wait_for(lambda tab=tab: "noticed: notice" in tab.texts, what="the notice")  # type: ignore[misc]
        wait_last(tab, "notice in red")
        tab.wait_idle()
    fresh = [server.tab(), *opened(server, 1, query_string="wide=1")]
    pages = [page_of(tab.messages) for tab in tabs]
    assert pages == [page_of(fresh[0].messages)] * 2 + [page_of(fresh[1].messages)] * 2


def fail() -> None:
    """Fail as a body with a fault does."""
    raise RuntimeError("a fault in the body")


@pytest.mark.parametrize("end", [fail, streamlit.stop, streamlit.rerun], ids=["raises", "stops", "reruns"])
def test_the_others_are_shown_a_change_whose_rerun_was_cut_short(
    server: Server,
    engine: Engine,
    inside: dict[str, Callable[[], object]],
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[], object],
) -> None:
    tabs = opened(server, 3)
    lead(tabs[0], monkeypatch)
    inside[tabs[0].session_id] = end
    engine.apply_written("things", record("1", "news"))
    for tab in tabs[1:]:
        wait_last(tab, "news")
    # The browser has dropped the fragments to which the run did not come.
    wait_for(lambda: [one for one in page_texts(tabs[0]) if "none: 0" in one], what="the fragment after it")
    engine.apply_written("things", record("2", "more news"))
    for tab in tabs:
        wait_last(tab, "more news")
        tab.wait_idle()
    assert [page_of(tab.messages) for tab in tabs] == [page_of(server.tab().messages)] * 3


def test_the_others_are_shown_a_change_when_the_tab_that_reruns_for_them_closes(
    server: Server,
    engine: Engine,
    inside: dict[str, Callable[[], object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tabs = opened(server, 3)
    lead(tabs[0], monkeypatch)
    leads, closed = threading.Event(), threading.Event()

    def wait_for_the_end() -> None:
        leads.set()
        closed.wait(30)

    inside[tabs[0].session_id] = wait_for_the_end
    engine.apply_written("things", record("1", "news"))
    assert leads.wait(30)
    tabs[0].disconnect()
    closed.set()
    for tab in tabs[1:]:
        wait_last(tab, "news")
        tab.wait_idle()
    assert [page_of(tab.messages) for tab in tabs[1:]] == [page_of(server.tab().messages)] * 2


def test_the_next_person_in_a_tab_is_sent_nothing_of_the_last_one(
    server: Server, engine: Engine, people: None
) -> None:
    [tab], [ada] = opened(server, 1, query_string="user=ada"), opened(server, 1, query_string="user=ada")
    engine.apply_written("secrets", record("1", "ada 1"), "ada")
    wait_last(tab, "secret: ada 1")
    tab.wait_idle()
    tab.run(query_string="user=bo")
    sent = len(tab.texts)
    engine.apply_written("secrets", record("2", "ada 2"), "ada")
    engine.apply_written("secrets", record("2", "bo 2"), "bo")
    wait_last(ada, "secret: ada 2")
    wait_last(tab, "secret: bo 2")
    tab.run(query_string="")
    engine.apply_written("secrets", record("3", "bo 3"), "bo")
    engine.apply_written("things", record("3", "public"))
    wait_last(tab, "public")
    assert not [text for text in tab.texts[sent:] if "ada" in text or "bo 3" in text]


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 4)),
        st.tuples(st.just("delete"), st.integers(1, 4)),
        st.tuples(st.just("run"), st.integers(0, 2)),
        st.tuples(st.just("other"), st.integers(1, 3)),
        st.tuples(st.just("reconnect"), st.integers(0, 2)),
        st.tuples(st.just("settle"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_any_interleaving_ends_with_the_page_of_a_full_run(
    server: Server, engine: Engine, acts: list[tuple[str, int]]
) -> None:
    """Changes, clicks and reconnections in any order leave every tab with what a new tab is shown."""
    version = 1
    tabs = opened(server, 3)
    for act, number in acts:
        version += 1
        match act:
            case "write":
                engine.apply_written("things", record(str(number), f"text {version}", version))
            case "delete":
                engine.apply_deleted("things", (str(number),))
            case "other":
                engine.apply_written("others", record(str(number), f"box {version}", version))
            case "run":
                tabs[number].request_run()
            case "reconnect":
                tabs[number].disconnect()
                tabs[number].reconnect()
            case "settle":
                wait_settled(tabs)
    wait_settled(tabs)
    fresh = server.tab()
    expected = page_of(fresh.messages)
    for tab in tabs:
        wait_for(lambda tab=tab: page_of(tab.messages) == expected, what="the page of a full run")  # type: ignore[misc]
        tab.close()
    fresh.close()
    for key in [thing.id for thing in engine.tables()["things"]]:
        engine.apply_deleted("things", (key,))


def wait_settled(tabs: list[Tab]) -> None:
    """Wait until no tab has a script running or a message to send."""
    for tab in tabs:
        tab.wait_idle()
