"""Decisions by filters: every operator, asked of the server for what is loaded and for what is streamed."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from realtime import AsyncRealtimeClient, RealtimePostgresChangesListenEvent

from live.engine import Engine, EngineConfig
from live.filters import parse
from live.status import FeedState
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.live.broken import QUICK
from tests.live.fault_proxy import FaultProxy, Message, fault_proxy
from tests.live.support import Signed
from tests.support.people import Person, sign_up
from tests.support.recorder import recording
from tests.support.wait import wait_for, wait_until

TABLE = "routing_metrics"

GEMINI = {"provider": "gemini", "model": "flash", "cost": 0.02, "latency_ms": 100}
FAILED = {"provider": "acme", "model": "small", "cost": 0.01, "success": False, "error_kind": "timeout"}

CASES = {
    "provider=eq.gemini": (GEMINI, FAILED),
    "provider=neq.gemini": (FAILED, GEMINI),
    "cost=gt.0.01": (GEMINI, FAILED),
    "cost=gte.0.02": (GEMINI, FAILED),
    "cost=lt.0.02": (FAILED, GEMINI),
    "cost=lte.0.01": (FAILED, GEMINI),
    "model=in.(flash,pro)": (GEMINI, FAILED),
    "error_kind=is.null": (GEMINI, FAILED),
    "success=is.false": (FAILED, GEMINI),
    "provider=eq.gemini,cost=gt.0.015,success=is.true,latency_ms=lte.100": (GEMINI, {**GEMINI, "cost": 0.01}),
}


@dataclass(slots=True)
class Wire:
    """Counts how often each row was sent over websockets."""

    sent: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, message: Message) -> Message:
        """Pass a message on."""
        data = message.get("payload", {}).get("data", {})
        if data.get("table") == TABLE:
            with self.lock:
                self.sent[data["record"]["request_id"]] += 1
        return message


@pytest.fixture(scope="module")
def person(stack: StackInfo) -> Person:
    return sign_up(stack, "Router")


@pytest.fixture(scope="module")
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(stack.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def engine(stack: StackInfo, proxy: FaultProxy, person: Person) -> Iterator[Engine]:
    engine = Engine.start(EngineConfig(proxy.url, stack.anon_key), ALL_SPECS, QUICK)
    engine.attach("tab", Signed(person))
    assert engine.wait_loaded(30, user_id=person.user_id)
    wait_for(lambda: engine.status(person.user_id).state is FeedState.LIVE, what="the feed")
    yield engine
    engine.stop()


def route(person: Person, values: dict[str, object]) -> str:
    """Tell of a decision; return its request."""
    request = uuid.uuid4().hex
    person.client.table(TABLE).insert({"request_id": request, **values}).execute()
    return request


def shown(engine: Engine, person: Person) -> set[str]:
    """Return the requests that the tab is shown."""
    rows = engine.tables(person.user_id, "tab")[TABLE].rows
    return {row.request_id for row in rows.values()}


@pytest.mark.parametrize("text", CASES)
def test_the_server_filters_what_is_loaded_and_what_is_streamed(
    engine: Engine, proxy: FaultProxy, person: Person, text: str
) -> None:
    engine.choose("tab", TABLE, ())
    wait_for(lambda: not engine.views, what="the view of before to close")
    passing, failing = CASES[text]
    old, old_other = route(person, dict(passing)), route(person, dict(failing))
    engine.choose("tab", TABLE, parse(text))
    wait_for(lambda: not engine.loading(TABLE, person.user_id, "tab"), what="the view")
    (view,) = engine._views.of_session("tab")
    wait_for(lambda: view.status.state is FeedState.LIVE, what="the view to be live")
    assert old in shown(engine, person)
    assert old_other not in shown(engine, person)

    wire = Wire()
    proxy.rewrite = wire.note
    other, new = route(person, dict(failing)), route(person, dict(passing))
    wait_for(lambda: new in shown(engine, person), what="the new decision")
    # Once for the whole table, and only what passes once more for the view.
    wait_for(lambda: wire.sent[new] == 2 and wire.sent[other] == 1, what="both on the wire")
    assert other not in shown(engine, person)
    assert {other, new} <= {row.request_id for row in engine.tables(person.user_id)[TABLE].rows.values()}


def test_what_is_loaded_is_asked_for_with_the_filter(stack: StackInfo, person: Person) -> None:
    with recording(stack.url) as recorder:
        engine = Engine.start(EngineConfig(recorder.url, stack.anon_key), ALL_SPECS, QUICK)
        try:
            engine.attach("tab", Signed(person))
            assert engine.wait_loaded(30, user_id=person.user_id)
            before = len(recorder.requests)
            engine.choose("tab", TABLE, parse("provider=eq.gemini,cost=gt.0.01"))
            wait_for(lambda: not engine.loading(TABLE, person.user_id, "tab"), what="the view")
            reads = [request for request in recorder.requests[before:] if request.table == TABLE]
            assert reads
            for request in reads:
                assert "provider=eq.gemini" in request.target
                assert "cost=gt.0.01" in request.target
        finally:
            engine.stop()


async def test_a_dashboard_of_its_own_follows_inserts_as_its_person(stack: StackInfo, person: Person) -> None:
    """As the customer's document does, with nothing but Supabase's own client."""
    other = sign_up(stack, "Other")
    heard: list[Mapping[str, Any]] = []
    ready = asyncio.Event()
    client = AsyncRealtimeClient(f"{stack.url}/realtime/v1", stack.anon_key, auto_reconnect=False)
    await client.connect()
    await client.set_auth(Signed(person).access_token())
    channel = client.channel("gemini-metrics").on_postgres_changes(
        RealtimePostgresChangesListenEvent.Insert,
        schema="public",
        table=TABLE,
        filter="provider=eq.gemini,cost=gt.0.01",
        callback=lambda payload: heard.append(payload["data"]),
    )
    channel.on_system(lambda payload: ready.set() if payload.extension == "postgres_changes" else None)
    await channel.subscribe()
    async with asyncio.timeout(30):
        await ready.wait()
    route(other, dict(GEMINI))
    route(person, dict(FAILED))
    route(person, {**GEMINI, "cost": 0.01})
    last = route(person, dict(GEMINI))
    await wait_until(lambda: heard, what="the insert")
    assert [data["record"]["request_id"] for data in heard] == [last]
    assert heard[0]["record"]["user_id"] == person.user_id
    await client.close()
