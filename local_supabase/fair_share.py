"""Shares the services among people: who sends many requests waits for them, and others do not."""

from __future__ import annotations

from contextlib import AsyncExitStack

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_supabase.identity import ANON, TokenError, TokenVerifier, bearer_token
from local_supabase.turns import LineFullError, Turns

# Two keep the event loop and Postgres busy while one of them waits for the other.
_AT_ONCE = 2
# Visitors and the app's sign-ins are one person here, so that person gets more.
_ANON_AT_ONCE = 4
# The clients of this project's app send at most 100.
_WAITING = 500
# Functions call other services in the name of their callers, so their requests must not wait for themselves.
_SHARED = ("rest", "auth", "storage", "realtime")
# It is the operator's, and has all rights anyway.
_SERVICE_ROLE = "service_role"
_FULL = "Too many requests at once"
_RETRY = {"Retry-After": "1"}


class FairShare:
    """Serves few requests of one person at the same time; the next ones wait for these.

    A request has its turn while a service works on it, and not while its client sends a body or reads the
    answer, so that a slow client holds none. All who have no account are one person. Each service has lines
    of its own. More than 500 waiting requests of one person are refused (429).

    Arguments:
        app: what serves the requests.
        verifier: verifies callers' tokens.
    """

    def __init__(self, app: ASGIApp, verifier: TokenVerifier) -> None:
        self._app = app
        self._verifier = verifier
        self._people = {service: Turns(_AT_ONCE, _WAITING) for service in _SHARED}
        self._visitors = {service: Turns(_ANON_AT_ONCE, _WAITING) for service in _SHARED}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request in its turn.

        Raises:
            HTTPException: 429, into the service that reads the body.
        """
        service = scope["path"].split("/", 2)[1] if scope["type"] == "http" else ""
        person = self._person(scope) if service in _SHARED else None
        if person is None:
            await self._app(scope, receive, send)
            return
        lines = self._visitors if person == ANON else self._people
        async with AsyncExitStack() as held:
            turn = _Turn(lines[service], person, held)
            try:
                await turn.take()
            except HTTPException as error:
                refusal = JSONResponse({"message": error.detail}, error.status_code, error.headers)
                await refusal(scope, receive, send)
                return
            if _has_body(scope):
                receive = turn.receiving(receive)
            await self._app(scope, receive, turn.sending(send))

    def _person(self, scope: Scope) -> str | None:
        """Return whose line a request joins, None for who waits for nobody."""
        try:
            identity = self._verifier.verify(bearer_token(Headers(scope=scope)))
        except TokenError:
            # Many addresses need no token. Their services refuse wrong ones.
            return ANON
        return None if identity.role == _SERVICE_ROLE else identity.user_id or identity.role


class _Turn:
    """The turn of one request: taken, given up while the body arrives, taken again, and at last given up."""

    def __init__(self, turns: Turns, person: str, held: AsyncExitStack) -> None:
        self._turns = turns
        self._person = person
        self._held = held

    async def take(self) -> None:
        """Wait for the turn. Raises `HTTPException` (429) if too many wait."""
        try:
            await self._held.enter_async_context(self._turns.turn(self._person))
        except LineFullError:
            raise HTTPException(429, _FULL, _RETRY) from None

    def receiving(self, receive: Receive) -> Receive:
        """Give the turn up until the whole body is there."""
        is_whole = False

        async def receive_in_turn() -> Message:
            nonlocal is_whole
            if is_whole:
                return await receive()
            await self._held.aclose()
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                is_whole = True
                await self.take()
            return message

        return receive_in_turn

    def sending(self, send: Send) -> Send:
        """Give the turn up when the answer begins."""

        async def send_after_turn(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._held.aclose()
            await send(message)

        return send_after_turn


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
