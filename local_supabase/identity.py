"""Who is calling: tokens become identities, and nothing else decides on the database role."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import jwt

ANON = "anon"
_ALGORITHMS = ("HS256", "HS384", "HS512")
_CACHED_TOKENS = 2048


class TokenProblem(StrEnum):
    """Why a token was refused."""

    MISSING = "missing"
    MALFORMED = "malformed"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    CLAIMS = "claims"


class TokenError(Exception):
    """A token that does not identify a caller; each service words its own answer from `kind`."""

    def __init__(self, kind: TokenProblem, detail: str = "") -> None:
        super().__init__(detail or kind.value)
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller: the database role to take, and the claims that policies read."""

    role: str
    claims: Mapping[str, object]
    claims_json: str

    @property
    def user_id(self) -> str | None:
        """The `sub` claim: the user's id, None for the API keys."""
        subject = self.claims.get("sub")
        return subject if isinstance(subject, str) else None

    @property
    def expires_at(self) -> float | None:
        """The `exp` claim in seconds since 1970, None when the token never expires."""
        expiry = self.claims.get("exp")
        return float(expiry) if isinstance(expiry, int | float) else None


class TokenVerifier:
    """Verifies the tokens of one project; verified tokens are remembered until they expire."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._known: OrderedDict[str, Identity] = OrderedDict()

    def verify(self, token: str | None) -> Identity:
        """Return the identity of a token.

        A token without a `role` claim acts as anon, as in PostgREST.

        Raises:
            TokenError: the token is missing, malformed, expired, wrongly signed or has unusable claims.
        """
        if not token:
            raise TokenError(TokenProblem.MISSING)
        known = self._known.get(token)
        if known is None:
            known = self._decode(token)
            self._remember(token, known)
        if known.expires_at is not None and known.expires_at <= time.time():
            self._known.pop(token, None)
            raise TokenError(TokenProblem.EXPIRED)
        return known

    def _decode(self, token: str) -> Identity:
        try:
            # Expiry is judged on every use (a remembered token expires too); audience is each service's own
            # business.
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=list(_ALGORITHMS),
                options={"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_sub": False},
            )
        except jwt.InvalidSignatureError as error:
            raise TokenError(TokenProblem.SIGNATURE) from error
        except jwt.ImmatureSignatureError as error:
            raise TokenError(TokenProblem.CLAIMS, "not valid yet") from error
        except jwt.InvalidAlgorithmError as error:
            raise TokenError(TokenProblem.SIGNATURE, str(error)) from error
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenError(TokenProblem.MALFORMED, str(error)) from error
        return _identity(claims)

    def _remember(self, token: str, identity: Identity) -> None:
        self._known[token] = identity
        if len(self._known) > _CACHED_TOKENS:
            self._known.popitem(last=False)


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """Return the caller's token: `Authorization: Bearer`, else `apikey`, as the hosted gateway does it."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("apikey")


def _identity(claims: dict[str, object]) -> Identity:
    role = claims.get("role", ANON)
    if not isinstance(role, str) or not role:
        raise TokenError(TokenProblem.CLAIMS, "role")
    expiry = claims.get("exp")
    if expiry is not None and (isinstance(expiry, bool) or not isinstance(expiry, int | float)):
        raise TokenError(TokenProblem.CLAIMS, "exp")
    return Identity(role, claims, json.dumps(claims, separators=(",", ":"), ensure_ascii=False))
