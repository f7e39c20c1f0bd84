"""PostgREST's errors for refused tokens."""

from __future__ import annotations

from local_supabase.identity import TokenError, TokenProblem
from local_supabase.rest.errors import RestError

_PARTS = 3


def auth_error(error: TokenError, token: str | None) -> RestError:
    """Return PGRST301 for a token that cannot be decoded, 303 for bad claims, or 302 for no token."""
    code, message, details = _code_and_message(error)
    if error.kind is TokenProblem.MISSING and token is not None:
        return _refusal("PGRST301", "Empty JWT is sent in Authorization header", None)
    parts = (token or "").count(".") + 1
    if error.kind is TokenProblem.MALFORMED and parts != _PARTS:
        message = f"Expected {_PARTS} parts in JWT; got {parts}"
    if error.kind is TokenProblem.MISSING:
        return RestError(401, code, message, details=details, headers=(("WWW-Authenticate", "Bearer"),))
    return _refusal(code, message, details)


def _refusal(code: str, message: str, details: str | None) -> RestError:
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    return RestError(401, code, message, details=details, headers=(("WWW-Authenticate", challenge),))


def _code_and_message(error: TokenError) -> tuple[str, str, str | None]:
    match error.kind:
        case TokenProblem.MISSING:
            return "PGRST302", "Anonymous access is disabled", None
        case TokenProblem.EXPIRED:
            return "PGRST303", "JWT expired", None
        case TokenProblem.CLAIMS:
            return "PGRST303", _claim_message(error.detail), None
        case TokenProblem.SIGNATURE:
            return (
                "PGRST301",
                "No suitable key or wrong key type",
                "None of the keys was able to decode the JWT",
            )
        case TokenProblem.MALFORMED:
            return "PGRST301", "JWT couldn't be decoded", None


def _claim_message(detail: str) -> str:
    if detail in {"exp", "nbf", "iat"}:
        return f"The JWT '{detail}' claim must be a number"
    if detail == "aud":
        return "The JWT 'aud' claim must be a string or an array of strings"
    return "JWT not yet valid" if detail == "not valid yet" else "Parsing claims failed"
