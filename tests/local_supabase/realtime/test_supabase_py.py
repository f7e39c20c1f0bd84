"""supabase-py against the whole stack: its client, under a user's own token, receives a change."""

from realtime import RealtimePostgresChangesListenEvent
from realtime.types import PostgresChangesPayload
from supabase import acreate_client

from local_supabase.stack.runtime import StackInfo
from tests.support.people import sign_up
from tests.support.wait import wait_until


async def test_a_signed_in_client_receives_a_message(stack: StackInfo) -> None:
    author = sign_up(stack, "Ada")
    session = author.client.auth.get_session()
    assert session is not None
    client = await acreate_client(stack.url, stack.anon_key)
    await client.realtime.set_auth(session.access_token)
    changes: list[PostgresChangesPayload] = []
    system: list[object] = []
    channel = client.channel("messages")
    channel.on_postgres_changes(
        RealtimePostgresChangesListenEvent.Insert,
        changes.append,
        schema="public",
        table="tavern_messages",
        filter=f"author_id=eq.{author.user_id}",
    ).on_system(system.append)
    await channel.subscribe()
    await wait_until(lambda: system, what="the subscription")

    author.client.table("tavern_messages").insert({"author_id": author.user_id, "body": "hello"}).execute()

    await wait_until(lambda: changes, what="the change")
    record = changes[0]["data"].get("record")
    assert record is not None
    assert record["body"] == "hello"
    await client.realtime.close()
