"""Building blocks of SQL: one function quotes every name, and every value becomes a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from local_supabase.rest.names import Name

SOURCE: Final = '"pgrst_source"'


def identifier(name: str) -> str:
    """Quote a name. Like PostgREST, it cuts the name at a NUL, which no Postgres name can contain."""
    return '"' + name.split("\0", 1)[0].replace('"', '""') + '"'


def qualified(name: Name) -> str:
    """Quote a name with its schema."""
    return f"{identifier(name.schema)}.{identifier(name.name)}"


def comma(parts: list[str]) -> str:
    """Join the parts of an SQL list."""
    return ", ".join(parts)


class Parameters:
    """The parameters of a statement, numbered in the order of their use. Each method returns a reference."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: list[object] = []

    def text(self, value: str) -> str:
        """Add a text."""
        self.values.append(value)
        return f"${len(self.values)}::text"

    def cast(self, value: str, kind: Name) -> str:
        """Add a value in its text form, which the type's input function reads."""
        return f"{self.text(value)}::{qualified(kind)}"

    def texts(self, values: Sequence[str]) -> str:
        """Add an array of texts."""
        self.values.append(tuple(values))
        return f"${len(self.values)}::text[]"

    def number(self, value: int) -> str:
        """Add a 64-bit integer."""
        self.values.append(value)
        return f"${len(self.values)}::int8"

    def binary(self, value: bytes) -> str:
        """Add bytes."""
        self.values.append(value)
        return f"${len(self.values)}::bytea"
