"""The way of a request's body to a function."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.types import Message

from local_supabase.functions.errors import BodyTooLargeError, ClientLeftError
from local_supabase.functions.exchange import Exchange, WorkerGoneError
from local_supabase.functions.spool import Spools
from local_supabase.functions.upload import BODY_BYTES, Patience, Upload


def call(*messages: Message, length: str = "") -> Upload:
    """Return an upload of a client that sends these messages and then nothing."""
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0) if left else await asyncio.Future()

    framing = (b"content-length", length.encode()) if length else (b"transfer-encoding", b"chunked")
    request = Request({"type": "http", "method": "POST", "headers": [framing]}, receive)
    return Upload(request, Spools(Path(tempfile.gettempdir())))


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@asynccontextmanager
async def worker(folder: Path) -> AsyncIterator[Exchange]:
    """Provide an exchange with a worker that reads everything and answers nothing."""

    ended = asyncio.Event()

    async def read_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while await reader.read(4096):
                pass
        writer.transport.abort()
        ended.set()

    async with await asyncio.start_unix_server(read_all, folder / "s"):
        exchange = await Exchange.open(folder / "s")
        yield exchange
        exchange.abort()
        await ended.wait()


async def run(upload: Upload, folder: Path) -> None:
    """Run an upload, and check that its end is the end of the exchange."""
    async with worker(folder) as exchange, asyncio.timeout(60) as deadline:
        await exchange.send_head("POST", "/", [(b"host", b"x"), *upload.framing()])
        await upload.run(exchange, Patience(deadline))
        with pytest.raises(WorkerGoneError):
            await exchange.answer()


async def test_a_client_that_leaves_within_its_body_ends_its_call(tmp_path: Path) -> None:
    upload = call(part(b"half"), {"type": "http.disconnect"})
    await run(upload, tmp_path)
    assert isinstance(upload.failure, ClientLeftError)
    assert upload.client_left


async def test_a_client_that_leaves_before_the_answer_ends_its_call(tmp_path: Path) -> None:
    upload = call(part(b"all", more=False), {"type": "http.disconnect"})
    await run(upload, tmp_path)
    assert upload.client_left


async def test_a_body_without_a_length_is_counted(tmp_path: Path) -> None:
    upload = call(part(b"x" * BODY_BYTES), part(b"x"))
    await run(upload, tmp_path)
    assert isinstance(upload.failure, BodyTooLargeError)


async def test_a_long_body_is_refused_before_it_is_sent() -> None:
    with pytest.raises(BodyTooLargeError):
        call(length=str(BODY_BYTES + 1))


async def test_the_time_to_answer_stands_still_while_the_client_is_waited_for() -> None:
    async with asyncio.timeout(60) as deadline:
        patience = Patience(deadline)
        with patience.paused():
            paused = deadline.when()
        resumed = deadline.when()
        patience.end()
        with patience.paused():
            ended = deadline.when()
        await asyncio.sleep(0)
    assert paused is None
    assert resumed == ended


async def test_a_client_is_read_to_its_end_while_its_function_reads_nothing(tmp_path: Path) -> None:
    taken = asyncio.Event()
    left = [part(bytes(1_000_000)) for _ in range(19)] + [part(b"end", more=False)]

    async def receive() -> Message:
        if left:
            return left.pop(0)
        taken.set()
        return await asyncio.Future()

    request = Request(
        {"type": "http", "method": "POST", "headers": [(b"transfer-encoding", b"chunked")]}, receive
    )
    upload = Upload(request, Spools(tmp_path))
    with socket.socket(socket.AF_UNIX) as worker:
        worker.bind(str(tmp_path / "s"))
        worker.listen()
        exchange = await Exchange.open(tmp_path / "s")
        async with asyncio.timeout(60) as deadline:
            await exchange.send_head("POST", "/", [(b"host", b"x"), *upload.framing()])
            running = asyncio.create_task(upload.run(exchange, Patience(deadline)))
            await taken.wait()
        running.cancel()
        await asyncio.wait([running])
        exchange.abort()
