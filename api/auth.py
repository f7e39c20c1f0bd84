"""Finds out who is calling: the bearer token is the access token that Supabase issued at sign-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.backend import Backend
from api.context import Context, context_of
from api.errors import UnauthorizedError
from db.clients import Clients
from db.errors import SignedOutError

_INVALID: Final = "The access token is not valid (any more). Sign in again for a new one."

SCHEME: Final = HTTPBearer(
    scheme_name="accessToken",
    bearerFormat="JWT",
    description="The access token of a signed-in person, from Supabase Auth. It is valid for an hour.",
    auto_error=False,
)
"""Reads the token from the header. `caller` decides what a missing token means."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The signed-in person behind a request, in the form that `db.rows` expects."""

    user_id: str
    clients: Clients
    backend: Backend
    token: str = field(repr=False)

    def access_token(self) -> str:
        """Return the token of the request."""
        return self.token

    def renew(self, seen: str | None = None) -> None:
        """Raise `SignedOutError`: only the calling program can get a new token."""
        del seen
        raise SignedOutError


async def caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(SCHEME)]
) -> Caller:
    """Return who is calling.

    Raises `UnauthorizedError`, or `TooManyRequestsError` if this person, or this address, calls too often.
    """
    context = context_of(request)
    if credentials is None:
        raise UnauthorizedError("This needs an access token: send it as 'Authorization: Bearer …'.")
    token = credentials.credentials
    backend = await context.backend()
    user_id = context.token_cache.get(token)
    if user_id is None:
        address = request.client.host if request.client else ""
        user_id = await _verify(context, token, backend, address)
    context.rates.hit(context.settings.requests, "asked", user_id)
    context.tokens.seen(user_id, token)
    request.scope["tavern.user_id"] = user_id
    return Caller(user_id, backend.clients, backend, token)


async def _verify(context: Context, token: str, backend: Backend, address: str) -> str:
    """Ask Supabase whose token this is, unless this address has sent too many invalid ones."""
    # Cached tokens do not come here, so a guesser does not lock out others who share the address.
    context.rates.check(context.settings.refusals, "refused", address)
    try:
        return await context.threads.run(context.token_cache.verify, token, backend.clients)
    except SignedOutError as error:
        context.rates.hit(context.settings.refusals, "refused", address)
        raise UnauthorizedError(_INVALID, error="invalid_token") from error


SignedInCaller = Annotated[Caller, Depends(caller)]
"""The parameter type of routes for signed-in people."""
