"""Closing tabs releases what they held: feeds, websockets, sessions, snapshots and views."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from realtime import AsyncRealtimeClient
from streamlit.runtime.app_session import AppSession

from livetables import sessions as live_sessions
from livetables.audiences import Audience
from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.feed.feed import Feed
from livetables.feed.reads import Reader
from livetables.feed.subscription import Subscription
from livetables.feed.sync import Sync
from livetables.shown import ShownSession
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from livetables.tables.store import Store
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.livetables import stage
from tests.livetables.broken import QUICK, post_message
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.livetables.streamlit_server import Server, running_server
from tests.livetables.support import Signed
from tests.support.people import Person, sign_up
from tests.support.wait import wait_for

_COUNTED = (
    AppSession,
    AsyncRealtimeClient,
    Audience,
    Feed,
    Reader,
    Rows,
    Snapshot,
    Store,
    Subscription,
    Sync,
    ShownSession,
)
_ROUNDS = 3


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(Path(__file__).with_name("release_script.py")) as running:
        yield running


@pytest.fixture
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(stack.url) as proxy:
        yield proxy


@pytest.fixture
def engine(proxy: FaultProxy, stack: StackInfo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(live_sessions, "_SWEEP", 0.2)
    # A view is referenced until it counts as opened, also after it was closed.
    timing = replace(QUICK, linger=0.1, view_opening=0.2)
    stage.engine = Engine.start(EngineConfig(proxy.url, stack.anon_key), ALL_SPECS, timing)
    stage.gate.set()
    yield stage.engine
    stage.user = None
    stage.engine.stop()


def census() -> Counter[str]:
    """Count the objects in this process that belong to a tab or a person."""
    gc.collect()
    found = gc.get_objects()
    counts = Counter(type(one).__name__ for one in found if isinstance(one, _COUNTED))
    counts["tasks"] = sum(isinstance(one, asyncio.Task) and not one.done() for one in found)
    return counts


def visit(server: Server, engine: Engine, people: list[Person], stack: StackInfo) -> None:
    """Open two tabs per person and one for a visitor, make a change, and close all tabs."""
    tabs = []
    for person in [*people, None]:
        stage.user = None if person is None else Signed(person)
        tabs += [server.tab() for _ in range(1 if person is None else 2)]
    assert engine.feeds >= {None, *(person.user_id for person in people)}
    assert len(engine.views) == len(people)
    shown = [len(tab.texts) for tab in tabs]
    post_message(stack, people[0])
    for tab, before in zip(tabs, shown, strict=True):
        wait_for(lambda t=tab, b=before: len(t.texts) > b, what="the tab to show it")  # type: ignore[misc]
        tab.wait_idle()
    for number, tab in enumerate(tabs):
        if number % 2:
            tab.disconnect()
        tab.close()


def test_closing_tabs_releases_what_they_held(
    server: Server, engine: Engine, proxy: FaultProxy, stack: StackInfo
) -> None:
    assert engine.wait_loaded(30)
    people = [sign_up(stack, name) for name in ("Ada", "Bo", "Cy")]
    # The engine's own objects, and those that earlier tests of this process have left.
    start = census()

    def all_gone() -> bool:
        return engine.feeds == {None} and not engine.views and not engine.sessions and proxy.websockets == 1

    def released() -> bool:
        counts = census()
        closed = all(counts[name] <= start[name] for name in ("Audience", "Feed", "Store", "Subscription"))
        # Streamlit's own loop keeps a reference to the session it handled last.
        return all_gone() and closed and counts["AppSession"] <= start["AppSession"] + 1

    # The first visit fills caches, which stay.
    visit(server, engine, people, stack)
    wait_for(released, what="everything to be released")
    before = census()
    for _ in range(_ROUNDS):
        visit(server, engine, people, stack)
        wait_for(all_gone, what="everything to be closed")
    wait_for(released, what="everything to be released")
    try:
        wait_for(lambda: census() <= before, what="the counts to be as before")
    except AssertionError as error:
        raise AssertionError(f"{error} Before: {before}, now: {census()}") from None
