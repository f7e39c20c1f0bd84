"""Faults between the engine and its Supabase: each one is noticed, survived, and loses nothing."""

import dataclasses
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import jwt
import psutil
import pytest

from livetables.feed.status import FeedState
from local_supabase.keys import load_keys
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo
from realtime_handlers.messages import PRIVATE_MESSAGES, TAVERN_MESSAGES
from tests.livetables.broken import (
    NEVER,
    QUICK,
    can_write,
    post_message,
    running,
    sql,
    wait_shown,
    wait_state,
)
from tests.livetables.fault_proxy import FaultProxy, Message
from tests.livetables.support import Signed, rows_of, wait_equal
from tests.storm.faults import ENDS
from tests.support.people import Person, anonymous_client, sign_up
from tests.support.wait import wait_for


def stall(proxy: FaultProxy) -> None:
    proxy.stalled = True


def accept_and_never_answer(proxy: FaultProxy) -> None:
    proxy.silent = True
    proxy.cut()


def answer_503(proxy: FaultProxy) -> None:
    proxy.failing = True
    proxy.cut()


FAULTS: dict[str, Callable[[FaultProxy], None]] = {
    "refused connections": FaultProxy.refuse,
    "a half-open network": stall,
    "reset, then accepted and never answered": accept_and_never_answer,
    "a gateway whose servers are gone": answer_503,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_outage_is_noticed_and_loses_nothing(
    fault: str, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    doomed, moved = post_message(stack, ada), post_message(stack, ada)
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        FAULTS[fault](proxy)
        wait_state(engine, FeedState.OFFLINE, within=5)
        missed = post_message(stack, ada, "missed")
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", doomed)
            cursor.execute("update public.tavern_messages set body = 'moved' where id = %s", moved)
        proxy.heal()
        wait_state(engine, FeedState.LIVE, within=10)
        shown = rows_of(engine, "tavern_messages")
        assert missed in shown
        assert doomed not in shown
        assert shown[moved].body == "moved"
        later = post_message(stack, ada, "later")
        wait_shown(engine, later)
        wait_equal(engine, TAVERN_MESSAGES, anonymous_client(stack))


def test_connections_that_die_silently_are_replaced(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    """As behind a router that was restarted: new connections work, the old ones are never answered again."""
    timing = dataclasses.replace(QUICK, reconcile=0.1, request=60, hedge_after=0.5)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = engine.status().since
        proxy.forget()
        missed = post_message(stack, ada)
        wait_shown(engine, missed)
        wait_for(lambda: engine.status().since > before, what="the end to be noticed")
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, post_message(stack, ada))


def test_when_the_network_is_back_a_hanging_attempt_is_abandoned(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = dataclasses.replace(QUICK, open=60, request=60, hedge_after=0.3)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        proxy.stalled = True
        wait_state(engine, FeedState.OFFLINE)
        missed = post_message(stack, ada)
        proxy.heal_quietly()
        wait_shown(engine, missed)
        wait_state(engine, FeedState.LIVE)
        assert engine.status().state is FeedState.LIVE


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
        wait_shown(engine, post_message(stack, ada))


@pytest.mark.parametrize("message", ENDS, ids=lambda message: message["event"])
def test_a_channel_that_is_closed_is_joined_again(
    message: Message, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = engine.status().since
        proxy.inject(message)
        wait_for(lambda: engine.status().since > before, what="the end to be noticed")
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, post_message(stack, ada))


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
        wait_shown(engine, post_message(stack, ada))


def _long_claims(person: Person) -> dict[str, object]:
    return {"sub": person.user_id, "role": "authenticated", "aud": "authenticated"}


class Expiring(Signed):
    """A person whose tokens expire after two seconds, and whose new tokens are not pushed."""

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
        wait_equal(engine, PRIVATE_MESSAGES, bo.client, bo.user_id)


def test_a_token_may_expire_during_an_outage(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    bo = sign_up(stack, "Bo")
    signed = Expiring(bo, stack)
    with running(proxy, stack) as engine:
        engine.attach("bo", signed)
        assert engine.wait_loaded(20, user_id=bo.user_id)
        wait_state(engine, FeedState.LIVE, user_id=bo.user_id)
        proxy.refuse()
        wait_state(engine, FeedState.OFFLINE, user_id=bo.user_id)
        row = {"recipient_id": bo.user_id, "body": "during the outage"}
        ada.client.table("private_messages").insert(row).execute()
        expired = signed.good_until + 0.1
        wait_for(lambda: time.time() > expired, what="the token to expire")
        proxy.heal()
        wait_state(engine, FeedState.LIVE, user_id=bo.user_id)
        wait_equal(engine, PRIVATE_MESSAGES, bo.client, bo.user_id)


def test_a_failing_name_service_loses_nothing(
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
            missed = post_message(stack, ada)
        wait_state(engine, FeedState.LIVE)
        assert missed in rows_of(engine, "tavern_messages")


def test_a_process_that_was_suspended_catches_up(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        suspended, until = threading.Event(), time.monotonic() + 2

        def suspend() -> None:
            suspended.set()
            while time.monotonic() < until:
                time.sleep(0.05)

        engine._runner.call(suspend)
        assert suspended.wait(10)
        missed = post_message(stack, ada)
        proxy.close_websockets(1006)
        wait_shown(engine, missed)
        wait_state(engine, FeedState.LIVE)


RESTARTS = {
    "Realtime is killed": ("realtime", signal.SIGKILL),
    "Realtime is restarted": ("realtime", signal.SIGTERM),
    "Postgres is killed": ("postgres", signal.SIGKILL),
    "Postgres is restarted": ("postgres", signal.SIGINT),
}


@pytest.mark.parametrize("restart", RESTARTS)
def test_a_restarted_service_loses_nothing(
    restart: str, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    victim, signal_number = RESTARTS[restart]
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = post_message(stack, ada)
        state = DataDir(stack.data_dir).read_state()
        assert state is not None
        since = engine.status().since
        pid = state.realtime_pid if victim == "realtime" else state.postgres_pid
        psutil.Process(pid).send_signal(signal_number)
        wait_for(lambda: engine.status().since > since, what="the end to be noticed")
        wait_state(engine, FeedState.LIVE, within=40)
        wait_for(lambda: can_write(stack), what="the database to be back")
        after = post_message(stack, ada)
        wait_shown(engine, before)
        wait_shown(engine, after)


def test_a_bug_in_a_feed_restarts_it(
    proxy: FaultProxy, stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without heartbeats: they would notice that the stream is no longer read.
    timing = dataclasses.replace(QUICK, heartbeat_answer=NEVER)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        feed = engine.audience()._feed
        assert feed is not None

        def fail(_: object) -> None:
            raise RuntimeError("a bug of ours")

        monkeypatch.setattr(feed, "_received", fail)
        feed._subscription._on_data = fail  # type: ignore[union-attr]
        missed = post_message(stack, ada)
        wait_shown(engine, missed)
        monkeypatch.undo()
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, post_message(stack, ada))


def test_a_listener_that_raises_affects_neither_the_engine_nor_others(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug of the listener")

    notified: list[frozenset[str]] = []
    with running(proxy, stack) as engine:
        engine.attach("somebody", None)
        engine.listen(fail)
        engine.listen(lambda _, tables: notified.append(tables))
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        before = engine.status().since
        wait_shown(engine, post_message(stack, ada))
        wait_for(lambda: any("tavern_messages" in tables for tables in notified), what="the other listener")
        assert engine.status().state is FeedState.LIVE
        assert engine.status().since == before


def test_a_late_event_changes_nothing(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    """One connection may be slower than another: the rows are read before the event arrives."""
    late: list[Message] = []

    def keep(message: Message) -> Message | None:
        if message["event"] != "postgres_changes":
            return message
        late.append(message)
        return None

    timing = dataclasses.replace(QUICK, reconcile=0.2, grace=0.1)
    changed, gone = post_message(stack, ada, "first"), post_message(stack, ada, "first")
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
        wait_shown(engine, post_message(stack, ada))
        assert rows_of(engine, "tavern_messages")[changed].body == "third"


def test_the_status_has_its_start_and_the_last_lag(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        post_message(stack, ada)
        # The message itself may come by a read, without a lag.
        lag = wait_for(lambda: engine.status().last_lag, what="a change of the stream")
        assert engine.status().since <= datetime.now(UTC)
        assert abs(lag.total_seconds()) < 60
