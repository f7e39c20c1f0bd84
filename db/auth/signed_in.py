"""One signed-in browser, as this app's modules see it: with clients of the project, and their errors."""

from __future__ import annotations

from typing import Final

from supabase_auth.types import Session

from db.clients import Clients
from db.errors import (
    CodeNeededError,
    DatabaseError,
    SignedOutError,
    SignInError,
    UnreachableError,
    from_auth,
    from_refresh,
)
from livetables.auth.errors import AuthErrors
from livetables.auth.signed_in import BROWSER_TIMEOUT, REFRESH_MARGIN
from livetables.auth.signed_in import SignedIn as AnySignedIn

__all__ = ["BROWSER_TIMEOUT", "ERRORS", "REFRESH_MARGIN", "SignedIn"]

ERRORS: Final = AuthErrors(
    base=DatabaseError,
    signed_out=SignedOutError,
    unreachable=UnreachableError,
    not_sent=lambda: UnreachableError(perhaps_written=False),
    no_session=SignInError,
    code_needed=CodeNeededError,
    from_auth=from_auth,
    from_refresh=from_refresh,
)
"""What signing in raises here."""


class SignedIn(AnySignedIn[Clients]):
    """One signed-in browser: a person's tokens, kept fresh and shared by all its tabs. Thread-safe.

    `access_token` raises `SignedOutError` when the sign-in has ended, and `UnreachableError` when an expired
    token cannot be replaced now.
    """

    def __init__(self, clients: Clients, session: Session, rotation: int = 0) -> None:
        super().__init__(clients, ERRORS, session, rotation)
