"""One call of a worker."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from local_supabase.functions.exchange import Exchange, WorkerGoneError

ANSWER = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"


async def test_a_worker_that_answers_without_reading_is_heard(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        listener.setblocking(False)
        exchange = await Exchange.open(tmp_path / "s")
        worker, _ = await loop.sock_accept(listener)
        await exchange.send_head("POST", "/", [(b"host", b"x"), (b"content-length", b"9000000")])
        sending = asyncio.create_task(exchange.send_body(bytes(9_000_000)))
        with worker:
            assert (await loop.sock_recv(worker, 9)).startswith(b"POST")
            await loop.sock_sendall(worker, ANSWER)
        with pytest.raises(WorkerGoneError):
            await sending
        assert (await exchange.answer()).status_code == 403
        assert [part async for part in exchange.body()] == [b"no"]
        exchange.abort()
