"""Writing profiles."""

from __future__ import annotations

from db import rows
from db.models import Record, Role
from db.rows import Caller

TABLE = "users"


def change(me: Caller, user_id: str, values: rows.Values, *, version: int) -> Record:
    """Change some of `display_name`, `bio` and `avatar` of a profile that was seen at this version."""
    return rows.update(me, TABLE, {"id": user_id}, values, version)


def set_role(me: Caller, user_id: str, role: Role, *, version: int) -> Record:
    """Give a person a role; only admins may."""
    return rows.update(me, TABLE, {"id": user_id}, {"role": role.value}, version)
