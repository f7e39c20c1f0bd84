"""Reading the claims of a JSON Web Token without checking its signature, which is the server's task."""

from __future__ import annotations

import base64
import binascii
import json


def claims_of(token: str) -> dict[str, object]:
    """Return the token's claims, unverified; empty when it is not a JWT (RFC 7519)."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (
        binascii.Error,
        ValueError,
        RecursionError,
    ):  # the text may be hostile, such as deeply nested JSON
        return {}
    return claims if isinstance(claims, dict) else {}
