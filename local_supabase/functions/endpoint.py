"""The HTTP endpoint of functions: checks a call and passes request and answer on as they arrive."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import h11
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_supabase.background import start_task
from local_supabase.context import Context
from local_supabase.functions.catalog import Function
from local_supabase.functions.deno import DenoProcess
from local_supabase.functions.errors import (
    FunctionsError,
    IdleTimeoutError,
    UnauthorizedError,
    WorkerError,
    WorkerLimitError,
)
from local_supabase.functions.exchange import Exchange, WorkerGoneError
from local_supabase.functions.spool import Spools
from local_supabase.functions.upload import Patience, Upload
from local_supabase.functions.workers import Workers
from local_supabase.identity import TokenError

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")

ANSWER_SECONDS: Final = 150.0
"""How long a function may take to begin its answer, as on hosted projects."""

# RFC 9110 7.6.1, and what the two servers decide for themselves.
_HOP_BY_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"}
    | {b"te", b"trailer", b"transfer-encoding", b"upgrade", b"host", b"content-length", b"expect"}
)


class FunctionsEndpoint:
    """Forwards calls to the workers.

    Arguments:
        context: the shared parts of the gateway.
        workers: the running functions.
        spools: keep what functions have not read yet.
        answer_seconds: how long a function may take to begin its answer, not counting the time in which
            its client is waited for.
    """

    def __init__(
        self, context: Context, workers: Workers, spools: Spools, *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._context = context
        self._workers = workers
        self._spools = spools
        self._answer_seconds = answer_seconds

    async def serve(self, request: Request) -> Response:
        """Return the function's answer, or Supabase's error when there is none."""
        try:
            function = await asyncio.to_thread(self._workers.catalog.find, request.path_params["name"])
            if function.verify_jwt and request.method != "OPTIONS":
                self._verify(request)
            return await self._forward(function, request)
        except FunctionsError as error:
            if error.status >= 500:
                self._context.log.warning("functions%s: %s", request.url.path, error)
            return error.response()

    def _verify(self, request: Request) -> None:
        header = request.headers.get("authorization")
        if not header:
            raise UnauthorizedError
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise UnauthorizedError(
                "Auth header is not 'Bearer {token}'", code="UNAUTHORIZED_INVALID_JWT_FORMAT"
            )
        try:
            self._context.verifier.verify(token.strip())
        except TokenError as error:
            raise UnauthorizedError("Invalid JWT", code="UNAUTHORIZED_INVALID_JWT_FORMAT") from error

    async def _forward(self, function: Function, request: Request) -> Response:
        upload = Upload(request, self._spools)
        async with AsyncExitStack() as stack:
            worker = await stack.enter_async_context(self._workers.worker(function))
            try:
                # Each call has its own connection, because a pooled one may belong to a replaced worker.
                exchange = await Exchange.open(worker.socket)
                stack.callback(exchange.abort)
                answer = await self._answer(worker, exchange, upload, stack)
            except WorkerGoneError as error:
                if upload.failure is not None:
                    raise upload.failure from error
                await self._workers.discard(worker)
                raise (WorkerLimitError if worker.ran_out_of_memory else WorkerError)() from error
            return _Answer(answer, exchange, upload, stack.pop_all())

    async def _answer(
        self, worker: DenoProcess, exchange: Exchange, upload: Upload, stack: AsyncExitStack
    ) -> h11.Response:
        request = upload.request
        headers = [(name, value) for name, value in request.headers.raw if name not in _HOP_BY_HOP]
        host = self._context.settings.url.partition("://")[2].encode()
        try:
            async with asyncio.timeout(self._answer_seconds) as deadline:
                await exchange.send_head(
                    request.method, _target(request), [(b"host", host), *headers, *upload.framing()]
                )
                patience = Patience(deadline)
                task = start_task(upload.run(exchange, patience), "functions-upload")
                stack.callback(task.cancel)
                try:
                    return await exchange.answer()
                finally:
                    patience.end()
        except TimeoutError as error:
            # It may be in an endless loop, so other calls would get no answer from it either.
            await self._workers.discard(worker)
            raise IdleTimeoutError from error


def _target(request: Request) -> str:
    """Return the path as the function sees it (`/<name>/...`, still encoded) with its query."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("ascii").partition("/functions/v1")[2]
    query: bytes = request.scope["query_string"]
    return f"{path}?{query.decode('ascii')}" if query else path


class _Answer(Response):
    """The answer of a function, passed on as it arrives.

    Starlette's own streaming response would look for the end of the client in what the upload reads.

    Arguments:
        answer: the status and headers.
        exchange: the call, of which the body is read.
        upload: the rest of the request, which the function may still be reading.
        call: what ends with the call.
    """

    def __init__(
        self, answer: h11.Response, exchange: Exchange, upload: Upload, call: AsyncExitStack
    ) -> None:
        self.status_code = answer.status_code
        self.background = None
        # A list of pairs, because several headers may have one name (set-cookie).
        self.raw_headers = [(name, value) for name, value in answer.headers if name not in _HOP_BY_HOP]
        self._exchange = exchange
        self._upload = upload
        self._call = call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer.

        Raises:
            WorkerGoneError: the function ended within its answer. The server then ends the connection.
        """
        async with self._call:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            try:
                async for part in self._exchange.body():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            except WorkerGoneError:
                if self._upload.client_left:
                    return
                raise
            await send({"type": "http.response.body", "body": b""})
