"""Tokens: access tokens (JWTs), refresh tokens, one-time codes and their stored hashes."""

import base64
import hashlib
import hmac
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import jwt

from local_supabase.auth.models import User

ALGORITHM = "HS256"
PKCE_PREFIX = "pkce_"
SECOND_FACTORS = frozenset({"totp", "mfa/phone", "mfa/webauthn"})
"""The methods of authentication that raise a session to the level aal2."""
_REFRESH_ALPHABET = string.ascii_lowercase + string.digits[2:]


@dataclass(frozen=True, slots=True)
class AuthenticationMethod:
    """How and when the user of a session authenticated, an entry of the ``amr`` claim."""

    method: str
    at: datetime

    def to_json(self) -> dict[str, object]:
        """Return the entry of the claim."""
        return {"method": self.method, "timestamp": int(self.at.timestamp())}


def access_claims(
    user: User,
    *,
    session_id: str,
    methods: Sequence[AuthenticationMethod],
    issuer: str,
    issued_at: datetime,
    lifetime: int,
) -> dict[str, object]:
    """Return the claims of an access token, as hosted Supabase issues them.

    Arguments:
        user: whose token it is.
        session_id: the session that the token belongs to.
        methods: how the user authenticated.
        issuer: the public URL of Auth.
        issued_at: the current time.
        lifetime: in seconds.
    """
    issued = int(issued_at.timestamp())
    newest_first = sorted(methods, key=lambda method: method.at, reverse=True)
    return {
        "iss": issuer,
        "sub": user.id,
        "aud": user.aud,
        "exp": issued + lifetime,
        "iat": issued,
        "email": user.email,
        "phone": user.phone,
        "app_metadata": dict(user.app_metadata),
        "user_metadata": dict(user.user_metadata),
        "role": user.role,
        "aal": assurance_level(methods),
        "amr": [method.to_json() for method in newest_first],
        "session_id": session_id,
        "is_anonymous": user.is_anonymous,
    }


def assurance_level(methods: Sequence[AuthenticationMethod]) -> str:
    """Return the authenticator assurance level that the methods of a session give it."""
    return "aal2" if any(method.method in SECOND_FACTORS for method in methods) else "aal1"


def sign(claims: dict[str, object], secret: str) -> str:
    """Sign claims with the project's secret."""
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def new_refresh_token() -> str:
    """Return a refresh token as GoTrue makes it: 12 characters of base 32, 60 random bits."""
    return "".join(secrets.choice(_REFRESH_ALPHABET) for _ in range(12))


def new_otp(length: int) -> str:
    """Return a one-time code of so many decimal digits."""
    return "".join(secrets.choice(string.digits) for _ in range(length))


def token_hash(recipient: str, otp: str) -> str:
    """Return the stored form of a one-time code: the hexadecimal SHA-224 of the recipient and the code."""
    return hashlib.sha224((recipient + otp).encode()).hexdigest()


def otp_matches(presented: str, stored: str, sent_at: datetime | None, lifetime: int) -> bool:
    """Return whether a hash is the stored one, which may have the PKCE prefix, and is not expired."""
    if not stored or is_expired(sent_at, lifetime):
        return False
    return hmac.compare_digest(stored.removeprefix(PKCE_PREFIX).encode(), presented.encode())


def is_expired(sent_at: datetime | None, lifetime: int) -> bool:
    """Return whether something was sent more than ``lifetime`` seconds ago, or never."""
    return sent_at is None or (datetime.now(UTC) - sent_at).total_seconds() > lifetime


def challenge_matches(method: str, challenge: str, verifier: str) -> bool:
    """Return whether a PKCE code verifier belongs to the challenge (RFC 7636, section 4.6)."""
    if method.lower() == "s256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(challenge.encode(), verifier.encode())
