"""The rules of refresh token rotation, without I/O.

Source: github.com/supabase/auth, ``internal/tokens/service.go``, ``RefreshTokenGrant``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto


class Rotation(Enum):
    """What to do with a presented refresh token."""

    SWAP = auto()
    """Revoke it and issue a new token in its place."""
    RETURN_ACTIVE = auto()
    """Return the active token, which replaced it and which the client did not store."""
    REUSED = auto()
    """Refuse it because it was used before, and revoke the family if rotation is enabled."""


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A stored token: its text, whether it is revoked, and when it last changed."""

    token: str
    revoked: bool
    updated_at: datetime


def decide(
    presented: PresentedToken, active_parent: str | None, now: datetime, reuse_interval: timedelta
) -> Rotation:
    """Decide about a presented token.

    Arguments:
        presented: the token as stored.
        active_parent: the parent of the session's newest token that is not revoked.
        now: the current time.
        reuse_interval: for how long a revoked token may be used again.
    """
    if not presented.revoked:
        return Rotation.SWAP
    if active_parent is not None and active_parent == presented.token:
        return Rotation.RETURN_ACTIVE
    if now <= presented.updated_at + reuse_interval:
        return Rotation.SWAP
    return Rotation.REUSED
