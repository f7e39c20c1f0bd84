"""One HTTP call of a function: checked, forwarded, answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

import httpx
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from local_supabase.context import Context
from local_supabase.functions.catalog import Function
from local_supabase.functions.deno import DenoProcess
from local_supabase.functions.errors import (
    BodyTooLarge,
    FunctionsError,
    IdleTimeout,
    Unauthorized,
    WorkerError,
    WorkerLimit,
)
from local_supabase.functions.workers import Workers
from local_supabase.identity import TokenError

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")

ANSWER_SECONDS: Final = 150.0
"""How long a function may take to begin its answer, as hosted."""

# Begun answers may take as long as they like; `ANSWER_SECONDS` bounds the beginning.
_TIMEOUT: Final = httpx.Timeout(5.0, read=None, write=None, pool=None)
_BODY_BYTES: Final = 20 * 1024 * 1024
# RFC 9110 7.6.1; the lengths are set again by whoever sends.
_HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"}
    | {"trailer", "transfer-encoding", "upgrade", "host", "content-length"}
)


class FunctionsEndpoint:
    """Forwards calls to the workers."""

    def __init__(self, context: Context, workers: Workers, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._context = context
        self._workers = workers
        self._answer_seconds = answer_seconds

    async def serve(self, request: Request) -> Response:
        """Answer with what the function answers, or with what Supabase says when it cannot."""
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
            raise Unauthorized
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("Auth header is not 'Bearer {token}'", code="UNAUTHORIZED_INVALID_JWT_FORMAT")
        try:
            self._context.verifier.verify(token.strip())
        except TokenError as error:
            raise Unauthorized("Invalid JWT", code="UNAUTHORIZED_INVALID_JWT_FORMAT") from error

    async def _forward(self, function: Function, request: Request) -> Response:
        body = await _body(request)
        async with AsyncExitStack() as stack:
            worker = await stack.enter_async_context(self._workers.worker(function))
            # One connection a call: a pooled one may belong to a worker that was replaced.
            client = await stack.enter_async_context(httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False))
            sent = client.build_request(
                request.method,
                f"{worker.url}/{_path(request)}",
                headers=[(name, value) for name, value in request.headers.items() if name not in _HOP_BY_HOP],
                content=body,
            )
            answer = await self._answer(worker, client, sent)
            stack.push_async_callback(answer.aclose)
            return _streamed(answer, stack.pop_all())

    async def _answer(
        self, worker: DenoProcess, client: httpx.AsyncClient, sent: httpx.Request
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await client.send(sent, stream=True)
        except TimeoutError as error:
            # It may be in an endless loop: nobody else would get an answer from it either.
            await self._workers.discard(worker)
            raise IdleTimeout from error
        except httpx.HTTPError as error:
            await self._workers.discard(worker)
            raise (WorkerLimit if worker.ran_out_of_memory else WorkerError)() from error


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > _BODY_BYTES:
                raise BodyTooLarge
            parts.append(part)
    except ClientDisconnect as error:
        raise WorkerError("The caller went away") from error
    return b"".join(parts)


def _path(request: Request) -> str:
    """Return the path as the function sees it (`<name>/...`, still encoded) with its query."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("ascii").partition("/functions/v1/")[2]
    query: bytes = request.scope["query_string"]
    return f"{path}?{query.decode('ascii')}" if query else path


def _streamed(answer: httpx.Response, stack: AsyncExitStack) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        async with stack:
            async for part in answer.aiter_raw():
                yield part

    response = StreamingResponse(
        parts(), status_code=answer.status_code, background=BackgroundTask(stack.aclose)
    )
    # Several headers of one name (set-cookie) stay several.
    response.raw_headers = [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.lower().decode("latin-1") not in _HOP_BY_HOP
    ]
    return response
