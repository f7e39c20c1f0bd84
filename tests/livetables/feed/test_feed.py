"""A feed on a real stack behind a proxy that fails: each mechanism where none of the others can help."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest

from db.hub.models import TavernMessage
from livetables.counts import COUNTS
from livetables.errors import NotAllowedError
from livetables.faults import FAULTS
from livetables.feed.status import FeedState
from livetables.tables.changes import Key, Record
from livetables.tables.filters import parse
from livetables.tables.spec import AnySpec
from local_supabase.stack.runtime import StackInfo
from realtime_handlers.events import EVENTS
from tests.livetables.broken import NEVER, QUICK, post_message, sql, without_changes
from tests.livetables.fault_proxy import FaultProxy, Message
from tests.livetables.feed.harness import MESSAGES, RunningFeed, running_feed
from tests.livetables.support import Signed
from tests.support.people import Person
from tests.support.wait import wait_until


async def test_a_new_feed_connects_loads_catches_up_and_is_live(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    message = post_message(stack, ada)
    async with running_feed(proxy.url, stack) as running:
        assert running.feed.status.state is FeedState.CONNECTING
        await running.wait_state(FeedState.LIVE)
        assert message in running.synced.rows()
        assert running.states == [FeedState.LIVE]
        assert proxy.websockets == 1


async def test_a_streamed_change_is_applied_reported_and_tells_the_lag(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = replace(QUICK, poll=NEVER, reconcile=NEVER)
    async with running_feed(proxy.url, stack, timing) as running:
        await running.wait_state(FeedState.LIVE)
        before = COUNTS.now
        message = post_message(stack, ada)
        await running.wait_shown(message)
        assert [change.key for change in running.streamed] == [message]
        assert (COUNTS.now.changes - before.changes, COUNTS.now.timed - before.timed) == (1, 1)
        lag = running.feed.status.last_lag
        assert lag is not None
        assert abs(lag.total_seconds()) < 5


async def test_changes_between_two_subscriptions_are_caught_up(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = replace(QUICK, poll=NEVER, reconcile=NEVER, first_retry=1, longest_retry=1)
    async with running_feed(proxy.url, stack, timing) as running:
        await running.wait_state(FeedState.LIVE)
        proxy.rewrite = without_changes
        reads = running.synced.reader.requests
        await asyncio.to_thread(proxy.close_websockets, 1012)
        # The feed reads at once when a stream ends. The message comes after that read, and before the next
        # subscription.
        await running.wait_state(FeedState.POLLING)
        assert running.synced.reader.requests > reads
        missed = post_message(stack, ada)
        await running.wait_shown(missed)
        await running.wait_state(FeedState.LIVE)
        assert running.feed.status.repaired == 0  # nothing was lost: there was no stream


async def test_without_websockets_changes_are_polled(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    proxy.no_websockets = True
    timing = replace(QUICK, reconcile=NEVER, first_retry=NEVER, longest_retry=NEVER)
    async with running_feed(proxy.url, stack, timing) as running:
        await running.wait_state(FeedState.POLLING)
        message = post_message(stack, ada)
        await running.wait_shown(message)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", message)
        await wait_until(lambda: message not in running.synced.rows(), what="the deletion")
        assert running.feed.status.state is FeedState.POLLING
        assert running.streamed == []


async def test_when_websockets_are_back_polling_ends(proxy: FaultProxy, stack: StackInfo) -> None:
    proxy.no_websockets = True
    async with running_feed(proxy.url, stack) as running:
        await running.wait_state(FeedState.POLLING)
        proxy.no_websockets = False
        await running.wait_state(FeedState.LIVE)
        assert running.states[0] is FeedState.POLLING
        assert FeedState.OFFLINE not in running.states


async def test_reconciling_finds_and_counts_what_a_stream_drops_silently(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = replace(QUICK, poll=NEVER, reconcile=0.3, grace=0.1)
    async with running_feed(proxy.url, stack, timing) as running:
        await running.wait_state(FeedState.LIVE)
        since = running.feed.status.since
        await running.wait_shown(post_message(stack, ada))
        assert running.feed.status.repaired == 0
        before = COUNTS.now.repaired
        proxy.rewrite = without_changes
        for _ in range(3):
            await running.wait_shown(post_message(stack, ada))
        assert running.feed.status.repaired == 3
        assert COUNTS.now.repaired == before + 3
        assert running.feed.status.since == since


async def test_a_healthy_stream_repairs_nothing(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    timing = replace(QUICK, reconcile=0.1, grace=0.5)
    async with running_feed(proxy.url, stack, timing) as running:
        await running.wait_state(FeedState.LIVE)
        for _ in range(60):
            last = await asyncio.to_thread(post_message, stack, ada)
        await running.wait_shown(last)
        assert running.feed.status.repaired == 0


async def test_a_row_whose_event_is_incomplete_is_read_by_its_key(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    def too_large(message: Message) -> Message:
        if message["event"] == "postgres_changes":
            data = message["payload"]["data"]
            data["errors"] = ["Error 413: Payload Too Large"]
            data["record"].pop("body", None)
        return message

    timing = replace(QUICK, poll=NEVER, reconcile=NEVER)
    async with running_feed(proxy.url, stack, timing) as running:
        await running.wait_state(FeedState.LIVE)
        proxy.rewrite = too_large
        message = post_message(stack, ada, "large")
        await running.wait_shown(message)
        assert running.synced.rows()[message].body == "large"
        assert running.streamed == []


async def test_a_row_can_be_read_again_on_request(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    timing = replace(QUICK, poll=NEVER, reconcile=NEVER)
    async with running_feed(proxy.url, stack, timing) as running:
        await running.wait_state(FeedState.LIVE)
        proxy.rewrite = without_changes
        message = post_message(stack, ada)
        running.feed.refetch("tavern_messages", [message])
        await running.wait_shown(message)
        assert running.feed.status.repaired == 0


async def test_reading_at_once_does_not_wait_for_the_interval(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = replace(QUICK, poll=NEVER, reconcile=NEVER, grace=0)
    async with running_feed(proxy.url, stack, timing) as running:
        await running.wait_state(FeedState.LIVE)
        proxy.rewrite = without_changes
        message = post_message(stack, ada)
        running.feed.catch_up()
        await running.wait_shown(message)
        assert running.feed.status.state is FeedState.LIVE


async def test_a_refused_query_is_reported_and_tried_again(proxy: FaultProxy, stack: StackInfo) -> None:
    filters = parse("capacity=gt.99999999999")
    async with running_feed(proxy.url, stack, spec=EVENTS, filters=filters) as running:
        await wait_until(lambda: running.feed.refusal, what="the refusal")
        answers = running.synced.reader.answers
        await wait_until(lambda: running.synced.reader.answers > answers, what="another try")
        assert "out of range" in str(running.feed.refusal)
        assert not running.synced.sync.loaded
        assert FeedState.OFFLINE not in running.states  # it was answered


async def test_a_feed_without_a_token_goes_on_as_soon_as_one_is_pushed(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    tokens: list[str] = []
    refusals = 0

    async def token() -> str:
        nonlocal refusals
        if not tokens:
            refusals += 1
            raise NotAllowedError("signed out")
        return tokens[-1]

    timing = replace(QUICK, first_retry=NEVER, longest_retry=NEVER)
    async with running_feed(proxy.url, stack, timing, token=token) as running:
        await wait_until(lambda: refusals >= 2, what="reading and subscribing to be refused")
        assert running.feed.status.state is FeedState.CONNECTING
        assert proxy.websockets == 0
        tokens.append(Signed(ada).access_token())
        await running.feed.push_token(tokens[-1])
        await running.wait_state(FeedState.LIVE)
        assert running.synced.sync.loaded


async def test_a_read_without_an_answer_counts_as_offline_before_it_fails(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    proxy.stalled = True
    timing = replace(QUICK, open=NEVER, request=NEVER)
    async with running_feed(proxy.url, stack, timing) as running:
        await running.wait_state(FeedState.OFFLINE)
        assert running.synced.reader.answers == 0


async def test_a_message_that_cannot_be_read_takes_no_good_one_along(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    """Both commit together, and so arrive in one parcel."""
    bad, good = str(uuid.uuid4()), str(uuid.uuid4())

    def parse(record: Record) -> TavernMessage:
        if record["id"] == bad:
            raise TypeError("an unknown type")
        return MESSAGES.parse(record)

    async with running_feed(proxy.url, stack, spec=replace(MESSAGES, parse=parse)) as running:
        await running.wait_state(FeedState.LIVE)
        with sql(stack) as cursor:
            cursor.execute(
                "insert into public.tavern_messages (id, author_id, body)"
                " select id, %s, 'x' from unnest(%s::uuid[]) as id",
                (ada.user_id, [bad, good]),
            )
        await running.wait_shown((good,))
        await running.wait_state(FeedState.LIVE)
        assert (bad,) not in running.synced.rows()


class Held:
    """Holds back what the stream brings."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self._messages: list[Message] = []
        proxy.rewrite = self._hold

    def _hold(self, message: Message) -> Message | None:
        if message["event"] != "postgres_changes":
            return message
        self._messages.append(message)
        return None

    def _insertion_of(self, key: Key) -> Message | None:
        found = (
            one for one in self._messages if one["payload"]["data"]["type"] == "INSERT" and key[0] in str(one)
        )
        return next(found, None)

    async def deliver_insertion(self, running: RunningFeed, key: Key) -> None:
        """Bring the insertion of this row, and nothing else that was held back; wait until it has arrived."""
        insertion = await wait_until(lambda: self._insertion_of(key), what="the message to be held")
        self._proxy.rewrite = None
        self._proxy.inject(insertion)
        await wait_until(lambda: key in {change.key for change in running.streamed}, what="the late message")


async def test_a_late_insertion_does_not_bring_back_what_reading_found_deleted(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    """The stream was slow, and ended before it delivered the deletion."""
    async with running_feed(proxy.url, stack, replace(QUICK, reconcile=0.2)) as running:
        await running.wait_state(FeedState.LIVE)
        held = Held(proxy)
        message = post_message(stack, ada)
        await running.wait_shown(message)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", message)
        await wait_until(lambda: message not in running.synced.rows(), what="reading to find the row gone")
        await held.deliver_insertion(running, message)
        await wait_until(lambda: message not in running.synced.rows(), within=10, what="the row to go again")


async def test_a_late_insertion_that_arrives_while_reading_finds_the_row_gone_does_not_stay(
    proxy: FaultProxy, stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_feed(proxy.url, stack, replace(QUICK, reconcile=0.2)) as running:
        await running.wait_state(FeedState.LIVE)
        held = Held(proxy)
        message = post_message(stack, ada)
        await running.wait_shown(message)
        by_key, met = running.synced.reader.by_key, asyncio.Event()

        async def met_by_the_insertion(spec: AnySpec, keys: Sequence[Key]) -> list[Record]:
            records = await by_key(spec, keys)
            if message in keys and not records and not met.is_set():
                met.set()
                await held.deliver_insertion(running, message)
            return records

        monkeypatch.setattr(running.synced.reader, "by_key", met_by_the_insertion)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", message)
        await asyncio.wait_for(met.wait(), 30)
        await wait_until(lambda: message not in running.synced.rows(), within=10, what="the row to go")


async def test_a_late_insertion_of_a_row_that_loading_did_not_find_goes_when_the_stream_ends(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    """No log names the deletion: it was before the load, which knew nothing of the row."""
    async with running_feed(proxy.url, stack, replace(QUICK, reconcile=60)) as running:
        await running.wait_state(FeedState.LIVE)
        held = Held(proxy)
        message = post_message(stack, ada)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", message)
        await running.synced.sync.load()
        await held.deliver_insertion(running, message)
        assert message in running.synced.rows()
        proxy.cut()
        await wait_until(lambda: message not in running.synced.rows(), within=10, what="the row to go")


async def test_a_fault_while_reading_does_not_end_the_feed(
    proxy: FaultProxy, stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = asyncio.Event()
    async with running_feed(proxy.url, stack) as running:
        await running.wait_state(FeedState.LIVE)
        catch_up = running.synced.sync.catch_up

        async def fails_once(grace: float = 0, hurry: asyncio.Event | None = None) -> int:
            if not failed.is_set():
                failed.set()
                raise RuntimeError("can't start new thread")
            return await catch_up(grace, hurry)

        monkeypatch.setattr(running.synced.sync, "catch_up", fails_once)
        running.feed.catch_up()
        await failed.wait()
        message = post_message(stack, ada)
        await running.wait_shown(message)
        await running.wait_state(FeedState.LIVE)
        assert FAULTS.counts["reading"] >= 1
