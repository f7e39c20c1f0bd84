"""Patterns that are made to take long, from a visitor who subscribes to the public chat."""

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.realtime.client import Client, connect
from tests.support.people import sign_up

CHAT: dict[str, object] = {"event": "INSERT", "schema": "public", "table": "tavern_messages"}


@pytest.fixture
async def visitor(stack: StackInfo) -> AsyncIterator[Client]:
    url = f"{stack.url}/realtime/v1".replace("http", "ws", 1)
    async with connect(url, stack.anon_key) as client:
        yield client


async def test_no_pattern_holds_up_what_others_wait_for(stack: StackInfo, visitor: Client) -> None:
    patterns = (
        "like.%a%a%a%a%a%a%a%a%b",
        "ilike.%A%_%a%_%a%_%a%b",
        "like.%" + "_a" * 400 + "b",
        "match.^(a*)*(a*)*(a*)*b$",
        "match.(a|aa)+(a|aa)+b",
        "imatch.((a|b){5}x?){5}b",
    )
    bindings = [CHAT | {"filter": f"body={pattern}"} for pattern in patterns]
    *_, plain = await visitor.subscribe("room", *bindings, CHAT)
    writer = sign_up(stack, "Writer")
    text = "a" * 1999 + "c"
    connection = await asyncpg.connect(stack.database_url)
    await connection.execute(
        "insert into tavern_messages (author_id, body) values ($1, $2)", uuid.UUID(writer.user_id), text
    )
    await connection.close()
    message = await visitor.find(
        lambda one: one["event"] == "postgres_changes" and one["payload"]["data"]["record"]["body"] == text
    )
    assert message["payload"]["ids"] == [plain]
    # No filter was ended for taking too long either.
    assert [one for one in await visitor.settle() if "system" in str(one)] == []


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"match.^(a*)(a*)b\1\2$", "back references are not supported"),
        (r"imatch.(?ix)(a)\1", "must not choose its syntax"),
        ("match.a(?=(a*)*b)", "lookahead and lookbehind are not supported"),
        ("match.((a{99}){99}){99}", "multiply to too many"),
        ("match." + "a?" * 200, "at most 200 characters"),
        ("like." + "%a" * 600, "at most 1000 characters"),
        ("like.%x\\", "must not end with escape character"),
    ],
)
async def test_a_pattern_without_a_bound_is_refused(visitor: Client, pattern: str, reason: str) -> None:
    await visitor.join("room", {"postgres_changes": [CHAT | {"filter": f"body={pattern}"}]})
    system = await visitor.event("system")
    assert system["payload"]["status"] == "error"
    assert reason in system["payload"]["message"]
