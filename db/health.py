"""Why there is nothing to show: asked only when there is nothing to show."""

from __future__ import annotations

import httpx
from postgrest.exceptions import APIError

from db.clients import Clients
from db.errors import DatabaseError, from_api, from_transport


def problem(clients: Clients) -> DatabaseError | None:
    """Read one row as a visitor; return what is wrong, in words, or None when that works."""
    try:
        clients.table("users").select("id").limit(1).execute()
    except APIError as error:
        return from_api(error)
    except httpx.HTTPError as error:
        return from_transport(error)
    return None
