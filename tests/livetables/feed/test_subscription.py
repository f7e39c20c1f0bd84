"""One websocket on a real stack behind a proxy: how it opens, what ends it, and how that is noticed."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
from realtime import AsyncRealtimeClient, Message, ReplyMessage

from livetables.config import EngineConfig
from livetables.errors import SubscriptionError
from livetables.feed.connection import Connections, Heartbeats, LivenessCheck
from livetables.feed.subscription import (
    Binding,
    Subscription,
    SubscriptionConfig,
    unsent_table,
)
from livetables.tables.changes import Record
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from tests.livetables.broken import NEVER, QUICK, post_message, sql
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.fault_proxy import Message as WireMessage
from tests.livetables.support import Signed
from tests.storm.faults import ENDS
from tests.support.people import Person, sign_up
from tests.support.wait import wait_until

PATIENT = replace(QUICK, open=60)
"""A busy machine takes its time to open a subscription."""


@dataclass(slots=True)
class Received:
    """What a subscription has reported."""

    data: list[Record] = field(default_factory=list)
    subscribed: int = 0

    def on_data(self, data: Record) -> None:
        """Keep the data."""
        self.data.append(data)

    def on_subscribed(self) -> None:
        """Count it."""
        self.subscribed += 1

    def ids(self) -> list[object]:
        """Return the ids of the rows that arrived."""
        return [record["id"] for data in self.data if isinstance(record := data["record"], dict)]


async def answers() -> bool:
    return True


async def does_not_answer() -> bool:
    return False


@contextlib.asynccontextmanager
async def subscription(
    proxy: FaultProxy,
    stack: StackInfo,
    *,
    binding: Binding = Binding("tavern_messages"),  # noqa: B008 - immutable
    timing: Timing = PATIENT,
    anything_answers: Callable[[], Awaitable[bool]] | None = None,
    on_data: Callable[[Record], None] | None = None,
) -> AsyncIterator[tuple[Subscription, Received]]:
    """Give a subscription that is not open yet."""
    received = Received()
    liveness = LivenessCheck(lambda: timing.heartbeat, anything_answers or answers)
    connections = Connections(EngineConfig(proxy.url, stack.anon_key), timing, liveness, most_channels=1)
    one = Subscription(
        SubscriptionConfig([binding], timing, connections),
        on_data or received.on_data,
        received.on_subscribed,
    )
    try:
        yield one, received
    finally:
        await one.close()


async def test_once_it_is_open_changes_arrive(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    async with subscription(proxy, stack) as (one, received):
        await one.open(None)
        assert received.subscribed == 1
        [message] = post_message(stack, ada)
        await wait_until(lambda: received.data, what="the change")
        assert received.ids() == [message]


async def test_a_binding_with_a_filter_follows_only_rows_that_pass(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    bo = sign_up(stack, "Bo")
    binding = Binding("tavern_messages", f"author_id=eq.{ada.user_id}")
    async with subscription(proxy, stack, binding=binding) as (one, received):
        await one.open(None)
        post_message(stack, bo)
        [mine] = post_message(stack, ada)
        await wait_until(lambda: received.data, what="the change")
        assert received.ids() == [mine]


async def test_with_a_token_private_rows_arrive(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    bo = sign_up(stack, "Bo")
    async with subscription(proxy, stack, binding=Binding("private_messages")) as (one, received):
        await one.open(Signed(bo).access_token())
        with sql(stack) as cursor:
            cursor.execute(
                "insert into public.private_messages (sender_id, recipient_id, body) values (%s, %s, 'x')",
                (ada.user_id, bo.user_id),
            )
        await wait_until(lambda: received.data, what="the change")
        assert len(received.data) == 1


async def test_pushing_a_token_subscribes_again_without_an_end(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    signed = Signed(ada)
    async with subscription(proxy, stack) as (one, received):
        await one.open(signed.access_token())
        await one.push_token(signed.access_token())
        [message] = post_message(stack, ada)
        await wait_until(lambda: received.data, what="the change")
        assert received.ids() == [message]
        assert proxy.websockets == 1


async def test_a_refused_connection_raises(proxy: FaultProxy, stack: StackInfo) -> None:
    proxy.no_websockets = True
    async with subscription(proxy, stack) as (one, received):
        with pytest.raises(SubscriptionError):
            await one.open(None)
        assert received.subscribed == 0


async def test_a_server_that_never_answers_raises_in_time(proxy: FaultProxy, stack: StackInfo) -> None:
    proxy.stalled = True
    async with subscription(proxy, stack, timing=replace(QUICK, open=1)) as (one, _):
        with pytest.raises(SubscriptionError):
            await one.open(None)
        assert proxy.websockets == 0


async def test_a_refused_join_raises_the_reason(proxy: FaultProxy, stack: StackInfo) -> None:
    def refuse(message: WireMessage) -> WireMessage:
        if message["event"] == "phx_reply" and message["topic"] == "realtime:tavern":
            reason = {"reason": "ChannelRateLimitReached: Too many channels"}
            return {**message, "payload": {"status": "error", "response": reason}}
        return message

    proxy.rewrite = refuse
    async with subscription(proxy, stack) as (one, _):
        with pytest.raises(SubscriptionError, match="Too many channels"):
            await one.open(None)


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 1012])
async def test_a_websocket_closed_by_the_server_ends_it(
    code: int, proxy: FaultProxy, stack: StackInfo
) -> None:
    async with subscription(proxy, stack) as (one, _):
        await one.open(None)
        await asyncio.to_thread(proxy.close_websockets, code)
        assert await asyncio.wait_for(one.ended(), 20)
        assert not one.nothing_answers


@pytest.mark.parametrize("message", ENDS, ids=lambda message: message["event"])
async def test_a_message_that_closes_the_channel_ends_it(
    message: WireMessage, proxy: FaultProxy, stack: StackInfo
) -> None:
    timing = replace(PATIENT, heartbeat=NEVER)
    async with subscription(proxy, stack, timing=timing) as (one, _):
        await one.open(None)
        await asyncio.to_thread(proxy.inject, message)
        assert await asyncio.wait_for(one.ended(), 20)


@pytest.mark.parametrize(
    ("anything_answers", "nothing_answers"),
    [(answers, False), (does_not_answer, True)],
    ids=["HTTP answers", "HTTP does not answer"],
)
async def test_a_websocket_that_died_silently_is_noticed_by_its_heartbeats(
    anything_answers: Callable[[], Awaitable[bool]],
    nothing_answers: bool,
    proxy: FaultProxy,
    stack: StackInfo,
) -> None:
    async with subscription(proxy, stack, anything_answers=anything_answers) as (one, _):
        await one.open(None)
        await asyncio.to_thread(proxy.forget)
        reason = await asyncio.wait_for(one.ended(), 20)
        assert "no answer" in reason
        assert one.nothing_answers is nothing_answers


async def test_a_probe_does_not_wait_for_the_next_heartbeat(proxy: FaultProxy, stack: StackInfo) -> None:
    timing = replace(PATIENT, heartbeat=NEVER)
    async with subscription(proxy, stack, timing=timing) as (one, _):
        await one.open(None)
        await asyncio.to_thread(proxy.forget)
        one.probe()
        assert "no answer" in await asyncio.wait_for(one.ended(), 20)


async def test_an_error_in_the_callback_ends_it(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    def fail(_data: Record) -> None:
        raise RuntimeError

    async with subscription(proxy, stack, on_data=fail) as (one, _):
        await one.open(None)
        post_message(stack, ada)
        assert await asyncio.wait_for(one.ended(), 20) == "a change could not be handled"


async def test_closing_takes_a_moment_though_the_server_does_not_answer(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    async with subscription(proxy, stack) as (one, _):
        await one.open(None)
        proxy.stalled = True
        await asyncio.wait_for(one.close(), 20)
        assert await one.ended() == "closed by us"


async def test_time_in_which_this_process_is_suspended_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The loop stands still for longer than an answer may take, and the answer comes right after that."""
    suspended = asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message)
        asyncio.get_running_loop().call_soon(suspend)

    def suspend() -> None:
        started = time.monotonic()
        while time.monotonic() - started < 0.6:  # nothing else runs on this loop
            pass
        suspended.set()
        loop.call_later(0.15, answer)

    def answer() -> None:
        reply = {"topic": "phoenix", "event": "phx_reply", "ref": sent[-1].ref}
        payload = {"status": "ok", "response": {}}
        heartbeats._handle_message(ReplyMessage.model_validate({**reply, "payload": payload}))

    sent: list[Message] = []
    loop = asyncio.get_running_loop()
    client = AsyncRealtimeClient("http://127.0.0.1:9/realtime/v1", "key", auto_reconnect=False)
    monkeypatch.setattr(client, "send", send)
    heartbeats = Heartbeats(client)
    await heartbeats.send()
    assert await heartbeats.answered(0.3)
    assert suspended.is_set()


REFUSED = "Unable to subscribe to changes with given parameters."
BINDING = "[event: *, schema: public, table: items, filters: [], select: nil]"
ENABLED = "Please check Realtime is enabled for the given connect parameters:"
EXCEPTED = "An exception happened so please check your connect parameters:"


@pytest.mark.parametrize(
    ("reason", "table"),
    [
        (f'CHANNEL_ERROR: {{"message": "{REFUSED} {ENABLED} {BINDING}", "status": "error"}}', "items"),
        (f"{REFUSED} {EXCEPTED} {BINDING}. Exception: invalid column", None),
        ("no answer for 1.05 s", None),
    ],
)
def test_a_refused_table_is_told_from_other_ends(reason: str, table: str | None) -> None:
    lacks = unsent_table(reason)
    assert (lacks is None) == (table is None)
    assert table is None or f"alter publication supabase_realtime add table public.{table};" in str(lacks)
