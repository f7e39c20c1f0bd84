"""The catalog's values: tables, columns, keys, relationships and functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from local_supabase.rest.names import Name


@dataclass(frozen=True, slots=True)
class Type:
    """A type.

    Arguments:
        name: its name.
        base: the type under a domain, else the same name. A text cast to it equals an untyped literal.
        array: the type of arrays of it, if there is one.
        label: its name for people, as `format_type` gives it.
        to_json: the function of a domain representation that shows a value.
        from_json: the function of a domain representation that reads a value from a body.
        from_text: the function of a domain representation that reads a value from a URL.
    """

    name: Name
    base: Name
    array: Name | None
    label: str = ""
    to_json: Name | None = None
    from_json: Name | None = None
    from_text: Name | None = None

    @property
    def is_json(self) -> bool:
        """Whether `->` works on it without a cast."""
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
    """A column.

    Arguments:
        name: its name.
        type: its type.
        nullable: whether it may be null.
        default: the SQL expression of its default.
        description: its comment.
        max_length: the most characters of its text.
        values: the labels of its enum type.
    """

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
    """How many rows each side of a relationship has. The order of the members is PostgREST's."""

    ONE_TO_MANY = "one-to-many"
    MANY_TO_ONE = "many-to-one"
    ONE_TO_ONE = "one-to-one"
    MANY_TO_MANY = "many-to-many"


@dataclass(frozen=True, slots=True)
class Junction:
    """The table between the sides of a many-to-many relationship. Columns are pairs (side, junction)."""

    table: Name
    constraint: str
    foreign_constraint: str
    columns: tuple[tuple[str, str], ...]
    foreign_columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship between two tables: a foreign key, a junction, or a function (computed relationship)."""

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
    """A function's volatility, as in `pg_proc.provolatile`."""

    IMMUTABLE = "i"
    STABLE = "s"
    VOLATILE = "v"


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input parameter. The name of an unnamed one is empty."""

    name: str
    type: Type
    required: bool = True
    variadic: bool = False


class Returns(Enum):
    """The kind of a function's result."""

    VOID = "void"
    SCALAR = "scalar"
    COMPOSITE = "composite"


@dataclass(frozen=True, slots=True)
class Routine:
    """A function that can be called.

    Arguments:
        name: its name.
        parameters: its input parameters.
        returns: the kind of its result.
        set_of: whether it returns a set.
        type: the type of its result, or of the rows of its result.
        target: the table whose rows it returns, if there is one.
        volatility: its volatility.
        columns: the columns of its result.
        timeout: its own `statement_timeout`.
        description: its comment.
    """

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
        """Whether it returns one value or row, not a set."""
        return not self.set_of

    @property
    def media_type(self) -> str | None:
        """The media type of its value: the name of the domain that it returns, such as "text/plain"."""
        named = self.returns is Returns.SCALAR and self.single and MEDIA_TYPE.fullmatch(self.type.name)
        return self.type.name if named else None

    @property
    def returns_bytes(self) -> bool:
        """Whether its value is a bytea, or a domain over bytea."""
        return any(column.type.base == BYTEA for column in self.columns.values())


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that requests can name, at one moment.

    Arguments:
        schemas: the exposed schemas; the first one is the default.
        tables: tables and views of the exposed schemas.
        relationships: by the table at their near side.
        routines: functions of the exposed schemas, with their overloads.
        computed: the computed columns of each table.
        role_settings: the settings by `alter role ... set` of each role, as names and values.
        types: the names of all types.
        schema_descriptions: the comments of the exposed schemas.
    """

    schemas: tuple[str, ...]
    tables: Mapping[Name, Table]
    relationships: Mapping[Name, tuple[Relationship, ...]]
    routines: Mapping[Name, tuple[Routine, ...]]
    computed: Mapping[Name, Mapping[str, Type]]
    role_settings: Mapping[str, tuple[tuple[str, str], ...]]
    types: frozenset[Name] = frozenset()
    schema_descriptions: Mapping[str, str] = field(default_factory=dict)

    def columns_of(self, table: Name) -> Mapping[str, Column]:
        """Return the columns of an exposed table; an empty mapping for any other."""
        found = self.tables.get(table)
        return found.columns if found is not None else {}
