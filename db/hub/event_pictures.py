"""Pictures of events: files in Storage, each in the folder of its event, made and kept as those of people.

The row of the event names the file. The database deletes it when the event shows another one, or none.
"""

from __future__ import annotations

from typing import Final

from db.caller import Caller
from db.columns import Record
from db.hub import pictures
from db.hub.events import TABLE

BUCKET: Final = "event-pictures"
LIMIT: Final = 128 * 1024
"""Bytes, as in the migration."""
SIDE: Final = 512
"""Pixels of each side of the pictures that the app makes."""


def public_path(event_id: str, picture: str) -> str:
    """Return the path of the project at which anybody can read a picture."""
    return pictures.public_path(event_id, picture, BUCKET)


def add(me: Caller, event_id: str, picture: str, content: bytes) -> None:
    """Store a picture of an event that this person hosts. Doing it twice is as once."""
    pictures.store(me, BUCKET, pictures.path_of(event_id, picture), content)


def choose(me: Caller, event_id: str, picture: str | None) -> Record:
    """Show this picture of the event from now on, or none; return the row.

    Whatever else was changed of the event meanwhile stays.
    """
    record, _ = pictures.choose_in(me, TABLE, event_id, picture)
    return record
