"""Signing up, in and out, with the errors of this package."""

from __future__ import annotations

from db.auth.signed_in import ERRORS, SignedIn
from db.clients import Clients
from livetables.auth.accounts import CHECK_EVERY, RETRY_PAUSE, ConfirmationNeeded
from livetables.auth.accounts import Accounts as AnyAccounts

__all__ = ["CHECK_EVERY", "RETRY_PAUSE", "Accounts", "ConfirmationNeeded", "SignedIn"]


class Accounts(AnyAccounts[SignedIn]):
    """All sign-ins of this process, and the thread that keeps them fresh.

    Signing in raises a `SignInError` that says why it is refused, signing up a `SignUpRefusedError`, and each
    of them `UnreachableError` when the service does not answer.
    """

    def __init__(self, clients: Clients) -> None:
        super().__init__(clients, ERRORS, lambda session, rotation: SignedIn(clients, session, rotation))
