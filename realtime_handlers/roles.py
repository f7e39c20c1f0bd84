"""What a person's feeds follow, by their role. The policies decide what they get."""

from __future__ import annotations

from db.models import Role, User
from live.tables import PublicTables


def is_admin(user_id: str, public: PublicTables) -> bool:
    """Tell whether the public tables say that this person is an admin."""
    profile = public["users"].get((user_id,))
    return isinstance(profile, User) and profile.role is Role.ADMIN


def own_unless_admin(user_id: str, public: PublicTables) -> tuple[str, ...]:
    """Follow one's own rows, and as an admin everybody's.

    With a filter on the person's own id a change costs one check of the policies, not one for each connected
    person.
    """
    return () if is_admin(user_id, public) else (f"user_id=eq.{user_id}",)
