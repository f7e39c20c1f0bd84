"""Which rows a person's feeds subscribe to, by their role. The database's policies decide what they get."""

from __future__ import annotations

from typing import Final, cast

from db.hub.models import Role, User
from livetables.tables.spec import PublicTables

__all__ = ["RIGHTS_TABLES", "is_admin", "own_rows", "own_rows_unless_admin", "permission_version"]

RIGHTS_TABLES: Final = frozenset(("users", "rating_roles"))
"""The public tables in which a person's own row, whose key is their id, says what they may read."""


def is_admin(user_id: str, public: PublicTables) -> bool:
    """Whether the public tables say that this person is an admin."""
    profile = _profile(user_id, public)
    return profile is not None and profile.role is Role.ADMIN


def permission_version(user_id: str, public: PublicTables) -> int:
    """Return the version of the person's profile, which grows with every change of their role."""
    profile = _profile(user_id, public)
    return profile.version if profile else 0


def own_rows(user_id: str, _public: PublicTables) -> tuple[str, ...]:
    """Subscribe to the person's own rows.

    With a filter on the person's own id, Realtime checks the policies of a change once, and not once for
    every connected person.
    """
    return (f"user_id=eq.{user_id}",)


def own_rows_unless_admin(user_id: str, public: PublicTables) -> tuple[str, ...]:
    """Subscribe an admin to all rows, everybody else to their own."""
    return () if is_admin(user_id, public) else own_rows(user_id, public)


def _profile(user_id: str, public: PublicTables) -> User | None:
    return cast("User | None", public["users"].get((user_id,)))
