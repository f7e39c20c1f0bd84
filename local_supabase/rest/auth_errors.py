"""A refused token in PostgREST's words."""

from __future__ import annotations

from local_supabase.identity import TokenError, TokenProblem
from local_supabase.rest.errors import RestError

_PARTS = 3


def refused(error: TokenError, token: str | None) -> RestError:
    """Return PGRST301 for a token that cannot be read, 303 for claims that do not hold, 302 for no token."""
    code, message, details = _worded(error)
    parts = (token or "").count(".") + 1
    if error.kind is TokenProblem.MALFORMED and parts != _PARTS:
        message = f"Expected {_PARTS} parts in JWT; got {parts}"
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    if error.kind is TokenProblem.MISSING:
        challenge = "Bearer"
    return RestError(401, code, message, details=details, headers=(("WWW-Authenticate", challenge),))


def _worded(error: TokenError) -> tuple[str, str, str | None]:
    match error.kind:
        case TokenProblem.MISSING:
            return "PGRST302", "Anonymous access is disabled", None
        case TokenProblem.EXPIRED:
            return "PGRST303", "JWT expired", None
        case TokenProblem.CLAIMS:
            return "PGRST303", _claim(error.detail), None
        case TokenProblem.SIGNATURE:
            return (
                "PGRST301",
                "No suitable key or wrong key type",
                "None of the keys was able to decode the JWT",
            )
        case TokenProblem.MALFORMED:
            return "PGRST301", "JWT couldn't be decoded", None


def _claim(detail: str) -> str:
    if detail == "exp":
        return "The JWT 'exp' claim must be a number"
    return "JWT not yet valid" if detail == "not valid yet" else "Parsing claims failed"
