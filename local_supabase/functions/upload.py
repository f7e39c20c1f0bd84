"""The way of a request's body from the client to a function, piece by piece."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Final, NoReturn

from starlette.requests import Request
from starlette.types import Message

from local_supabase.background import start_task
from local_supabase.functions.errors import BodyTooLargeError, ClientLeftError, FunctionsError
from local_supabase.functions.exchange import Exchange, WorkerGoneError
from local_supabase.functions.spool import Spool, Spools

BODY_BYTES: Final = 20 * 1024 * 1024
_log = logging.getLogger("local_supabase.functions")


class Patience:
    """The time for a function to begin its answer. It stands still while the client is waited for.

    Else a client that sends its body slowly could use up the time, at which the worker ends under all calls.
    How long the client is waited for, the server of the gateway decides.

    Arguments:
        deadline: the running time limit.
    """

    def __init__(self, deadline: asyncio.Timeout) -> None:
        self._deadline = deadline
        self._ended = False

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let the time stand still in the block."""
        loop = asyncio.get_running_loop()
        when = self._deadline.when()
        if self._ended or when is None or self._deadline.expired():
            yield
            return
        left = when - loop.time()
        self._deadline.reschedule(None)
        yield
        if not self._ended:
            self._deadline.reschedule(loop.time() + left)

    def end(self) -> None:
        """Set no more limits: the answer has begun."""
        self._ended = True


class Upload:
    """The body of one request.

    The client is read as fast as it sends, because many begin to read their answer only afterwards. What the
    function has not read yet waits in a spool.

    Arguments:
        request: the request.
        spools: where the spool is made.

    Attributes:
        request: the request.
        failure: why the call cannot go on; None while it can.
        client_left: whether the client has ended its connection.
    """

    def __init__(self, request: Request, spools: Spools) -> None:
        self.request = request
        self.failure: FunctionsError | None = None
        self.client_left = False
        self._spools = spools
        headers = request.headers
        self._chunked = "transfer-encoding" in headers
        self._length = None if self._chunked else headers.get("content-length")
        if int(self._length or 0) > BODY_BYTES:
            raise BodyTooLargeError

    def framing(self) -> Sequence[tuple[bytes, bytes]]:
        """Return the headers that say how long the body is."""
        if self._chunked:
            return [(b"transfer-encoding", b"chunked")]
        return [(b"content-length", self._length.encode())] if self._length else []

    async def run(self, exchange: Exchange, patience: Patience) -> None:
        """Pass the body on, then wait until the client leaves. Whatever fails ends the exchange."""
        with self._spools.spool() as spool:
            passing = start_task(_pass_on(spool, exchange, patience), "functions-passing")
            try:
                await self._take(spool)
            except FunctionsError as error:
                self.failure = error
                self.client_left = isinstance(error, ClientLeftError)
            finally:
                passing.cancel()
        exchange.abort()

    async def _take(self, spool: Spool) -> NoReturn:
        size = 0
        more = True
        while more:
            message = await self._receive()
            part = message.get("body", b"")
            more = message.get("more_body", False)
            size += len(part)
            if size > BODY_BYTES:
                raise BodyTooLargeError
            if part:
                await spool.put(part)
        spool.end()
        while True:
            await self._receive()

    async def _receive(self) -> Message:
        message = await self.request.receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        return message


async def _pass_on(spool: Spool, exchange: Exchange, patience: Patience) -> None:
    try:
        while True:
            with patience.paused():
                part = await spool.get()
            if not part:
                break
            await exchange.send_body(part)
        await exchange.end_body()
    except WorkerGoneError:
        # A function may answer without reading the rest. Whoever reads the answer sees what happened.
        spool.abandon()
    except Exception:
        _log.exception("A request's body cannot be passed on")
        exchange.abort()
