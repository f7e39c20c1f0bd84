"""Who sends many requests at once waits for them; others wait for few of these, whatever they ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.security.matrix.rows import superuser
from tests.support.people import Person, sign_up
from tests.support.wait import wait_until

AT_ONCE = 100
# Without shares a request overtakes at most five of them.
OVERTAKEN = 10
WAITING = "select count(*) from pg_locks where relation = 'public.tavern_messages'::regclass and not granted"
Ask = Callable[[httpx.AsyncClient], Coroutine[object, object, httpx.Response]]
ASKED: dict[str, Ask] = {
    "lists": lambda http: http.post("/storage/v1/object/list/exports", json={"prefix": "", "limit": 10**6}),
    "signed": lambda http: http.post(
        "/storage/v1/object/sign/exports", json={"paths": ["a", "b"], "expiresIn": 60}
    ),
    "rows": lambda http: http.get("/rest/v1/users?select=id"),
    "calls": lambda http: http.post("/rest/v1/rpc/changes_since", json={"p_cursor": None}),
    "accounts": lambda http: http.get("/auth/v1/user"),
}


@asynccontextmanager
async def client_of(stack: StackInfo, person: Person) -> AsyncIterator[httpx.AsyncClient]:
    session = person.client.auth.get_session()
    assert session is not None
    headers = {"apikey": stack.anon_key, "Authorization": f"Bearer {session.access_token}"}
    async with httpx.AsyncClient(base_url=stack.url, headers=headers, timeout=60) as http:
        yield http


@pytest.mark.parametrize("asked", ASKED)
async def test_another_person_does_not_wait_for_all_of_them(stack: StackInfo, asked: str) -> None:
    ask, sent = ASKED[asked], 0

    async def note(event: str, _: object) -> None:
        nonlocal sent
        sent += event == "http11.send_request_body.complete"

    eve, bo = sign_up(stack, "Eve"), sign_up(stack, "Bo")
    async with client_of(stack, eve) as many, client_of(stack, bo) as one:
        await ask(one)  # opens the connection
        many.event_hooks["request"] = [lambda request: _trace(request, note)]
        answers = [asyncio.create_task(ask(many)) for _ in range(AT_ONCE)]
        await wait_until(lambda: sent == AT_ONCE, what="the requests to be sent")
        assert (await ask(one)).status_code < 300
        overtaken = sum(not answer.done() for answer in answers)
        assert {(await answer).status_code for answer in answers} == {200}
    assert overtaken > OVERTAKEN


async def _trace(request: httpx.Request, note: Callable[[str, object], Awaitable[None]]) -> None:
    request.extensions["trace"] = note


async def test_requests_that_wait_in_the_database_leave_its_connections_to_others(stack: StackInfo) -> None:
    eve, bo = sign_up(stack, "Eve"), sign_up(stack, "Bo")
    async with client_of(stack, eve) as many, client_of(stack, bo) as one:
        with superuser(stack) as sql:
            sql.run("lock table public.tavern_messages in exclusive mode")
            writes = [
                asyncio.create_task(many.post("/rest/v1/tavern_messages", json={"body": f"No. {number}"}))
                for number in range(40)
            ]
            await wait_until(
                lambda: int(str(sql.value(WAITING))) >= 2, what="two writes to wait for the lock"
            )
            reads = [await one.get("/rest/v1/tavern_messages?select=id&limit=1") for _ in range(20)]
            waiting = sql.value(WAITING)
            sql.commit()
        assert {(await write).status_code for write in writes} == {201}
    assert {read.status_code for read in reads} == {200}
    assert waiting == 2
