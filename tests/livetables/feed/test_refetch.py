"""Reading single rows again, on a real stack behind a proxy that fails."""

import asyncio

from livetables.config import EngineConfig
from livetables.feed.refetch import Refetcher
from local_supabase.stack.runtime import StackInfo
from tests.livetables.broken import post_message, sql
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.feed.harness import MESSAGES, synced
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
