"""What happens to a refresh token that is presented: the rules of rotation, without I/O.

Source: github.com/supabase/auth, ``internal/tokens/service.go``, ``RefreshTokenGrant``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto


class Rotation(Enum):
    """The verdict on a presented refresh token."""

    SWAP = auto()
    """Revoke it and issue a child."""
    RETURN_ACTIVE = auto()
    """Its child is the active token, which the client never stored: give that one again."""
    REUSED = auto()
    """It was used before: revoke the family if rotation is on, and refuse."""


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """The token as stored: its text, whether it was revoked, and when it last changed."""

    token: str
    revoked: bool
    updated_at: datetime


def decide(
    presented: PresentedToken, active_parent: str | None, now: datetime, reuse_interval: timedelta
) -> Rotation:
    """Judge a presented token, given the parent of the newest token of its session that is not revoked."""
    if not presented.revoked:
        return Rotation.SWAP
    if active_parent is not None and active_parent == presented.token:
        return Rotation.RETURN_ACTIVE
    if now <= presented.updated_at + reuse_interval:
        return Rotation.SWAP
    return Rotation.REUSED
