"""A small parser combinator library with Parsec's rules for errors.

PostgREST parses query strings with Haskell's Parsec and answers a bad one with Parsec's error message
(`unexpected "x" expecting operator (eq, gt, ...)`). Clients show these messages and test suites compare them.
So this library keeps the same books: a parser reports whether it consumed input, and merges what it expected.
Source: the parsec package, modules Text.Parsec.Prim and Text.Parsec.Error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, NamedTuple, TypeVar, overload

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
V = TypeVar("V")
W = TypeVar("W")
X = TypeVar("X")


class Kind(IntEnum):
    """The kind of a message. The values give the order in which messages are shown."""

    SYSTEM_UNEXPECTED = 0
    UNEXPECTED = 1
    EXPECTED = 2


class Message(NamedTuple):
    """One thing that was unexpected or expected at a position."""

    kind: Kind
    text: str


class Failure(NamedTuple):
    """The messages about the input at one position."""

    position: int
    messages: tuple[Message, ...]


class Outcome(NamedTuple, Generic[T_co]):
    """The result of running a parser at a position."""

    consumed: bool
    ok: bool
    value: T_co
    position: int
    failure: Failure | None


class ParseFailedError(Exception):
    """The text does not follow the grammar.

    Arguments:
        text: the text.
        failure: where and why it failed.
    """

    def __init__(self, text: str, failure: Failure) -> None:
        super().__init__(f"column {failure.position + 1}")
        self.text = text
        self.failure = failure

    @property
    def place(self) -> str:
        """`(line 1, column 5)`, as Parsec shows a position."""
        line, column = 1, 1
        for character in self.text[: self.failure.position]:
            if character == "\n":
                line, column = line + 1, 1
            elif character == "\t":
                column += 8 - (column - 1) % 8
            else:
                column += 1
        return f"(line {line}, column {column})"

    @property
    def explanation(self) -> str:
        """`unexpected "x" expecting "a" or "b"`."""
        return explain(self.failure)


def explain(failure: Failure) -> str:
    """Return Parsec's message for a failure."""
    if not failure.messages:
        return "unknown parse error"
    system = [m.text for m in failure.messages if m.kind is Kind.SYSTEM_UNEXPECTED]
    unexpected = [m.text for m in failure.messages if m.kind is Kind.UNEXPECTED]
    expected = [m.text for m in failure.messages if m.kind is Kind.EXPECTED]
    parts: list[str] = []
    if system and not unexpected:
        parts.append("unexpected " + (system[0] or "end of input"))
    if joined := _commas_or(unexpected):
        parts.append("unexpected " + joined)
    if joined := _commas_or(expected):
        parts.append("expecting " + joined)
    return " ".join(parts)


def _commas_or(texts: list[str]) -> str:
    unique = [text for text in dict.fromkeys(texts) if text]
    if len(unique) < 2:
        return "".join(unique)
    return ", ".join(unique[:-1]) + " or " + unique[-1]


def _merge(first: Failure | None, second: Failure | None) -> Failure | None:
    if second is None or not second.messages:
        return first if first is not None and first.messages else (second or first)
    if first is None or not first.messages:
        return second
    if first.position == second.position:
        return Failure(first.position, first.messages + second.messages)
    return first if first.position > second.position else second


@dataclass(frozen=True, slots=True)
class Parser(Generic[T_co]):
    """A grammar rule whose value is a T_co."""

    run: Callable[[str, int], Outcome[T_co]]

    def __or__(self, other: Parser[U]) -> Parser[T_co | U]:
        first, second = self, other

        def run(text: str, at: int) -> Outcome[T_co | U]:
            outcome = first.run(text, at)
            if outcome.ok or outcome.consumed:
                return outcome
            alternative = second.run(text, at)
            if alternative.consumed:
                return alternative
            return alternative._replace(failure=_merge(outcome.failure, alternative.failure))

        return Parser(run)

    def map(self, function: Callable[[T_co], U]) -> Parser[U]:
        """Apply a function to this rule's value."""
        inner = self.run

        def run(text: str, at: int) -> Outcome[U]:
            outcome = inner(text, at)
            if not outcome.ok:
                return outcome  # type: ignore[return-value]  # the value of a failed outcome is never read
            return outcome._replace(value=function(outcome.value))  # type: ignore[return-value,arg-type]

        return Parser(run)

    def named(self, name: str) -> Parser[T_co]:
        """Use this name in messages about where the rule could have started (Parsec's `<?>`)."""
        inner = self.run
        expected = Message(Kind.EXPECTED, name)

        def run(text: str, at: int) -> Outcome[T_co]:
            outcome = inner(text, at)
            if outcome.consumed or outcome.failure is None:
                return outcome
            if outcome.ok and not outcome.failure.messages:
                return outcome
            others = tuple(m for m in outcome.failure.messages if m.kind is not Kind.EXPECTED)
            return outcome._replace(failure=Failure(outcome.failure.position, (expected, *others)))

        return Parser(run)

    def before(self, other: Parser[U]) -> Parser[T_co]:
        """Run this rule, then another, and return the value of this one."""
        return seq(self, other).map(lambda pair: pair[0])

    def then(self, other: Parser[U]) -> Parser[U]:
        """Run this rule, then another, and return the value of the other."""
        return seq(self, other).map(lambda pair: pair[1])

    def between(self, opening: Parser[Any], closing: Parser[Any]) -> Parser[T_co]:
        """Run this rule between two others and return its value."""
        return seq(opening, self, closing).map(lambda triple: triple[1])

    def optional(self) -> Parser[T_co | None]:
        """Return None where this rule cannot start."""
        return self | pure(None)

    def parse(self, text: str) -> T_co:
        """Parse the beginning of a text. What follows is ignored, unless the rule ends with `eof`.

        Raises:
            ParseFailedError: the text does not follow the rule.
        """
        outcome = self.run(text, 0)
        if not outcome.ok:
            raise ParseFailedError(text, outcome.failure or Failure(outcome.position, ()))
        return outcome.value


@overload
def seq(a: Parser[T], b: Parser[U], /) -> Parser[tuple[T, U]]: ...
@overload
def seq(a: Parser[T], b: Parser[U], c: Parser[V], /) -> Parser[tuple[T, U, V]]: ...
@overload
def seq(a: Parser[T], b: Parser[U], c: Parser[V], d: Parser[W], /) -> Parser[tuple[T, U, V, W]]: ...
@overload
def seq(
    a: Parser[T], b: Parser[U], c: Parser[V], d: Parser[W], e: Parser[X], /
) -> Parser[tuple[T, U, V, W, X]]: ...
@overload
def seq(*parsers: Parser[Any]) -> Parser[tuple[Any, ...]]: ...
def seq(*parsers: Parser[Any]) -> Parser[Any]:
    """Run rules one after the other and return all their values."""
    runs = tuple(parser.run for parser in parsers)

    def run(text: str, at: int) -> Outcome[Any]:
        consumed = False
        failure: Failure | None = None
        values: list[Any] = []
        for inner in runs:
            outcome = inner(text, at)
            if outcome.consumed:
                consumed, failure = True, outcome.failure
            else:
                failure = _merge(failure, outcome.failure)
            if not outcome.ok:
                return Outcome(consumed, False, None, at, failure)
            at = outcome.position
            values.append(outcome.value)
        return Outcome(consumed, True, tuple(values), at, failure)

    return Parser(run)


def pure(value: T) -> Parser[T]:
    """Return a value without reading input."""
    return Parser(lambda _text, at: Outcome(False, True, value, at, None))


def attempt(parser: Parser[T]) -> Parser[T]:
    """Consume nothing if the rule fails (Parsec's `try`)."""
    inner = parser.run

    def run(text: str, at: int) -> Outcome[T]:
        outcome = inner(text, at)
        return outcome if outcome.ok else outcome._replace(consumed=False, position=at)

    return Parser(run)


def look_ahead(parser: Parser[T]) -> Parser[T]:
    """Run a rule without consuming input if it succeeds."""
    inner = parser.run

    def run(text: str, at: int) -> Outcome[T]:
        outcome = inner(text, at)
        return Outcome(False, True, outcome.value, at, None) if outcome.ok else outcome

    return Parser(run)


def lazy(supplier: Callable[[], Parser[T]]) -> Parser[T]:
    """Refer to a rule that is defined later, for recursion."""
    return Parser(lambda text, at: supplier().run(text, at))


def quoted(text: str) -> str:
    """Show a text as Haskell does, in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(c if 32 <= ord(c) < 127 else f"\\{_CONTROLS.get(c) or ord(c)}" for c in escaped)
    return f'"{shown}"'


_CONTROLS = {"\n": "n", "\t": "t", "\r": "r", "\v": "v", "\f": "f", "\b": "b", "\a": "a", "\x7f": "DEL"}


def literal(word: str) -> Parser[str]:
    """Match a word (Parsec's `string`). It consumes input if the first character matches."""
    expected = Message(Kind.EXPECTED, quoted(word))
    size = len(word)

    def run(text: str, at: int) -> Outcome[str]:
        if text.startswith(word, at):
            return Outcome(True, True, word, at + size, None)
        matched = 0
        while at + matched < len(text) and text[at + matched] == word[matched]:
            matched += 1
        found = quoted(text[at + matched]) if at + matched < len(text) else ""
        failure = Failure(at, (expected, Message(Kind.SYSTEM_UNEXPECTED, found)))
        return Outcome(matched > 0, False, "", at, failure)

    return Parser(run)


def char(character: str) -> Parser[str]:
    """Match one character."""
    return one_of_pattern(re.escape(character), quoted(character))


def one_of_pattern(pattern: str, *names: str) -> Parser[str]:
    """Match one character of a class, written as a regular expression."""
    matches = re.compile(pattern, re.DOTALL).match
    expected = tuple(Message(Kind.EXPECTED, name) for name in names)

    def run(text: str, at: int) -> Outcome[str]:
        found = matches(text, at)
        if found is not None:
            return Outcome(True, True, found[0], found.end(), None)
        return Outcome(False, False, "", at, _unexpected(text, at, expected))

    return Parser(run)


def span(pattern: str, *names: str, at_least: int = 1) -> Parser[str]:
    """Match as many characters of a class as possible (Parsec's `many` and `many1` of a `satisfy`)."""
    matches = re.compile(f"(?:{pattern})*", re.DOTALL).match
    expected = tuple(Message(Kind.EXPECTED, name) for name in names)

    def run(text: str, at: int) -> Outcome[str]:
        found = matches(text, at)
        end = found.end() if found else at
        failure = _unexpected(text, end, expected)
        if end - at < at_least:
            return Outcome(False, False, "", at, failure)
        return Outcome(end > at, True, text[at:end], end, failure)

    return Parser(run)


def _unexpected(text: str, at: int, expected: tuple[Message, ...]) -> Failure:
    found = quoted(text[at]) if at < len(text) else ""
    return Failure(at, (*expected, Message(Kind.SYSTEM_UNEXPECTED, found)))


def many(parser: Parser[T]) -> Parser[list[T]]:
    """Run a rule until it cannot start. It must consume input each time."""
    inner = parser.run

    def run(text: str, at: int) -> Outcome[list[T]]:
        values: list[T] = []
        consumed = False
        while True:
            outcome = inner(text, at)
            if not outcome.ok:
                if outcome.consumed:
                    return outcome._replace(value=values)  # type: ignore[return-value,arg-type]
                return Outcome(consumed, True, values, at, outcome.failure)
            values.append(outcome.value)
            at, consumed = outcome.position, True

    return Parser(run)


def separated(parser: Parser[T], separator: Parser[Any]) -> Parser[list[T]]:
    """Match a rule once or more, with a separator in between (Parsec's `sepBy1`)."""
    return seq(parser, many(separator.then(parser))).map(lambda pair: [pair[0], *pair[1]])


def not_followed_by(pattern: str) -> Parser[None]:
    """Fail if the next character is of a class."""
    matches = re.compile(pattern, re.DOTALL).match

    def run(text: str, at: int) -> Outcome[None]:
        found = matches(text, at)
        if found is None:
            return Outcome(False, True, None, at, None)
        shown = "'" + quoted(found[0])[1:-1].replace('\\"', '"') + "'"
        return Outcome(False, False, None, at, Failure(at, (Message(Kind.UNEXPECTED, shown),)))

    return Parser(run)


def _eof(text: str, at: int) -> Outcome[None]:
    if at == len(text):
        return Outcome(False, True, None, at, None)
    shown = "'" + quoted(text[at])[1:-1].replace('\\"', '"') + "'"
    return Outcome(False, False, None, at, Failure(at, (Message(Kind.UNEXPECTED, shown),)))


eof: Parser[None] = Parser(_eof).named("end of input")


def fail_if(parser: Parser[T], refused: Callable[[T], bool]) -> Parser[T]:
    """Fail without a message if the value is refused (Haskell's `guard`)."""
    inner = parser.run

    def run(text: str, at: int) -> Outcome[T]:
        outcome = inner(text, at)
        if outcome.ok and refused(outcome.value):
            return outcome._replace(ok=False)
        return outcome

    return Parser(run)
