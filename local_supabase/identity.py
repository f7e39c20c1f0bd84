"""Verifies tokens. The resulting identity alone decides the caller's database role."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import jwt

ANON = "anon"
_ALGORITHMS = ("HS256", "HS384", "HS512")
_CACHED_TOKENS = 2048
_MOST_SECONDS = 2**53
_NUMERIC_CLAIMS = ("exp", "nbf", "iat")


class TokenProblem(StrEnum):
    """Why a token was refused."""

    MISSING = "missing"
    MALFORMED = "malformed"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    CLAIMS = "claims"


class TokenError(Exception):
    """A token that does not identify a caller. Each service chooses its own message by `kind`.

    Arguments:
        kind: why the token was refused.
        detail: more about it, such as the name of the claim.
    """

    def __init__(self, kind: TokenProblem, detail: str = "") -> None:
        super().__init__(detail or kind.value)
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller.

    Arguments:
        role: the database role of the caller's transactions.
        claims: the token's claims.
        claims_json: the claims as JSON, the form in which policies read them.
    """

    role: str
    claims: Mapping[str, object]
    claims_json: str

    @property
    def user_id(self) -> str | None:
        """The user's id (the `sub` claim); None for the API keys."""
        subject = self.claims.get("sub")
        return subject if isinstance(subject, str) else None

    @property
    def expires_at(self) -> float | None:
        """When the token expires (the `exp` claim), in seconds since 1970; None if it never does."""
        expiry = self.claims.get("exp")
        return float(expiry) if isinstance(expiry, int | float) else None


class TokenVerifier:
    """Verifies the tokens of one project. It caches the newest 2,048 verified tokens.

    Arguments:
        secret: the project's JWT secret.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._cache: OrderedDict[str, Identity] = OrderedDict()
        self._revoked: set[str] = set()
        self.ahead = 0.0
        """By how many seconds the time of tokens is ahead: tests let time pass."""

    def verify(self, token: str | None) -> Identity:
        """Return the identity of a token.

        A token without a `role` claim acts as anon, as in PostgREST.

        Raises:
            TokenError: the token is missing, malformed, expired, wrongly signed or has unusable claims.
        """
        if not token:
            raise TokenError(TokenProblem.MISSING)
        identity = self._cache.get(token)
        if identity is None:
            identity = self._decode(token)
            self._keep(token, identity)
        is_over = identity.expires_at is not None and identity.expires_at <= self.now()
        if is_over or str(identity.claims.get("session_id")) in self._revoked:
            self._cache.pop(token, None)
            raise TokenError(TokenProblem.EXPIRED)
        return identity

    def now(self) -> float:
        """Return the time by which tokens are judged, in seconds since 1970."""
        return time.time() + self.ahead

    def revoke(self, sessions: Iterable[str]) -> None:
        """Refuse the tokens of these sessions from now on, as if they had expired."""
        self._revoked.update(sessions)

    def _decode(self, token: str) -> Identity:
        try:
            # Cached tokens expire too, so `verify` checks the expiry on every use. `_identity` checks the
            # other claims, because PyJWT accepts numbers that are strings. Each service checks the audience.
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=list(_ALGORITHMS),
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                    "verify_sub": False,
                },
            )
        except jwt.InvalidSignatureError as error:
            raise TokenError(TokenProblem.SIGNATURE) from error
        except jwt.InvalidAlgorithmError as error:
            raise TokenError(TokenProblem.SIGNATURE, str(error)) from error
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenError(TokenProblem.MALFORMED, str(error)) from error
        return _identity(claims)

    def _keep(self, token: str, identity: Identity) -> None:
        self._cache[token] = identity
        if len(self._cache) > _CACHED_TOKENS:
            self._cache.popitem(last=False)


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """Return the caller's token: `Authorization: Bearer`, else `apikey`, as on Supabase's own gateway.

    A bearer token that is empty is returned as "", which no verifier accepts: its sender must not act with
    the rights of the API key by mistake.

    Arguments:
        headers: the request's headers, with lower-case or case-insensitive names.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("apikey")


def _identity(claims: dict[str, object]) -> Identity:
    role = claims.get("role", ANON)
    if not isinstance(role, str) or not role:
        raise TokenError(TokenProblem.CLAIMS, "role")
    for name in _NUMERIC_CLAIMS:
        if not _is_number(claims.get(name, 0)):
            raise TokenError(TokenProblem.CLAIMS, name)
    if not _is_audience(claims.get("aud")):
        raise TokenError(TokenProblem.CLAIMS, "aud")
    not_before = claims.get("nbf")
    if isinstance(not_before, int | float) and not_before > time.time():
        raise TokenError(TokenProblem.CLAIMS, "not valid yet")
    return Identity(role, claims, json.dumps(claims, separators=(",", ":"), ensure_ascii=False))


def _is_number(value: object) -> bool:
    """Whether a claim is a finite number, or null, which PostgREST treats like a missing claim."""
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # Larger integers, NaN and infinity are no seconds since 1970, and `float` fails for the largest.
    return -_MOST_SECONDS <= value <= _MOST_SECONDS


def _is_audience(value: object) -> bool:
    if value is None or isinstance(value, str):
        return True
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
