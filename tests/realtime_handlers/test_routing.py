"""Routed requests: the window that a process holds, and every filter operator on loaded and streamed rows."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from realtime import AsyncRealtimeClient, RealtimePostgresChangesListenEvent

from db.routing.models import RoutingMetric
from livetables.config import EngineConfig
from livetables.engine import AttachedSession, Engine
from livetables.feed.status import FeedState
from livetables.tables.changes import Change, Op
from livetables.tables.filters import parse
from livetables.tables.snapshot import Snapshot
from livetables.tables.store import Store
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from realtime_handlers.routing import ROUTING_METRICS
from tests.livetables.broken import QUICK
from tests.livetables.fault_proxy import FaultProxy, Message, fault_proxy
from tests.livetables.support import Signed
from tests.support.people import Person, sign_up
from tests.support.recorder import recording
from tests.support.records import BEGIN, record_of
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
    """Counts how often each row is sent over websockets."""

    sent: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, message: Message) -> Message:
        """Count the message and return it."""
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
def engine(stack: StackInfo, proxy: FaultProxy) -> Iterator[Engine]:
    engine = Engine.start(EngineConfig(proxy.url, stack.anon_key), ALL_SPECS, QUICK)
    yield engine
    engine.stop()


@pytest.fixture(scope="module")
def tab(engine: Engine, person: Person) -> AttachedSession:
    tab = engine.attach("tab", Signed(person))
    assert engine.wait_loaded(30, user_id=person.user_id)
    wait_for(lambda: tab.status().state is FeedState.LIVE, what="the feed")
    return tab


def route(person: Person, values: dict[str, object]) -> str:
    """Insert a routing decision; return its request id."""
    request = uuid.uuid4().hex
    person.client.table(TABLE).insert({"request_id": request, **values}).execute()
    return request


def shown(tab: AttachedSession) -> set[str]:
    """Return the request ids that the tab shows."""
    return ids(tab.tables())


def ids(tables: Mapping[str, Snapshot[Any]]) -> set[str]:
    """Return the request ids of a set of tables."""
    return {row.request_id for row in tables[TABLE].rows.values()}


@pytest.mark.parametrize("text", CASES)
def test_the_server_filters_what_is_loaded_and_what_is_streamed(
    engine: Engine, proxy: FaultProxy, tab: AttachedSession, person: Person, text: str
) -> None:
    tab.choose(TABLE, ())
    wait_for(lambda: not engine.views, what="the previous view to close")
    passing, failing = CASES[text]
    old, old_other = route(person, dict(passing)), route(person, dict(failing))
    tab.choose(TABLE, parse(text))
    wait_for(lambda: not tab.is_loading(TABLE), what="the view")
    (view,) = engine.views.values()
    wait_for(lambda: view.status.state is FeedState.LIVE, what="the view to be live")
    assert old in shown(tab)
    assert old_other not in shown(tab)

    wire = Wire()
    proxy.rewrite = wire.note
    other, new = route(person, dict(failing)), route(person, dict(passing))
    wait_for(lambda: new in shown(tab), what="the new decision")
    # Once for the whole table, and the row that passes the filter once more for the view.
    wait_for(lambda: wire.sent[new] == 2 and wire.sent[other] == 1, what="both on the wire")
    # The table takes both in, a moment after they were on the wire.
    wait_for(lambda: {other, new} <= ids(engine.tables(person.user_id)), what="both in the table")
    assert other not in shown(tab)


def test_rows_are_loaded_with_the_filter(stack: StackInfo, person: Person) -> None:
    with recording(stack.url) as recorder:
        engine = Engine.start(EngineConfig(recorder.url, stack.anon_key), ALL_SPECS, QUICK)
        try:
            tab = engine.attach("tab", Signed(person))
            assert engine.wait_loaded(30, user_id=person.user_id)
            before = len(recorder.requests)
            tab.choose(TABLE, parse("provider=eq.gemini,cost=gt.0.01"))
            wait_for(lambda: not tab.is_loading(TABLE), what="the view")
            reads = [request for request in recorder.requests[before:] if request.table == TABLE]
            assert reads
            for request in reads:
                assert "provider=eq.gemini" in request.target
                assert "cost=gt.0.01" in request.target
        finally:
            engine.stop()


def routed(number: int) -> Change[RoutingMetric]:
    """Return a routed request; a greater number is newer."""
    at = (BEGIN + timedelta(minutes=number)).isoformat()
    record = {**record_of(TABLE), "id": str(uuid.UUID(int=number)), "timestamp": at}
    return ROUTING_METRICS.written(record, op=Op.INSERT, position=number + 1)


def test_a_busy_router_does_not_fill_the_memory_and_older_requests_can_be_loaded_again() -> None:
    store = Store((ROUTING_METRICS,), lambda _tables: None)
    window = ROUTING_METRICS.window
    assert window is not None
    store.replace(ROUTING_METRICS, [routed(0)], position=0, complete=True)
    for number in range(1, 2_000):
        store.apply([routed(number)])
    held = store.moment.tables[TABLE].rows
    assert window <= len(held) <= 3 * window
    assert {routed(number).key for number in range(1_900, 2_000)} <= held.keys()

    older = [routed(number) for number in range(1_500, 1_900)]
    store.extend(ROUTING_METRICS, older, complete=False)
    assert {change.key for change in older} <= store.moment.tables[TABLE].rows.keys()


async def test_supabase_s_own_client_follows_inserts_with_a_filter(stack: StackInfo, person: Person) -> None:
    """As in the customer's document."""
    other = sign_up(stack, "Other")
    received: list[Mapping[str, Any]] = []
    ready = asyncio.Event()
    client = AsyncRealtimeClient(f"{stack.url}/realtime/v1", stack.anon_key, auto_reconnect=False)
    await client.connect()
    await client.set_auth(Signed(person).access_token())
    channel = client.channel("gemini-metrics").on_postgres_changes(
        RealtimePostgresChangesListenEvent.Insert,
        schema="public",
        table=TABLE,
        filter="provider=eq.gemini,cost=gt.0.01",
        callback=lambda payload: received.append(payload["data"]),
    )
    channel.on_system(lambda payload: ready.set() if payload.extension == "postgres_changes" else None)
    await channel.subscribe()
    async with asyncio.timeout(30):
        await ready.wait()
    route(other, dict(GEMINI))
    route(person, dict(FAILED))
    route(person, {**GEMINI, "cost": 0.01})
    last = route(person, dict(GEMINI))
    await wait_until(lambda: received, what="the insert")
    assert [data["record"]["request_id"] for data in received] == [last]
    assert received[0]["record"]["user_id"] == person.user_id
    await client.close()
