"""When a request has its turn, and when it gives it up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import jwt
import pytest
from starlette.types import Message, Receive, Scope, Send

from local_supabase.fair_share import FairShare
from local_supabase.identity import TokenVerifier
from tests.support.wait import wait_until

SECRET = "a secret of at least thirty-two letters"
NOBODY = {"type": "http.request", "body": b"", "more_body": False}


def scope_of(person: str | None, *, path: str = "/rest/v1/users", length: int = 0) -> Scope:
    headers = [(b"content-length", str(length).encode())] if length else []
    if person is not None:
        claims = (
            {"role": person}
            if person in {"anon", "service_role"}
            else {"role": "authenticated", "sub": person}
        )
        headers.append((b"authorization", f"Bearer {jwt.encode(claims, SECRET)}".encode()))
    return {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}


class Service:
    """A service that reads the body of each request, works until it is released, and answers in two parts."""

    def __init__(self) -> None:
        self.at_work: list[str] = []
        self.released = asyncio.Event()
        self.read = asyncio.Event()
        self.statuses: list[int] = []
        self.share = FairShare(self, TokenVerifier(SECRET))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        while (await receive()).get("more_body", False):
            pass
        self.at_work.append(scope["path"])
        await self.released.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(self, message: Message) -> None:
        """Take an answer as a client that reads its status, and the rest when it likes."""
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])
        else:
            await self.read.wait()

    def ask(self, scope: Scope, messages: Iterator[Message] | None = None) -> asyncio.Task[None]:
        """Send a request; without the last of its messages it waits for more."""

        async def receive() -> Message:
            if messages is None:
                return NOBODY
            message = next(messages, None)
            return await asyncio.Future() if message is None else message

        return asyncio.create_task(self.share(scope, receive, self.send))

    async def end(self, *tasks: asyncio.Task[None]) -> None:
        """Let all requests end."""
        self.released.set()
        self.read.set()
        await asyncio.gather(*tasks)


@pytest.mark.parametrize(("person", "at_once"), [("Ada", 2), ("anon", 4), (None, 4), ("service_role", 9)])
async def test_so_many_requests_of_a_person_are_served_at_once(person: str | None, at_once: int) -> None:
    service = Service()
    tasks = [service.ask(scope_of(person)) for _ in range(9)]
    other = service.ask(scope_of("Bo", path="/rest/v1/other"))
    await wait_until(lambda: "/rest/v1/other" in service.at_work, what="the other person's request")
    assert service.at_work.count("/rest/v1/users") == at_once
    await service.end(other, *tasks)
    assert service.statuses == [200] * 10


async def test_each_service_has_its_own_line_and_functions_have_none() -> None:
    service = Service()
    paths = ("/rest/v1/users", "/auth/v1/user", "/storage/v1/bucket", "/functions/v1/hello")
    tasks = [service.ask(scope_of("Ada", path=path)) for path in paths for _ in range(4)]
    await wait_until(lambda: service.at_work.count(paths[-1]) == 4, what="the functions")
    assert [service.at_work.count(path) for path in paths] == [2, 2, 2, 4]
    await service.end(*tasks)


async def test_who_sends_a_body_slowly_holds_no_turn() -> None:
    service = Service()
    started: Message = {"type": "http.request", "body": b"[", "more_body": True}
    slow = [service.ask(scope_of("Ada", length=9), iter([started])) for _ in range(5)]
    whole = service.ask(scope_of("Ada", path="/rest/v1/whole", length=1), iter([NOBODY]))
    await wait_until(lambda: service.at_work, what="the request whose body is there")
    assert service.at_work == ["/rest/v1/whole"]
    for task in slow:
        task.cancel()
    await asyncio.wait(slow)
    await service.end(whole)


async def test_who_reads_an_answer_slowly_holds_no_turn() -> None:
    service = Service()
    service.released.set()
    tasks = [service.ask(scope_of("Ada")) for _ in range(5)]
    await wait_until(lambda: len(service.statuses) == 5, what="all answers to begin")
    assert not any(task.done() for task in tasks)
    await service.end(*tasks)


async def test_a_line_has_an_end() -> None:
    service = Service()
    tasks = [service.ask(scope_of("Ada")) for _ in range(510)]
    await wait_until(lambda: len(service.statuses) == 8, what="those that find the line full")
    assert set(service.statuses) == {429}
    await service.end(*tasks)
    assert service.statuses.count(200) == 502
