"""What can go wrong with signing in, and what the Auth service's codes mean.

SignInError
├── SignInFailedError       wrong email address or password
├── EmailNotConfirmedError  the project requires a confirmed address
├── SignUpRefusedError      the account cannot be created
├── SignedOutError          the session has ended
├── CodeNeededError         the account has a second factor, whose code is missing
├── WrongCodeError          the code of the second factor does not count
├── TooManyAttemptsError    the rate limit of the Auth service
└── AuthUnreachableError    the Auth service does not answer

An app that has errors of its own gives them to `Accounts` (`AuthErrors`). The texts are for people.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from supabase_auth.errors import AuthError, AuthRetryableError, AuthWeakPasswordError

from livetables.auth.second_factor import CodeNeeded
from livetables.errors import LiveError

_log: Final = logging.getLogger(__name__)


class Meaning(Enum):
    """What a code of the Auth service says about a sign-in."""

    WRONG = auto()
    NOT_CONFIRMED = auto()
    TOO_MANY = auto()
    SIGNED_OUT = auto()
    WRONG_CODE = auto()


MEANING: Final[Mapping[str, Meaning]] = {
    "invalid_credentials": Meaning.WRONG,
    "email_not_confirmed": Meaning.NOT_CONFIRMED,
    "over_request_rate_limit": Meaning.TOO_MANY,
    "over_email_send_rate_limit": Meaning.TOO_MANY,
    "mfa_verification_failed": Meaning.WRONG_CODE,
    "mfa_challenge_expired": Meaning.WRONG_CODE,
    "mfa_ip_address_mismatch": Meaning.WRONG_CODE,
    "mfa_factor_not_found": Meaning.SIGNED_OUT,
    "refresh_token_not_found": Meaning.SIGNED_OUT,
    "refresh_token_already_used": Meaning.SIGNED_OUT,
    "session_not_found": Meaning.SIGNED_OUT,
    "session_expired": Meaning.SIGNED_OUT,
    "user_not_found": Meaning.SIGNED_OUT,
    "bad_jwt": Meaning.SIGNED_OUT,
    "no_authorization": Meaning.SIGNED_OUT,
}
"""The codes of https://supabase.com/docs/guides/auth/debugging/error-codes about sign-ins."""


class SignInError(LiveError):
    """Base of the errors of accounts and sessions. The text can be shown to a person."""

    message = "The sign-in service gave an unexpected answer. Please try again."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class SignInFailedError(SignInError):
    """Wrong email address or password; the Auth service does not say which of the two."""

    message = "That email and password do not match an account."


class EmailNotConfirmedError(SignInError):
    """The project requires a confirmed email address before the first sign-in."""

    message = "Please confirm your email address first: open the link we sent you, then sign in."


class SignUpRefusedError(SignInError):
    """The account cannot be created; the text says why."""

    message = "This account could not be created."


class SignedOutError(SignInError):
    """The session has ended, here or on another device."""

    message = "You have been signed out. Please sign in again."


class CodeNeededError(SignInError):
    """The password was right, and the account has a second factor. `waiting` goes on with its code."""

    message = "Please enter the code of your authenticator app."

    def __init__(self, waiting: CodeNeeded) -> None:
        super().__init__()
        self.waiting = waiting


class WrongCodeError(SignInError):
    """The code of the second factor is wrong, old, or was used already."""

    message = "That code does not count. Please enter the one that your app shows now; each is good for once."


class TooManyAttemptsError(SignInError):
    """The rate limit of the Auth service."""

    message = "Too many attempts. Please wait a minute and try again."


class AuthUnreachableError(SignInError):
    """No usable answer came back."""

    message = "The sign-in service does not answer. Please try again in a moment."


_TYPES: Final[Mapping[Meaning, type[SignInError]]] = {
    Meaning.WRONG: SignInFailedError,
    Meaning.NOT_CONFIRMED: EmailNotConfirmedError,
    Meaning.TOO_MANY: TooManyAttemptsError,
    Meaning.SIGNED_OUT: SignedOutError,
    Meaning.WRONG_CODE: WrongCodeError,
}

_SIGN_UP_MESSAGES: Final[Mapping[str, str]] = {
    "user_already_exists": "There is an account with this email already. Sign in instead.",
    "email_exists": "There is an account with this email already. Sign in instead.",
    "signup_disabled": "No new accounts can be created at the moment.",
    "email_provider_disabled": "No new accounts can be created at the moment.",
    "email_address_invalid": "Please enter a working email address.",
    "email_address_not_authorized": "No mail can be sent to that address.",
    "validation_failed": "Please check the email address.",
    "user_banned": "This account is blocked.",
}


def from_auth(error: AuthError) -> SignInError:
    """Translate an error of the Auth service."""
    if isinstance(error, AuthRetryableError):
        return AuthUnreachableError()
    if isinstance(error, AuthWeakPasswordError):
        return SignUpRefusedError(f"Please choose a stronger password. {error.message}")
    code = str(error.code or "")
    if code in MEANING:
        return _TYPES[MEANING[code]]()
    if code in _SIGN_UP_MESSAGES:
        return SignUpRefusedError(_SIGN_UP_MESSAGES[code])
    _log.warning("Unexpected answer of the sign-in service: %s %s", code, error.message)
    return SignInError()


def from_refresh(error: AuthError) -> SignInError:
    """Translate an error of refreshing a sign-in.

    A rate limit says nothing about the sign-in, which is as good as before when the limit has passed.
    """
    raised = from_auth(error)
    return AuthUnreachableError() if isinstance(raised, TooManyAttemptsError) else raised


@dataclass(frozen=True, slots=True)
class AuthErrors:
    """The errors that an app wants to get of its accounts."""

    base: type[Exception]
    """The base of them all."""
    signed_out: type[Exception]
    unreachable: type[Exception]
    not_sent: Callable[[], Exception]
    """Makes an `unreachable` for a request that was not sent."""
    no_session: Callable[[str], Exception]
    """Makes the error for an answer without a session, with its text."""
    code_needed: Callable[[CodeNeeded], Exception]
    """Makes the error for a right password of an account with a second factor."""
    from_auth: Callable[[AuthError], Exception]
    from_refresh: Callable[[AuthError], Exception]


ERRORS: Final = AuthErrors(
    base=SignInError,
    signed_out=SignedOutError,
    unreachable=AuthUnreachableError,
    not_sent=AuthUnreachableError,
    no_session=SignInError,
    code_needed=CodeNeededError,
    from_auth=from_auth,
    from_refresh=from_refresh,
)
"""The errors of this module."""
