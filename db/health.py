"""Why a start page has nothing to show. Called only when there is nothing to show."""

from __future__ import annotations

from db.clients import Clients
from db.errors import DatabaseError, translated


def problem(clients: Clients) -> DatabaseError | None:
    """Read one row as a visitor; return the error, None if the project answers."""
    try:
        with translated():
            clients.table("users").select("id").limit(1).execute()
    except DatabaseError as error:
        return error
    return None
