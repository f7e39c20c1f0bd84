"""The errors of database access, with messages for the person who meets them.

    DatabaseError
    ├── UnreachableError            no usable answer: network, gateway or database down
    ├── DeadlockError               others wrote the same at that moment; nothing was written
    ├── MisconfiguredError          the project lacks something that the app needs
    ├── RefusedError                the database refused the request
    │   ├── NotAllowedError         row-level security, or a missing right
    │   ├── InvalidValueError       a value that the schema refuses (`field` is its column if known)
    │   │   └── EventFullError      the event has no place left
    │   ├── GoneError               the row does not exist, or not any more
    │   ├── DuplicateError          a row with this key exists already
    │   ├── SlowDownError           a quota is used up (`wait` is in seconds)
    │   └── ConflictError           somebody else changed the row first (`current` is their version)
    └── SignInError
        ├── SignInFailedError       wrong email address or password
        ├── EmailNotConfirmedError  the project requires a confirmed address
        ├── SignUpRefusedError      the account cannot be created
        ├── CodeNeededError         the account has a second factor, whose code is missing
        ├── WrongCodeError          the code of the second factor does not count
        ├── SignedOutError          the session has ended
        └── TooManyAttemptsError    the rate limit of the Auth service

`str(error)` is always a sentence that can be shown to a person.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from postgrest.exceptions import APIError
from supabase_auth.errors import AuthError, AuthRetryableError, AuthWeakPasswordError

from db.columns import Record
from db.constraints import MEANING as CONSTRAINTS
from livetables.auth.errors import MEANING, Meaning
from livetables.auth.second_factor import CodeNeeded

_log = logging.getLogger(__name__)


class DatabaseError(Exception):
    """Base of the errors of this package."""

    message = "Something went wrong. Please try again."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class UnreachableError(DatabaseError):
    """No usable answer came back. If `perhaps_written`, a write may have happened nevertheless."""

    message = "Tavern can't reach the database; your text is kept. Please try again in a moment."

    def __init__(self, *, perhaps_written: bool = True, timed_out: bool = False) -> None:
        super().__init__()
        self.perhaps_written = perhaps_written
        self.timed_out = timed_out

    @property
    def answer_lost(self) -> bool:
        """Whether only the answer is missing, so that reading the row tells if the write happened.

        Not after a timeout: a database that has not answered for seconds would not answer the reading either.
        """
        return self.perhaps_written and not self.timed_out


class DeadlockError(DatabaseError):
    """Two writes waited for each other, and the database gave this one up. Nothing of it was written."""

    message = "Others changed the same at that moment. Please try again."


class MisconfiguredError(DatabaseError):
    """The project at SUPABASE_URL lacks something that the app needs."""

    message = "This Supabase project is not set up for Tavern: apply the files in supabase/migrations to it."


class RefusedError(DatabaseError):
    """The database refused the request."""


class NotAllowedError(RefusedError):
    """Row-level security refuses it, or a right is missing."""

    message = "You are not allowed to do that."


class InvalidValueError(RefusedError):
    """A value that the schema refuses; `field` is its column if that is known."""

    message = "Some of what you entered is not possible. Please check it."

    def __init__(self, message: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class EventFullError(InvalidValueError):
    """The event has no place left."""

    message = "This event is full."


class GoneError(RefusedError):
    """The row was deleted, or this person may not see it."""

    message = "This is not there any more: somebody has removed it."


class DuplicateError(RefusedError):
    """A row with this key exists already."""

    message = "This exists already."


class ConflictError(RefusedError):
    """Somebody else changed the row after this person read it. `current` is the row as it is now."""

    message = "Somebody else has changed this in the meantime."

    def __init__(self, current: Record) -> None:
        super().__init__()
        self.current = current


class SlowDownError(RefusedError):
    """A quota of the database is used up. `wait` is in seconds, None when waiting does not help."""

    message = "That is too much at once. Please send it in smaller parts."

    def __init__(self, message: str | None = None, wait: int | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class SignInError(DatabaseError):
    """Base of the errors of accounts and sessions."""


class SignInFailedError(SignInError):
    """Wrong email address or password; the Auth service does not say which of the two."""

    message = "That email and password do not match an account."


class EmailNotConfirmedError(SignInError):
    """The project requires a confirmed email address before the first sign-in."""

    message = "Please confirm your email address first: open the link we sent you, then sign in."


class SignUpRefusedError(SignInError):
    """The account cannot be created; the message says why. `field` is "email" or "password", if it is one."""

    message = "This account could not be created."

    def __init__(self, message: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class SignedOutError(SignInError):
    """The session has ended, here or on another device."""

    message = "You have been signed out. Please sign in again; your text is kept."


class CodeNeededError(SignInError):
    """The password was right, and the account has a second factor. `waiting` goes on with its code."""

    message = "Please enter the code of your authenticator app."

    def __init__(self, waiting: CodeNeeded) -> None:
        super().__init__()
        self.waiting = waiting


class WrongCodeError(SignInError):
    """The code of the second factor, or the recovery code, does not count."""

    message = "That code does not count. Please enter the one that your app shows now; each is good for once."


class TooManyAttemptsError(SignInError):
    """The rate limit of the Auth service."""

    message = "Too many attempts. Please wait a minute and try again."


_UNREACHABLE_CODES = re.compile(r"(PGRST00\d|08\w{3}|53\w{3}|57\w{3}|50[0234]|52\d|530)")
_TOKEN_CODES = frozenset({"PGRST301", "PGRST302", "PGRST303"})
_DEADLOCK_CODES = frozenset({"40001", "40P01"})
_MISSING_SCHEMA_CODES = frozenset({"PGRST106", "PGRST202", "PGRST205", "42P01", "42883"})
_BAD_VALUE_CODES = re.compile(r"(22\w{3}|23502|23514)")
_CONSTRAINT = re.compile(r'constraint "(?P<name>\w+)"')


@contextmanager
def translated() -> Iterator[None]:
    """Raise what PostgREST's client raises as a `DatabaseError`."""
    try:
        yield
    except APIError as error:
        raise from_api(error) from error
    except httpx.HTTPError as error:
        raise from_transport(error) from error


def from_api(error: APIError) -> DatabaseError:
    """Translate an error of PostgREST. Its codes are Postgres' SQLSTATE and PostgREST's own PGRST*."""
    code = error.code or ""
    text = error.message or ""
    if "api key" in text.lower():  # from the gateway of a hosted project; it has no code
        return MisconfiguredError(
            "SUPABASE_KEY is not a key of this project. Copy the anon or publishable key again."
        )
    if code in _TOKEN_CODES:
        return SignedOutError()
    if _UNREACHABLE_CODES.fullmatch(code):
        return UnreachableError()
    if code in _DEADLOCK_CODES:
        return DeadlockError()
    if code in _MISSING_SCHEMA_CODES:
        return MisconfiguredError()
    if (refused := _refused(code, text, str(error.details or ""))) is not None:
        return refused
    _log.warning("Unexpected answer of the database: %s %s", code, text)
    return DatabaseError()


def _refused(code: str, text: str, details: str) -> RefusedError | None:
    """Translate a refusal of the database; None for any other answer."""
    if code == "42501":
        return NotAllowedError(text if _is_for_people(text) else None)
    if code == "23503":
        return GoneError()
    if code == "23505":
        return DuplicateError()
    if code == "PT429":  # a quota of this schema, with a message for people
        return SlowDownError(text, int(details) if details.isdecimal() else None)
    if _BAD_VALUE_CODES.fullmatch(code):
        return _invalid(text)
    if code == "P0001":  # raised by triggers of this schema, with a message for people
        return InvalidValueError(text)
    return None


def _invalid(text: str) -> InvalidValueError:
    """Say what is wrong with a value, by the constraint that Postgres names or the message of a trigger."""
    if text == EventFullError.message:
        return EventFullError()
    named = _CONSTRAINT.search(text)
    if named and named["name"] in CONSTRAINTS:
        field, sentence = CONSTRAINTS[named["name"]]
        return InvalidValueError(sentence, field)
    return InvalidValueError(text if _is_for_people(text) else None)


def _is_for_people(text: str) -> bool:
    """Whether a message is from a trigger of this schema. Postgres' own quote names or lack a period."""
    return text.endswith(".") and '"' not in text


_AUTH_ERRORS: Mapping[Meaning, type[SignInError]] = {
    Meaning.WRONG: SignInFailedError,
    Meaning.NOT_CONFIRMED: EmailNotConfirmedError,
    Meaning.TOO_MANY: TooManyAttemptsError,
    Meaning.SIGNED_OUT: SignedOutError,
    Meaning.WRONG_CODE: WrongCodeError,
}

_SIGN_UP_MESSAGES: Mapping[str, str] = {
    "user_already_exists": "There is an account with this email already. Sign in instead.",
    "email_exists": "There is an account with this email already. Sign in instead.",
    "signup_disabled": "This Tavern does not take new accounts at the moment.",
    "email_provider_disabled": "This Tavern does not take new accounts at the moment.",
    "email_address_invalid": "Please enter a working email address.",
    "email_address_not_authorized": "This Tavern cannot send mail to that address.",
    "validation_failed": "Please check the email address.",
    "user_banned": "This account is blocked.",
}


_ABOUT_THE_EMAIL = frozenset(
    {
        "user_already_exists",
        "email_exists",
        "email_address_invalid",
        "email_address_not_authorized",
        "validation_failed",
    }
)
_PWNED = "This password is well known and easy to guess. Please choose another."


def from_auth(error: AuthError) -> DatabaseError:
    """Translate an error of the Auth service.

    Its codes: https://supabase.com/docs/guides/auth/debugging/error-codes.
    """
    if isinstance(error, AuthRetryableError):
        return UnreachableError()
    if isinstance(error, AuthWeakPasswordError):
        if error.reasons == ["pwned"]:
            return SignUpRefusedError(_PWNED, "password")
        return SignUpRefusedError(f"Please choose a stronger password. {error.message}", "password")
    code = str(error.code or "")
    if code in MEANING:
        return _AUTH_ERRORS[MEANING[code]]()
    if code in _SIGN_UP_MESSAGES:
        return SignUpRefusedError(_SIGN_UP_MESSAGES[code], "email" if code in _ABOUT_THE_EMAIL else None)
    _log.warning("Unexpected answer of the sign-in service: %s %s", code, error.message)
    return SignInError("The sign-in service gave an unexpected answer. Please try again.")


def from_refresh(error: AuthError) -> DatabaseError:
    """Translate an error of refreshing a sign-in.

    A rate limit says nothing about the sign-in, which is as good as before when the limit has passed.
    """
    raised = from_auth(error)
    return UnreachableError(perhaps_written=False) if isinstance(raised, TooManyAttemptsError) else raised


def from_transport(error: httpx.HTTPError) -> UnreachableError:
    """Translate a request without an answer."""
    _log.info("The database did not answer: %r", error)
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    timed_out = isinstance(error, httpx.TimeoutException)
    return UnreachableError(perhaps_written=not never_sent, timed_out=timed_out)
