"""People whose names look the same, and a mark that tells them apart.

Two people may have the same name, and letters of other alphabets and digits look like ours. People choose
their names, so the mark is made of what nobody chooses: the id.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Final

from db.hub.models import User

_MARK_LENGTH: Final = 6
_INVISIBLE: Final = frozenset({"Cf", "Cc", "Cn", "Mn", "Me"})
"""Categories of characters that may leave no trace. Accents that belong to a letter are composed before."""
_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
) | frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000))))
"""Characters of any category without a shape: joiners, fillers, braille without dots, selectors, tags."""
_NO_ACCENT: Final = _INVISIBLE - {"Mn", "Me"}


def marks(users: Iterable[User]) -> Mapping[str, str]:
    """Return a mark for each person whose name looks like another one's, by id."""
    by_look: defaultdict[str, list[User]] = defaultdict(list)
    for user in users:
        by_look[skeleton(user.display_name)].append(user)
    found = {user.id: _mark(user) for group in by_look.values() if len(group) > 1 for user in group}
    # Somebody may have taken the name of another one together with that one's mark.
    imitated = {skeleton(marked(user.display_name, found[user.id])): user.id for user in _of(by_look, found)}
    for look in imitated.keys() & by_look.keys():
        found |= {user.id: _mark(user) for user in by_look[look]}
    return found


def _of(groups: Mapping[str, list[User]], ids: Mapping[str, str]) -> Iterable[User]:
    return (user for group in groups.values() for user in group if user.id in ids)


def _mark(user: User) -> str:
    return user.id.replace("-", "")[:_MARK_LENGTH]


def marked(name: str, mark: str) -> str:
    """Return a name with its mark."""
    return f"{name} · {mark}"


@lru_cache(65_536)
def skeleton(name: str) -> str:
    """Return a text that is the same for all names that look the same, by the table of UTS 39.

    Upper and lower case look the same, too, and spaces of any kind and number.
    """
    # Before the accents are composed: what cannot be seen would keep them from their letters.
    name = "".join(
        character
        for character in name
        if character not in _BLANK and unicodedata.category(character) not in _NO_ACCENT
    )
    # The table knows letters that NFKC would turn into others that look different.
    text = unicodedata.normalize("NFKC", _prototypes(unicodedata.normalize("NFC", name)))
    text = "".join(character for character in text if unicodedata.category(character) not in _INVISIBLE)
    # A capital I looks like a small l, and a small i does not: so before and after the case is dropped.
    text = _prototypes(_prototypes(text).casefold())
    return " ".join(text.split())


def _prototypes(text: str) -> str:
    table = _table()
    return "".join(table.get(character, character) for character in text)


@cache
def _table() -> Mapping[str, str]:
    """Return the text that stands for each character that looks like another one.

    The library lists for each text those that look like it, in both directions. The one with the most
    neighbours stands for all of them.
    """
    from confusable_homoglyphs.confusables import confusables_data  # it takes a tenth of a second to load

    neighbours = {text: [other["c"] for other in others] for text, others in confusables_data.items()}
    return {
        text: min((text, *others), key=lambda other: (-len(neighbours.get(other, ())), other))
        for text, others in neighbours.items()
        if len(text) == 1
    }
