"""The names that people give their files, and the keys under which Storage keeps them.

Keys of Storage are ASCII. A name is whatever the person wrote, so it is stored beside the file, and the key
says nothing about it: it is made from the name, so that two uploads of one name meet in one key.
"""

from __future__ import annotations

import unicodedata
import uuid
from typing import Final

from db.errors import InvalidValueError

LONGEST: Final = 300
"""Characters of a name with its folders."""

_SPACE: Final = uuid.UUID("6a1c3c3e-5f0e-4f6d-9d52-6f0b7f5d2a11")
_DIRECTIONS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They reverse the shown order of letters, so that "gpj.csv" looks like "vsc.jpg"."""


def full_name(folder: str, file_name: str) -> str:
    """Return the name of a file with its folders, as it is stored and shown.

    It is what the person wrote, in Unicode's form NFC, without what cannot be seen. A slash in the name of a
    file, which systems have for other signs, becomes a hyphen.

    Raises `InvalidValueError` when nothing is left of the file's name, or it is too long.
    """
    folders = [_clean(part) for part in folder.replace("\\", "/").split("/")]
    name = _clean(file_name.replace("/", "-"))
    if not name.rpartition(".")[0].strip("."):
        raise InvalidValueError("Give the file a name that begins before its ending, such as tasks.csv.")
    whole = "/".join([*(part for part in folders if part.strip(".")), name])
    if len(whole) > LONGEST:
        raise InvalidValueError(
            f"This name is too long: with its folder, a file has up to {LONGEST} characters."
        )
    return whole


def is_same(name: str, other: str) -> bool:
    """Tell whether two names are of one file.

    They are if they differ in Unicode form or in upper and lower case only: on many computers, one of them
    would replace the other.
    """
    return _canonical(name) == _canonical(other)


def key_for(place: str, name: str, extension: str) -> str:
    """Return the key for a file: the same for all names of one file, and another one for each other file.

    Arguments:
        place: what tells files of equal names apart: the bucket and the tenant.
        name: its name with its folders.
        extension: of ASCII letters and digits.
    """
    return f"{uuid.uuid5(_SPACE, f'{place}/{_canonical(name)}')}.{extension}"


def _canonical(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _clean(text: str) -> str:
    seen = "".join(
        character
        for character in text
        if unicodedata.category(character) not in ("Cc", "Cs") and character not in _DIRECTIONS
    )
    return unicodedata.normalize("NFC", seen).strip()
