"""Hostile acts, each repeated until its process is ended: `python -m tests.security.hostile.acts NAME`.

They run in a process of their own, so that the work of attacking slows the measured people down little. It
reads the addresses and keys as JSON from its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from tests.local_supabase.realtime.client import Message, connect

PAUSE = 0.2
"""Seconds between two acts of the same attacker."""
_MEGABYTE = b" " * 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """A stack, and the token of the member who attacks it."""

    url: str
    anon_key: str
    token: str

    @property
    def socket_url(self) -> str:
        """The address of Realtime."""
        return f"{self.url}/realtime/v1".replace("http", "ws", 1)


Act = Callable[[Target, httpx.AsyncClient], Awaitable[object]]


async def many_fields(target: Target, http: httpx.AsyncClient) -> None:
    """Select one column thousands of times."""
    await http.get("/rest/v1/users?select=" + "id," * 9000 + "id")


async def many_orders(target: Target, http: httpx.AsyncClient) -> None:
    """Order by thousands of terms."""
    await http.get("/rest/v1/users?order=" + "id," * 9000 + "id")


async def deep_conditions(target: Target, http: httpx.AsyncClient) -> None:
    """Nest conditions."""
    await http.get("/rest/v1/users?and=(" + "or(" * 400 + "id.eq.1" + ")" * 401)


async def large_csv(target: Target, http: httpx.AsyncClient) -> None:
    """Send a CSV file of many lines, which are refused."""
    lines = b"id,body\n" + b'"not an id","x"\n' * 500_000
    await http.post("/rest/v1/tavern_messages", content=lines, headers={"Content-Type": "text/csv"})


async def many_rows(target: Target, http: httpx.AsyncClient) -> None:
    """Send hundreds of thousands of small rows as JSON, and then as many as are parsed as CSV."""
    rows = b"[" + b'{"body":"x"},' * 700_000 + b'{"body":"x"}]'
    await http.post("/rest/v1/tavern_messages", content=rows, headers={"Content-Type": "application/json"})
    # The last one is refused, as a quota refuses all of them.
    lines = b"body\n" + b"x\n" * 90_000 + b'""\n'
    await http.post("/rest/v1/tavern_messages", content=lines, headers={"Content-Type": "text/csv"})


async def large_body(target: Target, http: httpx.AsyncClient) -> None:
    """Send a body that is larger than any, to a function that does not exist."""

    async def body() -> object:
        for _ in range(100):
            yield _MEGABYTE

    await http.post("/rest/v1/rpc/nothing", content=body())  # type: ignore[arg-type]  # an async generator


async def slow_pattern(target: Target, http: httpx.AsyncClient) -> None:
    """Listen with patterns that make a matcher go back and forth."""
    patterns = ("body=like.%a%a%a%a%a%a%a%a%b", "body=match.(a+)+$", r"body=match.(.*)\1", "body=like.\\%x\\")
    await _join(target, [_binding("tavern_messages", pattern) for pattern in patterns])


async def many_bindings(target: Target, http: httpx.AsyncClient) -> None:
    """Ask for thousands of subscriptions in one join."""
    await _join(target, [_binding("users", f"id=eq.{uuid.uuid4()}") for _ in range(5000)])


async def deleted_texts(target: Target, http: httpx.AsyncClient) -> None:
    """Ask what deleted private messages said."""
    await _join(target, [_binding("private_messages", f"body=like.{letter}%") for letter in "abcdefgh"])


async def wrong_passwords(target: Target, http: httpx.AsyncClient) -> None:
    """Guess far more often than Auth lets an address: the limits of the tests' stacks are wide."""
    for number in range(2):
        guess = {"email": "ada@tavern.example", "password": f"guess {number}"}
        await http.post("/auth/v1/token?grant_type=password", json=guess)


async def flood(target: Target, http: httpx.AsyncClient) -> None:
    """Write thousands of messages at once. The last one is refused, as a quota refuses all of them."""
    rows = [{"body": "flood"}] * 5000 + [{"body": ""}]
    await http.post("/rest/v1/tavern_messages", json=rows)


async def slow_clients(target: Target, http: httpx.AsyncClient) -> None:
    """Begin requests and do not end them."""
    address = urlsplit(target.url)
    opened = [await asyncio.open_connection(address.hostname, address.port) for _ in range(100)]
    for _, writer in opened:
        writer.write(b"GET /rest/v1/users HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    await asyncio.sleep(PAUSE)
    for _, writer in opened:
        writer.close()


async def endless_lists(target: Target, http: httpx.AsyncClient) -> None:
    """List and sign files over and over."""
    body = {"prefix": "%" * 500, "search": "%a" * 200, "limit": 10**6}
    await asyncio.gather(*(http.post("/storage/v1/object/list/exports", json=body) for _ in range(10)))


ACTS: Mapping[str, Act] = {
    act.__name__: act
    for act in (
        many_fields,
        many_orders,
        deep_conditions,
        large_csv,
        many_rows,
        large_body,
        slow_pattern,
        many_bindings,
        deleted_texts,
        wrong_passwords,
        flood,
        slow_clients,
        endless_lists,
    )
}


def _binding(table: str, condition: str) -> Message:
    return {"event": "*", "schema": "public", "table": table, "filter": condition}


async def _join(target: Target, bindings: list[Message]) -> None:
    """Join, and leave some time after without waiting for the answer, since a refusal comes late."""
    async with connect(target.socket_url, target.token) as client:
        await client.send_as(
            "realtime:hostile", "phx_join", {"config": {"postgres_changes": bindings}}, "1", "1"
        )
        await asyncio.sleep(PAUSE)


async def attack(target: Target, act: Act) -> None:
    """Repeat an act for ever. How it is answered does not matter."""
    headers = {"apikey": target.anon_key, "Authorization": f"Bearer {target.token}"}
    async with httpx.AsyncClient(base_url=target.url, headers=headers, timeout=30) as http:
        done = False
        while True:
            with contextlib.suppress(httpx.HTTPError, OSError):
                await act(target, http)
            if not done:
                sys.stdout.write("attacking\n")  # whoever started the process waits for it
                sys.stdout.flush()
                done = True
            await asyncio.sleep(PAUSE)


if __name__ == "__main__":
    asyncio.run(attack(Target(**json.loads(sys.stdin.readline())), ACTS[sys.argv[1]]))
