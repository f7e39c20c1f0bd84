"""The person for whom a request is made, and how a token that the project refuses is renewed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from db.clients import Clients
from db.errors import SignedOutError

T = TypeVar("T")


class Caller(Protocol):
    """A signed-in person, such as `db.auth.signed_in.SignedIn`."""

    @property
    def user_id(self) -> str:
        """The person's id."""

    @property
    def clients(self) -> Clients:
        """Clients for the project in which the person has their account."""

    def access_token(self) -> str:
        """Return a token that is valid for a while. Raises `SignedOutError` or `UnreachableError`."""

    def renew(self, seen: str | None = None) -> None:
        """Replace the token `seen`, unless that has been done already. Raises as `access_token` does."""


def with_token(me: Caller, send: Callable[[str], T]) -> T:
    """Call `send` with the person's access token; if the token is refused, renew it and call once more.

    `send` raises `SignedOutError` when the token is refused. Nothing has been written then, so sending again
    is safe.
    """
    token = me.access_token()
    try:
        return send(token)
    except SignedOutError:
        me.renew(token)
        return send(me.access_token())
