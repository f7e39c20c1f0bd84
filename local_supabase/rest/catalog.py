"""What the database has that requests can name: tables, columns, keys, relationships and functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Name(NamedTuple):
    """A schema-qualified name."""

    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Type:
    """A type, and what a text must be cast to so that it means the same as an untyped literal."""

    name: Name
    base: Name
    array: Name | None
    label: str = ""
    # Functions of a domain's representation: how its values are shown, and read from a body and from a URL.
    to_json: Name | None = None
    from_json: Name | None = None
    from_text: Name | None = None

    @property
    def is_json(self) -> bool:
        """Whether `->` works on it as it is."""
        return self.name in {JSON, JSONB}


MEDIA_TYPE = re.compile(r"[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+")
PG: str = "pg_catalog"
TEXT = Name(PG, "text")
JSON = Name(PG, "json")
JSONB = Name(PG, "jsonb")
TSVECTOR = Name(PG, "tsvector")
BYTEA = Name(PG, "bytea")
TEXT_TYPE = Type(TEXT, TEXT, Name(PG, "_text"), "text")
JSONB_TYPE = Type(JSONB, JSONB, Name(PG, "_jsonb"), "jsonb")
JSON_TYPE = Type(JSON, JSON, Name(PG, "_json"), "json")


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `default` is the SQL expression the catalog has for it."""

    name: str
    type: Type
    nullable: bool = True
    default: str | None = None
    description: str | None = None
    max_length: int | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view, materialized view, foreign table or partitioned table."""

    name: Name
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    is_view: bool = False
    insertable: bool = True
    updatable: bool = True
    deletable: bool = True
    description: str | None = None


class Cardinality(Enum):
    """How many rows stand on each side; in the order in which PostgREST sorts them."""

    ONE_TO_MANY = "one-to-many"
    MANY_TO_ONE = "many-to-one"
    ONE_TO_ONE = "one-to-one"
    MANY_TO_MANY = "many-to-many"


@dataclass(frozen=True, slots=True)
class Junction:
    """The table in the middle of a many-to-many relationship; columns as pairs (outer's, junction's)."""

    table: Name
    constraint: str
    foreign_constraint: str
    columns: tuple[tuple[str, str], ...]
    foreign_columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Relationship:
    """A way from one table to another: a foreign key, a junction, or a function of the row (computed)."""

    table: Name
    foreign: Name
    cardinality: Cardinality
    constraint: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    junction: Junction | None = None
    function: Name | None = None
    is_view: bool = False
    foreign_is_view: bool = False

    @property
    def to_one(self) -> bool:
        """Whether at most one row is on the far side."""
        return self.cardinality in {Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_ONE}

    @property
    def to_self(self) -> bool:
        """Whether both sides are the same table."""
        return self.table == self.foreign


class Volatility(Enum):
    """What a function may do."""

    IMMUTABLE = "i"
    STABLE = "s"
    VOLATILE = "v"


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input parameter; an unnamed one has the name ''."""

    name: str
    type: Type
    required: bool = True
    variadic: bool = False


class Returns(Enum):
    """The shape of what a function returns."""

    VOID = "void"
    SCALAR = "scalar"
    COMPOSITE = "composite"


@dataclass(frozen=True, slots=True)
class Routine:
    """A function that can be called; `target` is the table its rows belong to, if it is one."""

    name: Name
    parameters: tuple[Parameter, ...]
    returns: Returns
    set_of: bool
    type: Name
    target: Name | None = None
    volatility: Volatility = Volatility.VOLATILE
    columns: Mapping[str, Column] = field(default_factory=dict)
    timeout: str | None = None
    description: str | None = None

    @property
    def single(self) -> bool:
        """Whether it gives one value or row, not a set."""
        return not self.set_of

    @property
    def media_type(self) -> str | None:
        """The media type its value is of: it returns a domain with the name of one, such as "text/plain"."""
        named = self.returns is Returns.SCALAR and self.single and MEDIA_TYPE.fullmatch(self.type.name)
        return self.type.name if named else None

    @property
    def gives_bytes(self) -> bool:
        """Whether its value is of bytea, or a domain over it."""
        return any(column.type.base == BYTEA for column in self.columns.values())


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything requests can name, at one moment."""

    schemas: tuple[str, ...]
    tables: Mapping[Name, Table]
    relationships: Mapping[Name, tuple[Relationship, ...]]
    routines: Mapping[Name, tuple[Routine, ...]]
    computed: Mapping[Name, Mapping[str, Type]]
    role_settings: Mapping[str, tuple[tuple[str, str], ...]]
    types: frozenset[Name] = frozenset()
    schema_descriptions: Mapping[str, str] = field(default_factory=dict)

    def columns_of(self, table: Name) -> Mapping[str, Column]:
        """Return the columns of a table that is exposed; nothing for one that is not."""
        found = self.tables.get(table)
        return found.columns if found is not None else {}
