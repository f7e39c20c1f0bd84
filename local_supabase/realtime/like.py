"""SQL's `like` without backtracking.

Patterns come from clients, and some would make a regular expression run for ever. The app's engine has a
matcher for the same reason, which this package must not import. This one also knows its cost before it
starts, so that the event loop never waits for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# A pattern and a text may cost so many comparisons of characters, about a millisecond.
_MAX_COST = 200_000
_CACHED_PATTERNS = 1024


class UnfinishedEscapeError(ValueError):
    """A pattern ends with a backslash that escapes nothing."""


class TooCostlyError(Exception):
    """A pattern and a text that take too long to compare on the event loop."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What lies between two `%`. `expression` replaces `text` when it has a `_`; it has no repetition."""

    text: str
    expression: re.Pattern[str] | None

    @property
    def length(self) -> int:
        return len(self.text)

    def find(self, value: str, start: int, end: int) -> int:
        """Return where the piece first lies in a part of a value, or -1."""
        if self.expression is None:
            # Linear whatever the two are.
            return value.find(self.text, start, end)
        found = self.expression.search(value, start, end)
        return found.start() if found else -1

    def lies_at(self, value: str, position: int) -> bool:
        if self.expression is None:
            return value.startswith(self.text, position)
        return self.expression.match(value, position) is not None


def check_pattern(pattern: str) -> None:
    """Raise `UnfinishedEscapeError` when a pattern ends inside an escape."""
    _pieces(pattern)


def like(pattern: str, value: str) -> bool:
    """Return whether a value matches a pattern: `%` stands for any text, `_` for a character.

    Raises:
        UnfinishedEscapeError: the pattern ends with a backslash that escapes nothing.
        TooCostlyError: it would take too long.
    """
    pieces = _pieces(pattern)
    if sum(piece.length for piece in pieces if piece.expression) * len(value) > _MAX_COST:
        raise TooCostlyError
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return first.length == len(value) and first.lies_at(value, 0)
    start, end = first.length, len(value) - last.length
    if start > end or not first.lies_at(value, 0) or not last.lies_at(value, end):
        return False
    for piece in pieces[1:-1]:
        # The first place is as good as any: what follows has the most room then.
        found = piece.find(value, start, end)
        if found < 0:
            return False
        start = found + piece.length
    return True


@lru_cache(_CACHED_PATTERNS)
def _pieces(pattern: str) -> tuple[_Piece, ...]:
    pieces: list[list[tuple[str, bool]]] = [[]]
    for character, wild in _characters(pattern):
        if wild and character == "%":
            pieces.append([])
        else:
            pieces[-1].append((character, wild))
    return tuple(_piece(characters) for characters in pieces)


def _characters(pattern: str) -> Iterator[tuple[str, bool]]:
    """Yield each character of a pattern, and whether it stands for others."""
    escaped = False
    for character in pattern:
        if escaped:
            yield character, False
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            yield character, character in "%_"
    if escaped:
        raise UnfinishedEscapeError("LIKE pattern must not end with escape character")


def _piece(characters: list[tuple[str, bool]]) -> _Piece:
    text = "".join(character for character, _ in characters)
    if not any(wild for _, wild in characters):
        return _Piece(text, None)
    expression = "".join("." if wild else re.escape(character) for character, wild in characters)
    return _Piece(text, re.compile(expression, re.DOTALL))
