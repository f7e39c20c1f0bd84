"""Whatever happens between the engine and its Supabase: noticed, survived, and nothing lost."""

import asyncio
import contextlib
import dataclasses
import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import jwt
import psutil
import psycopg2
import pytest

from live.engine import Engine, EngineConfig
from live.status import FeedState
from live.timing import Timing
from local_supabase.datadir import DataDir
from local_supabase.keys import load_keys
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS, private_messages, tavern_messages
from tests.live.fault_proxy import FaultProxy, Message, fault_proxy
from tests.live.support import Signed, rows_of, wait_equal
from tests.support.people import Person, anonymous_client, sign_up
from tests.support.wait import wait_for

QUICK = Timing(
    open=2,
    heartbeat=0.1,
    heartbeat_answer=0.5,
    quiet_heartbeat=0.2,
    first_retry=0.05,
    longest_retry=0.5,
    patience=1,
    poll=0.1,
    request=1,
    notice=0.5,
    linger=0.2,
)


@contextlib.contextmanager
def running(proxy: FaultProxy, stack: StackInfo, timing: Timing = QUICK) -> Iterator[Engine]:
    engine = Engine.start(EngineConfig(proxy.url, stack.anon_key), ALL_SPECS, timing)
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(stack.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def ada(stack: StackInfo) -> Person:
    return sign_up(stack, "Ada")


@contextlib.contextmanager
def sql(stack: StackInfo) -> Iterator[Any]:
    """Write as the owner of the project does, past everything that is broken."""
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database:
        yield database.cursor()


def say(stack: StackInfo, author: Person, body: str = "words") -> tuple[str]:
    message = str(uuid.uuid4())
    with sql(stack) as cursor:
        cursor.execute(
            "insert into public.tavern_messages (id, author_id, body) values (%s, %s, %s)",
            (message, author.user_id, body),
        )
    return (message,)


def wait_state(engine: Engine, *states: FeedState, user_id: str | None = None, within: float = 20) -> None:
    wait_for(
        lambda: engine.status(user_id).state in states,
        within=within,
        what=f"{states}; it is {engine.status(user_id)}",
    )


def wait_shown(engine: Engine, key: tuple[str], within: float = 10) -> None:
    wait_for(lambda: key in rows_of(engine, "tavern_messages"), within=within, what="the message")


def stall(proxy: FaultProxy) -> None:
    proxy.stalled = True


def go_silent(proxy: FaultProxy) -> None:
    proxy.silent = True
    proxy.cut()


FAULTS: dict[str, Callable[[FaultProxy], None]] = {
    "refused connections": FaultProxy.refuse,
    "a half-open network": stall,
    "reset, then accepted and never answered": go_silent,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_outage_is_noticed_and_costs_nothing(
    fault: str, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    doomed, moved = say(stack, ada), say(stack, ada)
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        FAULTS[fault](proxy)
        wait_state(engine, FeedState.OFFLINE, within=5)
        missed = say(stack, ada, "missed")
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", doomed)
            cursor.execute("update public.tavern_messages set body = 'moved' where id = %s", moved)
        proxy.heal()
        wait_state(engine, FeedState.LIVE, within=10)
        shown = rows_of(engine, "tavern_messages")
        assert missed in shown
        assert doomed not in shown
        assert shown[moved].body == "moved"
        later = say(stack, ada, "later")
        wait_shown(engine, later)
        wait_equal(engine, tavern_messages.SPEC, anonymous_client(stack))


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 1012])
def test_a_websocket_closed_by_the_server_is_replaced(
    code: int, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = engine.status().since
        proxy.close_websockets(code)
        wait_for(lambda: engine.status().since > before, what="the end to be noticed")
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, say(stack, ada))


SERVER_SAYS: dict[str, Message] = {
    "phx_close": {"topic": "realtime:tavern", "event": "phx_close", "payload": {}, "ref": "1"},
    "phx_error": {"topic": "realtime:tavern", "event": "phx_error", "payload": {}, "ref": None},
    "a system error": {
        "topic": "realtime:tavern",
        "event": "system",
        "ref": None,
        "payload": {
            "extension": "postgres_changes",
            "status": "error",
            "message": "An exception happened",
            "channel": "tavern",
        },
    },
}


@pytest.mark.parametrize("word", SERVER_SAYS)
def test_a_channel_that_ends_is_joined_again(
    word: str, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = engine.status().since
        proxy.inject(SERVER_SAYS[word])
        wait_for(lambda: engine.status().since > before, what="the end to be noticed")
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, say(stack, ada))


def test_a_join_that_is_refused_is_tried_again(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    refused: list[Message] = []

    def refuse(message: Message) -> Message:
        if message["event"] == "phx_reply" and message["topic"] == "realtime:tavern" and len(refused) < 3:
            refused.append(message)
            reason = {"reason": "ChannelRateLimitReached: Too many channels"}
            return {**message, "payload": {"status": "error", "response": reason}}
        return message

    proxy.rewrite = refuse
    with running(proxy, stack) as engine:
        wait_state(engine, FeedState.LIVE)
        assert len(refused) == 3
        wait_shown(engine, say(stack, ada))


def test_without_websockets_changes_are_polled(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    proxy.no_websockets = True
    with running(proxy, stack) as engine:
        wait_state(engine, FeedState.POLLING)
        message = say(stack, ada)
        wait_shown(engine, message, within=5)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", message)
        wait_for(lambda: message not in rows_of(engine, "tavern_messages"), what="the deletion")
        proxy.heal()
        wait_state(engine, FeedState.LIVE)


def test_polling_finds_what_commits_late(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    """A transaction begun before, and committed after, others whose changes were read already."""
    proxy.no_websockets = True
    late = str(uuid.uuid4())
    with running(proxy, stack) as engine:
        wait_state(engine, FeedState.POLLING)
        with sql(stack) as cursor:
            cursor.execute(
                "insert into public.tavern_messages (id, author_id, body) values (%s, %s, 'late')",
                (late, ada.user_id),
            )
            wait_shown(engine, say(stack, ada, "early"))
            asked = proxy.requests
            wait_for(lambda: proxy.requests > asked + 3, what="further polls")
        wait_shown(engine, (late,))


def test_polling_and_reconciling_cost_one_request_each(proxy: FaultProxy, stack: StackInfo) -> None:
    """Counted where they are sent: one connection may carry many."""
    proxy.no_websockets = True
    with running(proxy, stack) as engine:
        wait_state(engine, FeedState.POLLING)
        sync = engine._public._feed._sync  # type: ignore[union-attr]
        calls = []
        ask = sync.catch_up

        async def counted(grace: float = 0) -> int:
            before = sync._reader.requests
            found = await ask(grace)
            calls.append(sync._reader.requests - before)
            return found

        sync.catch_up = counted  # type: ignore[method-assign]
        wait_for(lambda: len(calls) >= 5, what="polls")
        assert set(calls) == {1}


def test_events_dropped_in_silence_are_repaired_and_counted(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = dataclasses.replace(QUICK, reconcile=0.3, grace=0.2)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, say(stack, ada))
        assert engine.status().repaired == 0
        proxy.rewrite = lambda message: None if message["event"] == "postgres_changes" else message
        wait_shown(engine, say(stack, ada))
        assert engine.status().repaired == 1
        assert engine.status().state is FeedState.LIVE


def test_in_healthy_operation_nothing_is_repaired(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    timing = dataclasses.replace(QUICK, reconcile=0.1, grace=0.5)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        for _ in range(60):
            last = say(stack, ada)
        wait_shown(engine, last)
        assert engine.status().repaired == 0


def test_an_event_without_all_columns_is_read_by_its_key(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    def too_large(message: Message) -> Message:
        if message["event"] == "postgres_changes":
            data = message["payload"]["data"]
            data["errors"] = ["Error 413: Payload Too Large"]
            data["record"].pop("body", None)
        return message

    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        proxy.rewrite = too_large
        message = say(stack, ada, "large")
        wait_shown(engine, message, within=5)
        assert rows_of(engine, "tavern_messages")[message].body == "large"


def test_a_cursor_older_than_the_log_loads_everything_again(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    doomed = say(stack, ada)
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_shown(engine, doomed)
        proxy.refuse()
        wait_state(engine, FeedState.OFFLINE)
        missed = say(stack, ada)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", doomed)
        with sql(stack) as cursor:
            cursor.execute("select public.prune_change_log('0')")
        proxy.heal()
        wait_state(engine, FeedState.LIVE)
        assert missed in rows_of(engine, "tavern_messages")
        assert doomed not in rows_of(engine, "tavern_messages")


def test_a_row_that_moves_out_of_sight_is_gone(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    """Realtime tells nobody; the change log names those who could see it before."""
    bo, cy = sign_up(stack, "Bo"), sign_up(stack, "Cy")
    timing = dataclasses.replace(QUICK, reconcile=0.3, grace=0.1)
    with running(proxy, stack, timing) as engine:
        engine.attach("bo", Signed(bo))
        assert engine.wait_loaded(20, user_id=bo.user_id)
        wait_state(engine, FeedState.LIVE, user_id=bo.user_id)
        message = str(uuid.uuid4())
        with sql(stack) as cursor:
            cursor.execute(
                "insert into public.private_messages (id, sender_id, recipient_id, body)"
                " values (%s, %s, %s, 'for bo')",
                (message, ada.user_id, bo.user_id),
            )
        key = (message,)
        wait_for(lambda: key in rows_of(engine, "private_messages", bo.user_id), what="the message")
        with sql(stack) as cursor:
            # The schema forbids it; other tables and projects do not.
            cursor.execute("alter table public.private_messages disable trigger guard_content")
            cursor.execute(
                "update public.private_messages set recipient_id = %s where id = %s", (cy.user_id, message)
            )
        wait_for(lambda: key not in rows_of(engine, "private_messages", bo.user_id), what="it to be gone")
        with sql(stack) as cursor:
            cursor.execute("alter table public.private_messages enable trigger guard_content")


def _long_claims(person: Person) -> dict[str, object]:
    return {"sub": person.user_id, "role": "authenticated", "aud": "authenticated"}


class Expiring(Signed):
    """A person whose tokens live for seconds, and are not pushed to anybody."""

    def __init__(self, person: Person, stack: StackInfo) -> None:
        super().__init__(person)
        self.secret = load_keys(DataDir(stack.data_dir)).jwt_secret
        self.given = 0

    def access_token(self) -> str:
        self.given += 1
        claims = {**_long_claims(self.person), "exp": int(time.time()) + 3}
        return jwt.encode(claims, self.secret, "HS256")


def test_an_expired_token_is_replaced_and_the_channel_joined_again(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    bo = sign_up(stack, "Bo")
    signed = Expiring(bo, stack)
    with running(proxy, stack) as engine:
        engine.attach("bo", signed)
        assert engine.wait_loaded(20, user_id=bo.user_id)
        wait_state(engine, FeedState.LIVE, user_id=bo.user_id)
        first = engine.status(bo.user_id).since
        wait_for(lambda: engine.status(bo.user_id).since > first, what="the token to expire")
        wait_state(engine, FeedState.LIVE, user_id=bo.user_id)
        row = {"recipient_id": bo.user_id, "body": "after the expiry"}
        ada.client.table("private_messages").insert(row).execute()
        wait_equal(engine, private_messages.SPEC, bo.client, bo.user_id)


def test_a_sign_in_that_ended_leaves_the_others_alone(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    class Ended(Signed):
        def access_token(self) -> str:
            raise RuntimeError("signed out")

    bo = sign_up(stack, "Bo")
    with running(proxy, stack) as engine:
        engine.attach("ended", Ended(bo))
        wait_state(engine, FeedState.OFFLINE, user_id=bo.user_id)
        assert engine.status().state is FeedState.LIVE
        engine.attach("good", Signed(bo))
        wait_state(engine, FeedState.LIVE, user_id=bo.user_id)


def test_the_name_service_may_fail(
    proxy: FaultProxy, stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    proxy.url = proxy.url.replace("127.0.0.1", "localhost")
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", fail)
            proxy.cut()
            wait_state(engine, FeedState.OFFLINE)
        missed = say(stack, ada)
        wait_state(engine, FeedState.LIVE)
        assert missed in rows_of(engine, "tavern_messages")


def test_a_process_that_was_suspended_catches_up(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        suspended, go_on = asyncio.Event(), time.monotonic() + 2

        def hold() -> None:
            suspended.set()
            while time.monotonic() < go_on:
                time.sleep(0.05)

        engine._loop.call_soon_threadsafe(hold)
        wait_for(suspended.is_set, what="the engine to be held up")
        missed = say(stack, ada)
        proxy.close_websockets(1006)
        wait_shown(engine, missed)
        wait_state(engine, FeedState.LIVE)


@pytest.mark.parametrize("victim", ["gateway", "postgres"])
def test_a_killed_service_costs_nothing(
    victim: str, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = say(stack, ada)
        state = DataDir(stack.data_dir).read_state()
        assert state is not None
        since = engine.status().since
        pid = state.gateway_pid if victim == "gateway" else state.postgres_pid
        psutil.Process(pid).send_signal(signal.SIGKILL)
        wait_for(lambda: engine.status().since > since, what="the end to be noticed")
        wait_state(engine, FeedState.LIVE, within=40)
        wait_for(lambda: _can_write(stack), what="the database to be back")
        after = say(stack, ada)
        wait_shown(engine, before)
        wait_shown(engine, after)


def _can_write(stack: StackInfo) -> bool:
    with contextlib.suppress(psycopg2.Error):
        with sql(stack) as cursor:
            cursor.execute("select 1")
        return True
    return False


def test_a_fault_of_the_engine_itself_begins_the_feed_anew(
    proxy: FaultProxy, stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        feed = engine._public._feed
        assert feed is not None

        def fail(_: object) -> None:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr(feed, "_received", fail)
        feed._subscription._on_data = fail  # type: ignore[union-attr]
        missed = say(stack, ada)
        wait_shown(engine, missed)
        monkeypatch.undo()
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, say(stack, ada))


def test_the_status_tells_since_when_and_how_far_behind(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, say(stack, ada))
        status = engine.status()
        assert status.since <= datetime.now(UTC)
        assert status.last_lag is not None
        assert abs(status.last_lag.total_seconds()) < 5
