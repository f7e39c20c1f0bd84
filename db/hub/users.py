"""Writing profiles."""

from __future__ import annotations

from db import rows
from db.caller import Caller
from db.columns import Record
from db.hub.models import Role

TABLE = "users"


def change(me: Caller, user_id: str, values: rows.Values, *, version: int) -> Record:
    """Change `display_name`, `bio` or `avatar` of a profile that this person saw at `version`."""
    return rows.update(me, TABLE, {"id": user_id}, values, version)


def set_role(me: Caller, user_id: str, role: Role, *, version: int) -> Record:
    """Give a person a role; only admins may."""
    return rows.update(me, TABLE, {"id": user_id}, {"role": role.value}, version)
