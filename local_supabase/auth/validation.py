"""Checks of values: email addresses, telephone numbers, PKCE challenges, durations, UUIDs."""

import re
from datetime import timedelta
from uuid import UUID

from local_supabase.auth.errors import AuthError, invalid

MAX_EMAIL_LENGTH = 255
_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_PHONE = re.compile(r"[1-9][0-9]{1,14}")
_CHALLENGE = re.compile(r"[a-zA-Z._~0-9-]+")
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(h|ms|m|s|us|µs|ns)")
_UNITS = {
    "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9,
}  # fmt: skip


def validate_email(email: str) -> str:
    """Return an address in lower case, as it is stored. Raises `AuthError` for an invalid one."""
    if not email:
        raise invalid("An email address is required")
    if len(email.encode()) > MAX_EMAIL_LENGTH:
        raise invalid("An email address is too long")
    if not _EMAIL.fullmatch(email):
        raise invalid("Unable to validate email address: invalid format")
    return email.lower()


def validate_phone(phone: str) -> str:
    """Return the digits of a telephone number (E.164). Raises `AuthError` for an invalid one."""
    digits = phone.removeprefix("+").replace(" ", "")
    if not _PHONE.fullmatch(digits):
        raise invalid("Invalid phone number format (E.164 required)")
    return digits


def validate_pkce(method: str, challenge: str) -> None:
    """Check the two PKCE parameters (RFC 7636), which may both be absent. Raises `AuthError`."""
    if bool(challenge) != bool(method):
        raise invalid("PKCE flow requires code_challenge_method and code_challenge")
    if not challenge:
        return
    if not 43 <= len(challenge) <= 128:
        raise invalid("code challenge has to be between 43 and 128 characters")
    if not _CHALLENGE.fullmatch(challenge):
        raise invalid(
            "code challenge can only contain alphanumeric characters, hyphens, periods, underscores"
            " and tildes"
        )
    if method.lower() not in ("s256", "plain"):
        raise invalid(f'unsupported code_challenge method "{method}"')


def parse_duration(text: str) -> timedelta:
    """Read a duration as Go writes it ("24h", "1h30m", "0"). Raises `ValueError`."""
    if text == "0":
        return timedelta(0)
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    parts = _DURATION.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise ValueError(f'time: invalid duration "{text}"')
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds > 292 * 365 * 86400:  # the range of Go's 64-bit nanoseconds
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * timedelta(seconds=seconds)


def validate_uuid(text: str, error: AuthError) -> UUID:
    """Return a UUID, or raise the given error."""
    try:
        return UUID(text)
    except ValueError:
        raise error from None
