"""Tokens as Realtime judges them: it insists on `role` and `exp`, and words its own refusals."""

import time
from dataclasses import dataclass
from typing import ClassVar

import jwt

from local_supabase.identity import Identity, TokenError, TokenProblem, TokenVerifier

# Keys of this form are not tokens; the connection's own token is used in their place.
API_KEY_PREFIX = "sb_"


@dataclass(frozen=True, slots=True)
class TokenRefused(Exception):
    """A token that does not open anything. `code` and `message` are the server's words."""

    code: str
    message: str


class RealtimeTokens:
    """Verifies tokens of sockets and channels."""

    _MESSAGES: ClassVar = {
        TokenProblem.MISSING: ("InvalidJWTToken", "API key is missing"),
        TokenProblem.MALFORMED: ("MalformedJWT", "The token provided is not a valid JWT"),
        TokenProblem.SIGNATURE: ("JwtSignatureError", "Failed to validate JWT signature"),
        TokenProblem.CLAIMS: ("InvalidJWTToken", "Fields `role` and `exp` are required in JWT"),
    }

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    def verify(self, token: str | None) -> Identity:
        """Return whose token it is. Raises `TokenRefused`."""
        try:
            identity = self._verifier.verify(token)
        except TokenError as error:
            if error.kind is TokenProblem.EXPIRED:
                raise TokenRefused("InvalidJWTToken", expired_message(_expiry(token or ""))) from error
            raise TokenRefused(*self._MESSAGES[error.kind]) from error
        claims = identity.claims
        expiry = claims.get("exp")
        if not isinstance(claims.get("role"), str) or not isinstance(expiry, int):
            raise TokenRefused(*self._MESSAGES[TokenProblem.CLAIMS])
        return identity


def expired_message(expiry: float) -> str:
    """Word the refusal of a token that expired at `expiry` (seconds since 1970)."""
    return f"Token has expired {max(0, int(time.time() - expiry))} seconds ago"


def _expiry(token: str) -> float:
    claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
    expiry = claims.get("exp")
    return float(expiry) if isinstance(expiry, int | float) else time.time()
