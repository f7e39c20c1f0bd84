"""Turns the text of a value, as Postgres logs it, into the JSON that `to_jsonb` would make. Without I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import orjson

# Anything that orjson encodes. Numbers and JSON keep the exact text that Postgres sent.
Json = object
Encoder = Callable[[str], Json]
ArrayItem: TypeAlias = "str | list[ArrayItem] | None"

_NOT_A_NUMBER = frozenset(("NaN", "Infinity", "-Infinity"))


class TypeKind(StrEnum):
    """`pg_type.typtype`."""

    BASE = "b"
    COMPOSITE = "c"
    DOMAIN = "d"
    ENUM = "e"
    MULTIRANGE = "m"
    PSEUDO = "p"
    RANGE = "r"


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """The part of a row of `pg_type` that encoding needs; `element` is 0 unless the type is a true array."""

    oid: int
    name: str
    kind: TypeKind
    element: int = 0
    delimiter: str = ","
    base: int = 0
    attributes: tuple[tuple[str, int], ...] = ()


class Encoders:
    """The encoders of types, each made once.

    Arguments:
        types: the types by oid, with all types that they consist of.
    """

    def __init__(self, types: Mapping[int, TypeInfo]) -> None:
        self._types = types
        self._encoders: dict[int, Encoder] = {}

    def of_column(self, oid: int) -> Encoder:
        """Return the encoder of a column of a type.

        The hosted server drops the prefix of a `bytea`, but not that of one inside another type.
        """
        info = self._types.get(oid)
        return _bytea if info is not None and info.name == "bytea" else self.of(oid)

    def of(self, oid: int) -> Encoder:
        """Return the encoder of a type; values of unknown types are strings."""
        encoder = self._encoders.get(oid)
        if encoder is None:
            encoder = self._encoders[oid] = self._make(oid)
        return encoder

    def _make(self, oid: int) -> Encoder:
        info = self._types.get(oid)
        if info is None:
            return _string
        if info.kind is TypeKind.DOMAIN:
            return self.of(info.base)
        if info.kind is TypeKind.COMPOSITE:
            return self._composite(info)
        if info.element:
            return self._array(info)
        return _BASE.get(info.name, _string)

    def _array(self, info: TypeInfo) -> Encoder:
        element = self.of(info.element)

        def encode(text: str) -> Json:
            return _encode_items(parse_array(text, info.delimiter), element)

        return encode

    def _composite(self, info: TypeInfo) -> Encoder:
        fields = [(name, self.of(oid)) for name, oid in info.attributes]

        def encode(text: str) -> Json:
            parts = parse_composite(text)
            return {
                name: None if part is None else encoder(part)
                for (name, encoder), part in zip(fields, parts, strict=True)
            }

        return encode


def _encode_items(items: list[ArrayItem], element: Encoder) -> Json:
    return [_encode_item(item, element) for item in items]


def _encode_item(item: ArrayItem, element: Encoder) -> Json:
    if item is None:
        return None
    if isinstance(item, list):
        return _encode_items(item, element)
    return element(item)


def _string(text: str) -> Json:
    return text


def _integer(text: str) -> Json:
    return orjson.Fragment(text)


def _number(text: str) -> Json:
    return text if text in _NOT_A_NUMBER else orjson.Fragment(text)


def _boolean(text: str) -> Json:
    return text == "t"


def _json(text: str) -> Json:
    return orjson.Fragment(text)


def _bytea(text: str) -> Json:
    return text.removeprefix("\\x")


def _timestamp(text: str) -> Json:
    return text.replace(" ", "T", 1)


def _timestamptz(text: str) -> Json:
    # The replication connection runs in UTC, so the offset is always +00.
    return text.replace(" ", "T", 1).replace("+00", "+00:00", 1)


_BASE: Mapping[str, Encoder] = {
    "int2": _integer,
    "int4": _integer,
    "int8": _integer,
    "float4": _number,
    "float8": _number,
    "numeric": _number,
    "bool": _boolean,
    "json": _json,
    "jsonb": _json,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
}


def parse_array(text: str, delimiter: str = ",") -> list[ArrayItem]:
    """Read an array literal; unquoted NULL is None, nested arrays are nested lists.

    Raises `ValueError` when the text is not an array literal.
    """
    return _ArrayParser(text, delimiter).parse()


class _ArrayParser:
    __slots__ = ("_delimiter", "_position", "_text")

    def __init__(self, text: str, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter
        self._position = 0

    def parse(self) -> list[ArrayItem]:
        # Bounds that do not begin at 1 come before the value: [0:2]={1,2,3}.
        if self._text.startswith("["):
            self._position = self._text.index("=") + 1
        if self._text[self._position : self._position + 1] != "{":
            raise ValueError(f"not an array: {self._text[:40]!r}")
        return self._items()

    def _items(self) -> list[ArrayItem]:
        self._position += 1
        items: list[ArrayItem] = []
        while True:
            char = self._peek()
            if char == "}":
                self._position += 1
                return items
            if char == self._delimiter:
                self._position += 1
            elif char == "{":
                items.append(self._items())
            elif char == '"':
                items.append(self._quoted())
            else:
                items.append(self._bare())

    def _peek(self) -> str:
        if self._position >= len(self._text):
            raise ValueError("an array is cut short")
        return self._text[self._position]

    def _quoted(self) -> str:
        parts: list[str] = []
        self._position += 1
        while (char := self._peek()) != '"':
            if char == "\\":
                self._position += 1
                char = self._peek()
            parts.append(char)
            self._position += 1
        self._position += 1
        return "".join(parts)

    def _bare(self) -> str | None:
        start = self._position
        while self._peek() not in (self._delimiter, "}"):
            self._position += 1
        item = self._text[start : self._position]
        return None if item == "NULL" else item


def parse_composite(text: str) -> list[str | None]:
    """Read a composite literal such as `(1,"a b",)`; an empty field is None.

    Raises `ValueError` when the text is not a composite literal.
    """
    if not (text.startswith("(") and text.endswith(")")):
        raise ValueError(f"not a composite: {text[:40]!r}")
    fields: list[str | None] = []
    position, end = 1, len(text) - 1
    while True:
        field, position = _composite_field(text, position, end)
        fields.append(field)
        if position >= end:
            return fields
        position += 1


def _composite_field(text: str, position: int, end: int) -> tuple[str | None, int]:
    if position >= end or text[position] == ",":
        return None, position
    parts: list[str] = []
    quoted = False
    while position < end and (quoted or text[position] != ","):
        char = text[position]
        if char == "\\":
            position += 1
            parts.append(text[position])
        elif char == '"' and quoted and text[position + 1] == '"':
            position += 1
            parts.append('"')
        elif char == '"':
            quoted = not quoted
        else:
            parts.append(char)
        position += 1
    return "".join(parts), position
