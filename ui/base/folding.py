"""Texts as people type and look for them: without accents, in either case, with plain quotes and dashes.

Every search, every sorted list and every chooser of names goes through this module. Letters of other
alphabets stay as they are, because a reading of them is a guess. `lookalikes` asks another question: which
names look the same.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from anyascii import anyascii

_PARTS_OF_LETTERS: Final = frozenset({0, 7, 8, 9})
"""Combining classes that are no accents: vowel signs, nuktas, the voicing of kana, viramas."""
_APOSTROPHES: Final = frozenset("‘’‛ʼ")
_SELECT_BOXES_FOLD: Final = threading.Event()


def fold(text: str) -> str:
    """Return a text that is the same for all spellings that people take for the same: `Jose` for `José`."""
    return text.lower() if text.isascii() else plain(text).casefold()


def plain(text: str) -> str:
    """Write a text without accents, Latin letters as ASCII, and with the quotes and dashes of a keyboard."""
    if text.isascii():
        return text
    letters = (
        anyascii(character) if _has_plain_form(character) else character
        for character in unicodedata.normalize("NFKD", text)
        if unicodedata.combining(character) in _PARTS_OF_LETTERS
    )
    return unicodedata.normalize("NFC", "".join(letters))


def _has_plain_form(character: str) -> bool:
    return not character.isascii() and (
        _is_latin(character) or "\u2010" <= character <= "\u203a" or character in _APOSTROPHES
    )


def _is_latin(character: str) -> bool:
    return unicodedata.name(character, "").startswith("LATIN ")


def matches(text: str, query: str) -> bool:
    """Tell whether a text has every word of a query."""
    return not query.strip() or has_words(fold(text), query)


def has_words(folded: str, query: str) -> bool:
    """Tell whether a text that is folded already has every word of a query."""
    return all(word in folded for word in fold(query).split())


@lru_cache(65_536)
def sort_key(name: str) -> tuple[str, str]:
    """Return the key that sorts a name where people look for it: `Ángel` beside `Angel`."""
    return fold(name), name


def as_option(name: str) -> str:
    """Return the label of a name in a select box.

    It is found by any spelling only if the page has Tavern's search (`frontend/search.py`), which the server
    `asgi.py` says with `select_boxes_fold`. Streamlit's own looks for the letters as they are written. For it
    the label also holds what people type who have no such letters on their keyboard: `Łukasz (Lukasz)`.
    """
    composed = unicodedata.normalize("NFC", name)
    if not _SELECT_BOXES_FOLD.is_set() and any(_is_typed_otherwise(character) for character in composed):
        return f"{composed} ({plain(name)})"
    return composed


def _is_typed_otherwise(character: str) -> bool:
    return not character.isascii() and (character in _APOSTROPHES or _is_latin(character))


def select_boxes_fold() -> None:
    """Say that select boxes find a name by any spelling, in this process."""
    _SELECT_BOXES_FOLD.set()


def plain_characters() -> Mapping[str, str]:
    """Return what `plain` makes of each single character that it changes, for scripts in the browser.

    Unicode's own forms (NFKD) come first there, so those are left out.
    """
    characters = map(chr, (*range(0x80, 0xD800), *range(0xE000, 0x10000)))
    return {
        character: plain(character)
        for character in characters
        if unicodedata.normalize("NFKD", character) == character and plain(character) != character
    }
