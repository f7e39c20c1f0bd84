"""What a person's feeds follow, by their role. The policies decide what they get."""

from __future__ import annotations

from typing import cast

from db.models import Role, User
from live.tables import PublicTables


def is_admin(user_id: str, public: PublicTables) -> bool:
    """Tell whether the public tables say that this person is an admin."""
    profile = _profile(user_id, public)
    return profile is not None and profile.role is Role.ADMIN


def standing(user_id: str, public: PublicTables) -> int:
    """Return what grows with every change of this person's role, and of the rest of their profile."""
    profile = _profile(user_id, public)
    return profile.version if profile else 0


def own_unless_admin(user_id: str, public: PublicTables) -> tuple[str, ...]:
    """Follow one's own rows, and as an admin everybody's.

    With a filter on the person's own id a change costs one check of the policies, not one for each connected
    person.
    """
    return () if is_admin(user_id, public) else (f"user_id=eq.{user_id}",)


def _profile(user_id: str, public: PublicTables) -> User | None:
    return cast("User | None", public["users"].get((user_id,)))
