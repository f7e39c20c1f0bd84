"""What can go wrong between a person and the database, in words for that person.

    DatabaseError
    ├── Unreachable        no answer: network, gateway or database down
    ├── Misconfigured      the project answers, but not as this app needs it
    ├── Refused            the database said no
    │   ├── NotAllowed     row level security or a missing right
    │   ├── Invalid        a value the schema refuses (`field` names it when known)
    │   │   └── EventFull  the capacity of an event is used up
    │   ├── Gone           the row is not there (any more)
    │   ├── Duplicate      a row with this key exists already
    │   └── Conflict       somebody else changed the row first (`current` is theirs)
    └── SignInError
        ├── SignInFailed       wrong e-mail or password
        ├── EmailNotConfirmed  the project asks for a confirmed address
        ├── SignUpRefused      this account cannot be made
        ├── SignedOut          the session ended here or elsewhere
        └── TooManyAttempts    the project's rate limit

`str(error)` is always a sentence that may be shown as it is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

import httpx
from postgrest.exceptions import APIError
from supabase_auth.errors import AuthError, AuthRetryableError, AuthWeakPasswordError

from db.constraints import MEANING
from db.models import Record

log = logging.getLogger(__name__)


class DatabaseError(Exception):
    """Anything this package raises on purpose."""

    message = "Something went wrong. Please try again."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class Unreachable(DatabaseError):
    """No usable answer came back; unless `perhaps_written` is false, a write may have happened."""

    message = "Tavern can't reach the database; your text is kept. Please try again in a moment."

    def __init__(self, *, perhaps_written: bool = True, timed_out: bool = False) -> None:
        super().__init__()
        self.perhaps_written = perhaps_written
        self.timed_out = timed_out

    @property
    def worth_looking(self) -> bool:
        """Whether to look now if the write happened: not where nobody has answered for seconds."""
        return self.perhaps_written and not self.timed_out


class Misconfigured(DatabaseError):
    """The project behind SUPABASE_URL lacks something the app needs."""

    message = "This Supabase project is not set up for Tavern: apply the files in supabase/migrations to it."


class Refused(DatabaseError):
    """The database answered no."""


class NotAllowed(Refused):
    """Row level security or a missing right."""

    message = "You are not allowed to do that."


class Invalid(Refused):
    """A value the schema refuses; `field` is its column when that is known."""

    message = "Some of what you entered is not possible. Please check it."

    def __init__(self, message: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class EventFull(Invalid):
    """The last place of an event is taken."""

    message = "This event is full."


class Gone(Refused):
    """The row was deleted, or is out of this person's sight."""

    message = "This is not there any more: somebody has removed it."


class Duplicate(Refused):
    """A row with this key exists already."""

    message = "This exists already."


class Conflict(Refused):
    """Somebody else changed the row after this person read it."""

    message = "Somebody else has changed this in the meantime."

    def __init__(self, current: Record) -> None:
        super().__init__()
        self.current = current


class SignInError(DatabaseError):
    """Anything about accounts and sessions."""


class SignInFailed(SignInError):
    """Wrong e-mail address or password; which of the two is not told."""

    message = "That e-mail and password do not match an account."


class EmailNotConfirmed(SignInError):
    """The project wants the address confirmed before the first sign-in."""

    message = "Please confirm your e-mail address first: open the link we sent you, then sign in."


class SignUpRefused(SignInError):
    """The account cannot be made as asked; the message says why."""

    message = "This account could not be created."


class SignedOut(SignInError):
    """The session has ended, here or in another place."""

    message = "You have been signed out. Please sign in again; your text is kept."


class TooManyAttempts(SignInError):
    """The rate limit of the project's Auth service."""

    message = "Too many attempts. Please wait a minute and try again."


_UNREACHABLE_CODES = re.compile(r"(PGRST00\d|08\w{3}|53\w{3}|57\w{3}|50[0234]|52\d|530)")
_TOKEN_CODES = frozenset({"PGRST301", "PGRST302", "PGRST303"})
_MISSING_SCHEMA_CODES = frozenset({"PGRST106", "PGRST202", "PGRST205", "42P01", "42883"})
_BAD_VALUE_CODES = re.compile(r"(22\w{3}|23502|23514)")
_CONSTRAINT = re.compile(r'constraint "(?P<name>\w+)"')


def from_api(error: APIError) -> DatabaseError:
    """Translate PostgREST's answer. Codes: SQLSTATE classes of Postgres and PGRST* of PostgREST."""
    code = error.code or ""
    text = error.message or ""
    if "api key" in text.lower():  # worded by the gateway of a hosted project, without a code
        return Misconfigured(
            "SUPABASE_KEY is not a key of this project. Copy the anon or publishable key again."
        )
    if code in _TOKEN_CODES:
        return SignedOut()
    if _UNREACHABLE_CODES.fullmatch(code):
        return Unreachable()
    if code in _MISSING_SCHEMA_CODES:
        return Misconfigured()
    if code == "42501":
        return NotAllowed(text if _is_for_people(text) else None)
    if code == "23503":
        return Gone()
    if code == "23505":
        return Duplicate()
    if _BAD_VALUE_CODES.fullmatch(code):
        return _invalid(text)
    if code == "P0001":  # raised by this project's own triggers, worded for people
        return Invalid(text)
    log.warning("Unexpected answer of the database: %s %s", code, text)
    return DatabaseError()


def _invalid(text: str) -> Invalid:
    """Say what is wrong with a value: Postgres names the constraint, a trigger words it for people."""
    if text == EventFull.message:
        return EventFull()
    named = _CONSTRAINT.search(text)
    if named and named["name"] in MEANING:
        field, sentence = MEANING[named["name"]]
        return Invalid(sentence, field)
    return Invalid(text if _is_for_people(text) else None)


def _is_for_people(text: str) -> bool:
    """Tell a sentence of this project's triggers from Postgres' own, which quote names and end bare."""
    return text.endswith(".") and '"' not in text


_AUTH_ERRORS: Mapping[str, type[SignInError]] = {
    "invalid_credentials": SignInFailed,
    "email_not_confirmed": EmailNotConfirmed,
    "over_request_rate_limit": TooManyAttempts,
    "over_email_send_rate_limit": TooManyAttempts,
    "refresh_token_not_found": SignedOut,
    "refresh_token_already_used": SignedOut,
    "session_not_found": SignedOut,
    "session_expired": SignedOut,
    "user_not_found": SignedOut,
    "bad_jwt": SignedOut,
    "no_authorization": SignedOut,
}

_SIGN_UP_MESSAGES: Mapping[str, str] = {
    "user_already_exists": "There is an account with this e-mail already. Sign in instead.",
    "email_exists": "There is an account with this e-mail already. Sign in instead.",
    "signup_disabled": "This Tavern does not take new accounts at the moment.",
    "email_provider_disabled": "This Tavern does not take new accounts at the moment.",
    "email_address_invalid": "Please enter a working e-mail address.",
    "email_address_not_authorized": "This Tavern cannot send mail to that address.",
    "validation_failed": "Please check the e-mail address.",
    "user_banned": "This account is blocked.",
}


def from_auth(error: AuthError) -> DatabaseError:
    """Translate the Auth service's answer. Codes: https://supabase.com/docs/guides/auth/debugging/error-codes."""
    if isinstance(error, AuthRetryableError):
        return Unreachable()
    if isinstance(error, AuthWeakPasswordError):
        return SignUpRefused(f"Please choose a stronger password. {error.message}")
    code = str(error.code or "")
    if code in _AUTH_ERRORS:
        return _AUTH_ERRORS[code]()
    if code in _SIGN_UP_MESSAGES:
        return SignUpRefused(_SIGN_UP_MESSAGES[code])
    log.warning("Unexpected answer of the sign-in service: %s %s", code, error.message)
    return SignInError("The sign-in service gave an unexpected answer. Please try again.")


def from_transport(error: httpx.HTTPError) -> Unreachable:
    """No HTTP answer at all."""
    log.info("The database did not answer: %r", error)
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    timed_out = isinstance(error, httpx.TimeoutException)
    return Unreachable(perhaps_written=not never_sent, timed_out=timed_out)
