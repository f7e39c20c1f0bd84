"""The person for whom a request is made, and when a request that has written nothing is sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from db.clients import Clients
from db.errors import DeadlockError, SignedOutError

T = TypeVar("T")

_DEADLOCKS: Final = 3
"""How often a write is sent again after a deadlock. The database takes a second to notice each."""


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

    `send` raises `SignedOutError` when the token is refused, and `DeadlockError` when the database has given
    it up for another write. Nothing has been written then, so sending again is safe.
    """
    token = me.access_token()
    try:
        return _unless_deadlocked(send, token)
    except SignedOutError:
        me.renew(token)
        return _unless_deadlocked(send, me.access_token())


def _unless_deadlocked(send: Callable[[str], T], token: str) -> T:
    for _ in range(_DEADLOCKS):
        try:
            return send(token)
        except DeadlockError:
            continue
    return send(token)
