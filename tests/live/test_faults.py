"""Whatever happens between the engine and its Supabase: noticed, survived, and nothing lost."""

import asyncio
import dataclasses
import signal
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

import jwt
import psutil
import pytest

from live.status import FeedState
from local_supabase.datadir import DataDir
from local_supabase.keys import load_keys
from local_supabase.runtime import StackInfo
from realtime_handlers import private_messages, tavern_messages
from tests.live.broken import QUICK, can_write, running, say, sql, wait_shown, wait_state
from tests.live.fault_proxy import FaultProxy, Message
from tests.live.support import Signed, rows_of, wait_equal
from tests.storm.weather import ENDS
from tests.support.people import Person, anonymous_client, sign_up
from tests.support.wait import wait_for


def stall(proxy: FaultProxy) -> None:
    proxy.stalled = True


def go_silent(proxy: FaultProxy) -> None:
    proxy.silent = True
    proxy.cut()


def answer_503(proxy: FaultProxy) -> None:
    proxy.failing = True
    proxy.cut()


FAULTS: dict[str, Callable[[FaultProxy], None]] = {
    "refused connections": FaultProxy.refuse,
    "a half-open network": stall,
    "reset, then accepted and never answered": go_silent,
    "a gateway whose servers are gone": answer_503,
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


def test_connections_that_die_without_a_word_are_replaced(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    """As behind a router that was restarted: new ones work, the present ones are never answered again."""
    timing = dataclasses.replace(QUICK, reconcile=0.1, request=60, again=0.5)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = engine.status().since
        proxy.forget()
        missed = say(stack, ada)
        wait_shown(engine, missed)
        wait_for(lambda: engine.status().since > before, what="the end to be noticed")
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, say(stack, ada))


def test_when_the_network_is_back_no_hanging_attempt_is_waited_for(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = dataclasses.replace(QUICK, open=60, request=60, again=0.3)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        proxy.stalled = True
        wait_state(engine, FeedState.OFFLINE)
        missed = say(stack, ada)
        proxy.heal_quietly()
        wait_shown(engine, missed)
        wait_state(engine, FeedState.LIVE)


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


@pytest.mark.parametrize("word", ENDS, ids=lambda word: word["event"])
def test_a_channel_that_ends_is_joined_again(
    word: Message, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = engine.status().since
        proxy.inject(word)
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


def _long_claims(person: Person) -> dict[str, object]:
    return {"sub": person.user_id, "role": "authenticated", "aud": "authenticated"}


class Expiring(Signed):
    """A person whose tokens live for seconds, and are not pushed to anybody."""

    def __init__(self, person: Person, stack: StackInfo) -> None:
        super().__init__(person)
        self.secret = load_keys(DataDir(stack.data_dir)).jwt_secret
        self.good_until = 0

    def access_token(self) -> str:
        self.good_until = int(time.time()) + 2
        claims = {**_long_claims(self.person), "exp": self.good_until}
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


def test_a_token_may_expire_during_an_outage(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    bo = sign_up(stack, "Bo")
    signed = Expiring(bo, stack)
    with running(proxy, stack) as engine:
        engine.attach("bo", signed)
        assert engine.wait_loaded(20, user_id=bo.user_id)
        wait_state(engine, FeedState.LIVE, user_id=bo.user_id)
        proxy.refuse()
        wait_state(engine, FeedState.OFFLINE, user_id=bo.user_id)
        row = {"recipient_id": bo.user_id, "body": "while nobody could hear it"}
        ada.client.table("private_messages").insert(row).execute()
        expired = signed.good_until + 0.1
        wait_for(lambda: time.time() > expired, what="the token to expire")
        proxy.heal()
        wait_state(engine, FeedState.LIVE, user_id=bo.user_id)
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


RESTARTS = {
    "the gateway is killed": ("gateway", signal.SIGKILL),
    "the gateway is restarted": ("gateway", signal.SIGTERM),
    "Postgres is killed": ("postgres", signal.SIGKILL),
    "Postgres is restarted": ("postgres", signal.SIGINT),
}


@pytest.mark.parametrize("restart", RESTARTS)
def test_a_restarted_service_costs_nothing(
    restart: str, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    victim, word = RESTARTS[restart]
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = say(stack, ada)
        state = DataDir(stack.data_dir).read_state()
        assert state is not None
        since = engine.status().since
        pid = state.gateway_pid if victim == "gateway" else state.postgres_pid
        psutil.Process(pid).send_signal(word)
        wait_for(lambda: engine.status().since > since, what="the end to be noticed")
        wait_state(engine, FeedState.LIVE, within=40)
        wait_for(lambda: can_write(stack), what="the database to be back")
        after = say(stack, ada)
        wait_shown(engine, before)
        wait_shown(engine, after)


def test_a_fault_of_the_engine_itself_begins_the_feed_anew(
    proxy: FaultProxy, stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without heartbeats, which would find out that nobody reads the stream any longer.
    timing = dataclasses.replace(QUICK, heartbeat_answer=1000)
    with running(proxy, stack, timing) as engine:
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


def test_a_callback_that_raises_keeps_nothing_from_anybody(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of whoever listens")

    told: list[frozenset[str]] = []
    with running(proxy, stack) as engine:
        engine.attach("somebody", None)
        engine.listen(fail)
        engine.listen(lambda _, tables: told.append(tables))
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = engine.status().since
        wait_shown(engine, say(stack, ada))
        wait_for(lambda: any("tavern_messages" in tables for tables in told), what="the other to be told")
        assert engine.status().state is FeedState.LIVE
        assert engine.status().since == before


def test_an_event_that_comes_late_changes_nothing(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    """One connection may be slower than another: the rows were read long before the event arrives."""
    late: list[Message] = []

    def keep(message: Message) -> Message | None:
        if message["event"] != "postgres_changes":
            return message
        late.append(message)
        return None

    timing = dataclasses.replace(QUICK, reconcile=0.2, grace=0.1)
    changed, gone = say(stack, ada, "first"), say(stack, ada, "first")
    with running(proxy, stack, timing) as engine:
        wait_shown(engine, gone)
        wait_state(engine, FeedState.LIVE)
        proxy.rewrite = keep
        for body in ("second", "third"):
            with sql(stack) as cursor:
                update = "update public.tavern_messages set body = %s where id in (%s, %s)"
                cursor.execute(update, (body, changed[0], gone[0]))
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", gone)
        wait_for(lambda: gone not in rows_of(engine, "tavern_messages"), what="the deletion")
        wait_for(lambda: len(late) == 5, what="the events")
        deleted = next(event for event in late if event["payload"]["data"]["type"] == "DELETE")
        proxy.heal()
        for event in (deleted, late[0], late[1]):
            proxy.inject(event)
        wait_shown(engine, say(stack, ada))
        assert rows_of(engine, "tavern_messages")[changed].body == "third"


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
