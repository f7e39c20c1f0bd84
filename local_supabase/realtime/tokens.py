"""Verifies tokens as Realtime does: it requires `role` and `exp`, and has refusal messages of its own."""

import time
from typing import ClassVar

import jwt

from local_supabase.identity import Identity, TokenError, TokenProblem, TokenVerifier

# API keys of this form are not JWTs; the token of the connection is used in their place.
API_KEY_PREFIX = "sb_"


class TokenRefusedError(Exception):
    """A token that is refused; `code` and `message` are Realtime's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class RealtimeTokens:
    """Verifies the tokens of handshakes, joins and HTTP requests."""

    _MESSAGES: ClassVar = {
        TokenProblem.MISSING: ("InvalidJWTToken", "API key is missing"),
        TokenProblem.MALFORMED: ("MalformedJWT", "The token provided is not a valid JWT"),
        TokenProblem.SIGNATURE: ("JwtSignatureError", "Failed to validate JWT signature"),
        TokenProblem.CLAIMS: ("InvalidJWTToken", "Fields `role` and `exp` are required in JWT"),
    }

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    def verify(self, token: str | None) -> Identity:
        """Return the identity of a token.

        Raises `TokenRefusedError` when it is missing, malformed, expired or lacks `role` or `exp`.
        """
        try:
            identity = self._verifier.verify(token)
        except TokenError as error:
            if error.kind is TokenProblem.EXPIRED:
                raise TokenRefusedError("InvalidJWTToken", expired_message(_expiry(token or ""))) from error
            raise TokenRefusedError(*self._MESSAGES[error.kind]) from error
        claims = identity.claims
        expiry = claims.get("exp")
        if not isinstance(claims.get("role"), str) or not isinstance(expiry, int):
            raise TokenRefusedError(*self._MESSAGES[TokenProblem.CLAIMS])
        return identity


def expired_message(expiry: float) -> str:
    """Return the refusal message for a token that expired at `expiry` (seconds since 1970)."""
    return f"Token has expired {max(0, int(time.time() - expiry))} seconds ago"


def _expiry(token: str) -> float:
    claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
    expiry = claims.get("exp")
    return float(expiry) if isinstance(expiry, int | float) else time.time()
