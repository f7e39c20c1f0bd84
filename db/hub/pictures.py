"""Pictures of people: small files in Storage, each in the folder of its person.

A row of `users` names the file (`picture`) and nothing else, so no row can lead to another host. The file is
never replaced; another picture is another file. The app makes the files (`ui/base/image.py`). Because
people can store others with their own token, whoever passes one on asks `is_small` first.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from db import rows, storage
from db.caller import Caller
from db.columns import Record
from db.errors import ConflictError, DatabaseError, DuplicateError, GoneError, InvalidValueError
from db.hub.users import TABLE

BUCKET: Final = "avatars"
LIMIT: Final = 64 * 1024
"""Bytes, as in the migration."""
MIME_TYPE: Final = "image/webp"
SIDE: Final = 256
"""Pixels of each side of the pictures that the app makes."""
LARGEST_SIDE: Final = 512
"""Pixels of each side of a picture that is passed on."""

_A_YEAR: Final = "31536000"
_LEFT_BEHIND: Final = timedelta(hours=1)
"""Younger files may be those of another tab, which has not named them yet."""
_HEAD: Final = 30
"""Bytes of a WebP file that tell its size, whichever of the three forms it has."""


def path_of(user_id: str, picture: str) -> str:
    """Return the key of a picture in the bucket."""
    return f"{user_id}/{picture}.webp"


def public_path(user_id: str, picture: str, bucket: str = BUCKET) -> str:
    """Return the path of the project at which anybody can read a picture."""
    return f"/storage/v1/object/public/{bucket}/{path_of(user_id, picture)}"


def add(me: Caller, picture: str, content: bytes) -> None:
    """Store a picture of the person. Doing it twice is as once."""
    store(me, BUCKET, path_of(me.user_id, picture), content)


def store(me: Caller, bucket: str, path: str, content: bytes) -> None:
    """Store a picture in a bucket. Doing it twice is as once."""

    def send(token: str) -> None:
        files = me.clients.storage(token).from_(bucket)
        files.upload(
            path,
            content,
            {"content-type": MIME_TYPE, "cache-control": _A_YEAR, "upsert": "false"},
        )

    try:
        storage.run(me, _refusals(), send)
    except DuplicateError:
        return


def choose(me: Caller, picture: str | None) -> tuple[Record, str | None]:
    """Show this picture of the person from now on, or none; return the row and the picture before.

    Whatever else was changed in the profile meanwhile stays.
    """
    return choose_in(me, TABLE, me.user_id, picture)


def choose_in(me: Caller, table: str, row_id: str, picture: str | None) -> tuple[Record, str | None]:
    """Name this picture in a row of a table; return the row and the picture before."""
    record = rows.find(me, table, {"id": row_id})
    if record is None:
        raise GoneError
    while record.get("picture") != picture:
        before = cast("str | None", record.get("picture"))
        version = cast("int", record["version"])
        try:
            return rows.update(me, table, {"id": row_id}, {"picture": picture}, version), before
        except ConflictError as conflict:
            record = conflict.current
    return record, None


def take_down(me: Caller, user_id: str, picture: str) -> Record:
    """Remove a picture that an admin sees, with its file; return the row.

    Another picture, chosen meanwhile, stays. Raises `NotAllowedError` for everybody but admins.
    """
    while True:
        record = rows.find(me, TABLE, {"id": user_id})
        if record is None:
            raise GoneError
        if record.get("picture") != picture:
            return record
        with suppress(ConflictError):  # something else of the profile has changed
            return rows.update(me, TABLE, {"id": user_id}, {"picture": None}, cast("int", record["version"]))


def tidy(me: Caller, now: str | None, before: str | None) -> None:
    """Delete the picture `before`, and what was left behind when a tab or a machine died.

    `now` is the picture that is shown.
    """
    mine = storage.run(
        me, _refusals(), lambda token: me.clients.storage(token).from_(BUCKET).list(me.user_id)
    )
    oldest = datetime.now(UTC) - _LEFT_BEHIND
    keys = [
        f"{me.user_id}/{file['name']}"
        for file in cast("list[Mapping[str, str]]", mine)
        if file["name"] != f"{now}.webp"
        and (file["name"] == f"{before}.webp" or datetime.fromisoformat(file["created_at"]) < oldest)
    ]
    if keys:
        storage.run(me, _refusals(), lambda token: me.clients.storage(token).from_(BUCKET).remove(keys))


def _refusals() -> Mapping[str, DatabaseError]:
    return {
        "413": InvalidValueError("This picture is too large."),
        "415": InvalidValueError("This is not a picture."),
        "403": InvalidValueError("The picture was changed often. Please try again in an hour."),
    }


def is_small(content: bytes) -> bool:
    """Whether a file is a still picture of few pixels, as the app makes them.

    A few bytes can unfold to a picture that fills the memory of everybody who looks at it.
    """
    size = size_of_webp(content)
    return content[12:16] == b"VP8 " and size is not None and max(size) <= LARGEST_SIDE


def size_of_webp(content: bytes) -> tuple[int, int] | None:
    """Return width and height from the head of a WebP file; None if it is none.

    The form: https://developers.google.com/speed/webp/docs/riff_container.
    """
    if len(content) < _HEAD or content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    match content[12:16]:
        case b"VP8 " if content[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack_from("<HH", content, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L" if content[20] == 0x2F:
            (bits,) = struct.unpack_from("<I", content, 21)
            return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        case b"VP8X":
            width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
            return width, height
    return None
