"""Who is calling: the bearer token is the access token that Supabase gave the person at sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.backend import Backend
from api.context import Context, context_of
from api.errors import Unauthorized
from db.clients import Clients
from db.errors import SignedOut
from db.tokens import claims_of

_INVALID: Final = "The access token is not valid (any more). Sign in again for a new one."

SCHEME: Final = HTTPBearer(
    scheme_name="accessToken",
    bearerFormat="JWT",
    description="The access token of a signed-in person, as Supabase Auth gives it. It is good for an hour.",
    auto_error=False,
)
"""How a token is sent. It only reads the header: what to do without a token is for `caller` to say."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The signed-in person behind a request, as `db.rows` wants to know them."""

    user_id: str
    clients: Clients
    backend: Backend
    token: str = field(repr=False)

    @property
    def claims(self) -> Mapping[str, object]:
        """What the token says of the person."""
        return claims_of(self.token)

    def access_token(self) -> str:
        """Return the token of the request."""
        return self.token

    def renew(self, seen: str | None = None) -> None:
        """Refuse: only the caller can get a new token."""
        del seen
        raise SignedOut


async def caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(SCHEME)]
) -> Caller:
    """Return who calls. Raises `Unauthorized`, or `TooMany` when they, or their address, ask too often."""
    context = context_of(request)
    if credentials is None:
        raise Unauthorized("This needs an access token: send it as 'Authorization: Bearer …'.")
    token = credentials.credentials
    backend = await context.backend()
    user_id = context.gate.known(token)
    if user_id is None:
        address = request.client.host if request.client else ""
        user_id = await _asked(context, token, backend, address)
    context.rates.hit(context.settings.requests, "asked", user_id)
    context.tokens.seen(user_id, token)
    request.scope["tavern.user_id"] = user_id
    return Caller(user_id, backend.clients, backend, token)


async def _asked(context: Context, token: str, backend: Backend, address: str) -> str:
    """Ask Supabase whose token this is, unless too many from this address were nobody's."""
    # Only here: people who have just called go on, whatever others at their address try.
    context.rates.check(context.settings.refusals, "refused", address)
    try:
        return await context.threads.run(context.gate.user_of, token, backend.clients)
    except SignedOut as error:
        context.rates.hit(context.settings.refusals, "refused", address)
        raise Unauthorized(_INVALID, error="invalid_token") from error


SignedInCaller = Annotated[Caller, Depends(caller)]
"""What a route asks for that is for signed-in people only."""
