"""Whether this process should be sent people: for load balancers, which ask without a token.

`/health` is about readiness: 200 while what others change arrives here as it is committed, else 503. A
process that is not ready must not be killed for it: the database may be away, which no restart mends. Whether
a process lives at all says Streamlit's own `/_stcore/health`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sse_starlette.sse import AppStatus

from api.context import Context, context_of
from api.errors import ServiceUnavailableError
from livetables.feed.status import FeedState

_PATIENCE: Final = 1.0
"""Seconds that a request waits for a process that has not started yet. The first one starts it."""
_RETRY_AFTER: Final = "2"

router: Final = APIRouter(include_in_schema=False)


@router.api_route("/health", methods=["GET", "HEAD"])
async def health(request: Request) -> JSONResponse:
    """Answer with one word: `live`, or what it is instead."""
    state = await _state(context_of(request))
    if state == _READY:
        return JSONResponse({"status": state})
    headers = {"Retry-After": _RETRY_AFTER}
    return JSONResponse({"status": state}, HTTPStatus.SERVICE_UNAVAILABLE, headers)


async def _state(context: Context) -> str:
    # The library notices the signal; the end of the application comes only after open connections.
    if context.stopping or AppStatus.should_exit:
        return "stopping"
    try:
        backend = await context.backend_soon(_PATIENCE)
    except ServiceUnavailableError:
        return "unavailable"
    return "starting" if backend is None else _word(backend.engine.status().state)


def _word(state: FeedState) -> str:
    return state.value.lower()


_READY: Final = _word(FeedState.LIVE)
