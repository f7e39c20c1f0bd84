"""Where browsers find the pictures of people and events.

The server sends them itself (`api/pictures.py`), so no viewer's browser calls another host. Streamlit Cloud
runs the pages without that server's routes. There, browsers read them from the Storage of the project.
"""

from __future__ import annotations

from typing import Final

from db.hub import event_pictures
from db.hub.models import Event, User
from db.hub.pictures import path_of, public_path

PATH: Final = "avatars"
"""The path of the server's pictures, relative to the pages, as links are (`ui/base/links.py`)."""
EVENTS_PATH: Final = "event-pictures"
"""The same for the pictures of events."""


class _Process:
    """Who sends pictures to the browsers that this process serves."""

    sent_by_server: bool = False
    project: str | None = None


def send_from_here() -> None:
    """Note that the server of the pages sends pictures as well."""
    _Process.sent_by_server = True


def server_has_api() -> bool:
    """Return whether the server of the pages has the HTTP API beside them, as `asgi.py` has."""
    return _Process.sent_by_server


def kept_in(project: str) -> None:
    """Note the URL of the project whose Storage keeps the pictures."""
    _Process.project = project


def address_of_event(event: Event) -> str:
    """Return the address of an event's picture, and no text if it has none."""
    if not event.picture:
        return ""
    if _Process.sent_by_server:
        return f"{EVENTS_PATH}/{path_of(event.id, event.picture)}"
    path = event_pictures.public_path(event.id, event.picture)
    return f"{_Process.project}{path}" if _Process.project else ""


def address_of(user: User) -> str:
    """Return the address of a person's picture, and no text if they have none."""
    if not user.picture:
        return ""
    if _Process.sent_by_server:
        return f"{PATH}/{path_of(user.id, user.picture)}"
    return f"{_Process.project}{public_path(user.id, user.picture)}" if _Process.project else ""
