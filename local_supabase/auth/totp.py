"""One-time codes from the time (TOTP, RFC 6238), as authenticator apps make them, and their QR code."""

import base64
import hmac
import secrets
from io import BytesIO
from urllib.parse import quote

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

_DIGITS = 6
_PERIOD = 30
_SECRET_BYTES = 20
"""As GoTrue has it, and the length that RFC 4226 recommends: that of the hash."""


def new_secret() -> str:
    """Return a random secret in base 32, without padding."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def key_uri(secret: str, issuer: str, account: str) -> str:
    """Return the address that authenticator apps read from the QR code.

    Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format.
    """
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    return (
        f"otpauth://totp/{label}?algorithm=SHA1&digits={_DIGITS}&issuer={quote(issuer, safe='')}"
        f"&period={_PERIOD}&secret={secret}"
    )


def qr_code(uri: str) -> str:
    """Return a QR code as SVG, without "#": Supabase's clients put it into a data URI as it is."""
    picture = BytesIO()
    segno.make_qr(uri, error="h").save(
        picture, kind="svg", scale=4, dark="black", light="white", xmldecl=False, nl=False
    )
    return picture.getvalue().decode().replace("#000", "black").replace("#fff", "white")


def code_at(secret: str, step: int) -> str:
    """Return the code of a time step, of which each lasts 30 seconds."""
    return HOTP(base64.b32decode(secret), _DIGITS, SHA1()).generate(step).decode()  # noqa: S303  # RFC 6238


def step_at(moment: float) -> int:
    """Return the time step of a moment, in seconds since 1970."""
    return int(moment // _PERIOD)


def matching_step(secret: str, code: str, moment: float) -> int | None:
    """Return the time step that a code belongs to, None for a wrong code.

    The steps just before and after the present one count as well, for clocks that differ and slow fingers.
    """
    entered = code.strip().encode()
    now = step_at(moment)
    # All three are compared whatever matches, so that the time of the answer tells nothing.
    matching = [step for step in (now - 1, now, now + 1) if _same(code_at(secret, step), entered)]
    return max(matching, default=None)


def _same(expected: str, entered: bytes) -> bool:
    return hmac.compare_digest(expected.encode(), entered)
