"""Reading single rows again, on a real stack behind a proxy that fails."""

import asyncio

from livetables.config import EngineConfig
from livetables.feed.refetch import Refetcher
from local_supabase.stack.runtime import StackInfo
from tests.livetables.broken import post_message, sql
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.feed.harness import MESSAGES, synced
from tests.livetables.feed.test_sync import readable_unless
from tests.support.people import Person
from tests.support.wait import wait_until


async def test_rows_are_read_on_request_and_a_failure_is_reported(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    changed, deleted = post_message(stack, ada), post_message(stack, ada)
    failures: list[str] = []
    async with synced(EngineConfig(proxy.url, stack.anon_key)) as one:
        await one.sync.load()
        refetcher = Refetcher(one.sync, lambda: failures.append("failed"))
        running = asyncio.create_task(refetcher.run())
        with sql(stack) as cursor:
            cursor.execute("update public.tavern_messages set body = 'changed' where id = %s", changed)
            cursor.execute("delete from public.tavern_messages where id = %s", deleted)
        refetcher.request(MESSAGES.name, [changed])
        refetcher.request(MESSAGES.name, [deleted])
        await wait_until(lambda: deleted not in one.rows(), what="the deletion")
        assert one.rows()[changed].body == "changed"
        assert failures == []
        await asyncio.to_thread(proxy.refuse)
        refetcher.request(MESSAGES.name, [changed])
        await wait_until(lambda: failures, what="the failure")
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_row_that_becomes_unreadable_is_left_out_until_it_is_mended(
    stack: StackInfo, ada: Person
) -> None:
    """Otherwise it would be shown as it was before, while a new process leaves it out."""
    message, kept = post_message(stack, ada), post_message(stack, ada)
    spec = readable_unless(MESSAGES, lambda record: record["body"] == "unreadable", KeyError("renamed"))
    async with synced(EngineConfig(stack.url, stack.anon_key), [spec]) as one:
        await one.sync.load()
        for body in ("unreadable", "mended"):
            with sql(stack) as cursor:
                cursor.execute("update public.tavern_messages set body = %s where id = %s", (body, *message))
            await one.sync.refetch(spec.name, [message, kept])
            assert kept in one.rows()
            assert (message in one.rows()) is (body == "mended")
        assert one.rows()[message].body == "mended"
