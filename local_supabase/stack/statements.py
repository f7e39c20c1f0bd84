"""Splits an SQL script into its statements, as psql does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A character that starts none of these tokens is a token by itself.
_TOKEN = re.compile(
    r"""
    (?P<line_comment>--[^\n]*)
  | (?P<block_comment>/\*)
  | (?P<escape_string>(?<![A-Za-z0-9_$])[eE]'(?:[^'\\]|\\.|'')*'?)
  | (?P<string>'(?:[^']|'')*'?)
  | (?P<identifier>"(?:[^"]|"")*"?)
  | (?P<dollar>(?<![A-Za-z0-9_$])\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$)
  | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
  | (?P<number>\d[\w.]*)
  | (?P<open>[(\[])
  | (?P<close>[)\]])
  | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon, and the line on which it begins, counted from 1."""

    text: str
    line: int


def split(script: str) -> list[Statement]:
    """Return the statements of a script.

    A semicolon inside a string, quoted name, comment, dollar quote, parentheses or a `begin atomic … end`
    body does not end a statement.
    """
    statements = []
    for begin, end in _spans(script):
        text = script[begin:end]
        skipped = len(text) - len(text.lstrip())
        if text.strip():
            statements.append(Statement(text.strip(), script.count("\n", 0, begin + skipped) + 1))
    return statements


def _spans(script: str) -> Iterator[tuple[int, int]]:
    scanner = _Scanner(script)
    begin: int | None = None
    position = 0
    while position < len(script):
        match = _TOKEN.match(script, position)
        kind = match.lastgroup if match else None
        after = scanner.after(kind, match, position)
        if kind == "end" and scanner.is_outside():
            if begin is not None:
                yield begin, position
            begin = None
            scanner.reset()
        elif (
            begin is None
            and kind not in {"line_comment", "block_comment", "end"}
            and not script[position].isspace()
        ):
            begin = position
        position = after
    if begin is not None:
        yield begin, len(script)


class _Scanner:
    """Tracks the nesting inside one statement."""

    def __init__(self, script: str) -> None:
        self._script = script
        self.reset()

    def reset(self) -> None:
        self._depth = 0
        self._blocks = 0
        self._previous = ""

    def is_outside(self) -> bool:
        return self._depth == 0 and self._blocks == 0

    def after(self, kind: str | None, match: re.Match[str] | None, position: int) -> int:
        """Process a token and return where the next one begins."""
        if match is None or kind is None:
            return position + 1
        if kind == "block_comment":
            return self._comment_end(match.end())
        if kind == "dollar":
            closing = self._script.find(match[0], match.end())
            return len(self._script) if closing < 0 else closing + len(match[0])
        if kind == "open":
            self._depth += 1
        elif kind == "close":
            self._depth = max(0, self._depth - 1)
        elif kind == "word":
            self._track_block(match[0].lower())
        return match.end()

    def _track_block(self, word: str) -> None:
        if (word == "atomic" and self._previous == "begin") or (self._blocks and word == "case"):
            self._blocks += 1
        elif self._blocks and word == "end":
            self._blocks -= 1
        self._previous = word

    def _comment_end(self, position: int) -> int:
        # Postgres' block comments nest.
        depth = 1
        for edge in _COMMENT_EDGE.finditer(self._script, position):
            depth += 1 if edge[0] == "/*" else -1
            if depth == 0:
                return edge.end()
        return len(self._script)
