"""Loads the catalog from Postgres' system catalogs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from local_supabase.rest.catalog import statements as sql
from local_supabase.rest.catalog.model import (
    JSON,
    TEXT,
    Cardinality,
    Catalog,
    Column,
    Relationship,
    Table,
    Type,
)
from local_supabase.rest.catalog.relationships import ViewKey, derive
from local_supabase.rest.catalog.routines import computed_functions, routines
from local_supabase.rest.catalog.views import base_columns
from local_supabase.rest.names import Name

Row: TypeAlias = Mapping[str, Any]  # its keys are the select list of the query in `statements`


class Reader(Protocol):
    """The part of a connection that loading needs."""

    async def fetch(self, query: str, *args: object) -> Sequence[Any]:
        """Return the rows of a query."""


@dataclass(frozen=True, slots=True)
class _SystemCatalogs:
    """The rows of the system catalogs, one field for each query in `statements`."""

    types: Sequence[Row]
    representations: Sequence[Row]
    enums: Sequence[Row]
    relations: Sequence[Row]
    columns: Sequence[Row]
    constraints: Sequence[Row]
    views: Sequence[Row]
    functions: Sequence[Row]
    role_settings: Sequence[Row]


async def load(connection: Reader, schemas: Sequence[str]) -> Catalog:
    """Load the whole catalog.

    Arguments:
        connection: reads with the right to see everything, without a search path.
        schemas: the schemas to expose. Those that do not exist are left out.
    """
    rows = await connection.fetch(sql.SCHEMAS, list(schemas))
    descriptions = {row["name"]: row["description"] or "" for row in rows}
    exposed = tuple(name for name in schemas if name in descriptions) or tuple(schemas[:1]) or ("public",)
    system = _SystemCatalogs(
        types=await connection.fetch(sql.TYPES),
        representations=await connection.fetch(sql.REPRESENTATIONS),
        enums=await connection.fetch(sql.ENUMS),
        relations=await connection.fetch(sql.RELATIONS),
        columns=await connection.fetch(sql.COLUMNS),
        constraints=await connection.fetch(sql.CONSTRAINTS),
        views=await connection.fetch(sql.VIEWS),
        functions=await connection.fetch(sql.FUNCTIONS),
        role_settings=await connection.fetch(sql.ROLE_SETTINGS),
    )
    return _Builder(system).catalog(exposed, descriptions)


class _Builder:
    """Joins the rows of the system catalogs by their object ids."""

    def __init__(self, system: _SystemCatalogs) -> None:
        self._system = system
        self.types = _with_representations(_types(system.types), system.representations)
        self.type_relations = {row["type"]: row for row in system.relations if row["type"]}
        self._relations = {row["oid"]: row for row in system.relations}
        self._names = {row["oid"]: Name(row["schema"], row["name"]) for row in system.relations}
        self._column_names: dict[int, dict[int, str]] = defaultdict(dict)
        labels = {row["type"]: tuple(row["labels"]) for row in system.enums}
        self.columns: dict[int, dict[str, Column]] = defaultdict(dict)
        for row in system.columns:
            self._column_names[row["relation"]][row["number"]] = row["name"]
            self.columns[row["relation"]][row["name"]] = _column(row, self.types[row["type"]], labels)
        # For each view: the (relation, column) pairs it shows, and its own columns that show them.
        self._view_columns = base_columns({row["relation"]: row["definition"] for row in system.views})
        self._unique_keys: dict[int, list[frozenset[int]]] = defaultdict(list)
        self._primary_keys: dict[int, tuple[int, ...]] = {}
        for row in system.constraints:
            if row["kind"] in {"p", "u"}:
                self._unique_keys[row["relation"]].append(frozenset(row["columns"]))
            if row["kind"] == "p":
                self._primary_keys[row["relation"]] = tuple(row["columns"])

    def catalog(self, exposed: tuple[str, ...], descriptions: Mapping[str, str]) -> Catalog:
        tables = {name: table for name, table in self._tables() if name.schema in exposed}
        keys = {name: table.key for name, table in tables.items()}
        relationships = derive(self._foreign_keys(), self._view_keys(), keys)
        computed, fields = computed_functions(self._system.functions, self)
        roles: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in self._system.role_settings:
            roles[row["role"]].append((row["name"], row["value"]))
        return Catalog(
            schemas=exposed,
            tables=tables,
            relationships=_exposed_relationships(relationships, computed, exposed),
            routines=routines(self._system.functions, self, exposed),
            computed=fields,
            role_settings={role: tuple(values) for role, values in roles.items()},
            types=frozenset(kind.name for kind in self.types.values()),
            schema_descriptions=descriptions,
        )

    def _tables(self) -> Iterator[tuple[Name, Table]]:
        for oid, row in self._relations.items():
            if row["kind"] == "c" or row["is_partition"]:
                continue
            yield (
                self._names[oid],
                Table(
                    self._names[oid],
                    self.columns[oid],
                    self._key(oid, row["kind"]),
                    row["kind"] in {"v", "m"},
                    bool(row["insertable"]),
                    bool(row["updatable"]),
                    bool(row["deletable"]),
                    row["description"],
                ),
            )

    def _key(self, oid: int, kind: str) -> tuple[str, ...]:
        if kind not in {"v", "m"}:
            return tuple(self._column_names[oid][number] for number in self._primary_keys.get(oid, ()))
        shown = self._view_columns.get(oid, {})
        for source in dict.fromkeys(relation for relation, _ in shown):
            key = self._primary_keys.get(source)
            if key and all((source, number) in shown for number in key):
                return tuple(self._column_names[oid][shown[source, number][0]] for number in key)
        return ()

    def _foreign_keys(self) -> Iterator[Relationship]:
        for row in self._foreign_rows():
            relation, foreign = row["relation"], row["foreign_relation"]
            unique = frozenset(row["columns"]) in self._unique_keys[relation]
            yield Relationship(
                self._names[relation],
                self._names[foreign],
                Cardinality.ONE_TO_ONE if unique else Cardinality.MANY_TO_ONE,
                row["name"],
                tuple(
                    (self._column_names[relation][near], self._column_names[foreign][far])
                    for near, far in zip(row["columns"], row["foreign_columns"], strict=True)
                ),
            )

    def _foreign_rows(self) -> Iterator[Row]:
        for row in self._system.constraints:
            if (
                row["kind"] == "f"
                and row["relation"] in self._names
                and row["foreign_relation"] in self._names
            ):
                yield row

    def _view_keys(self) -> Iterator[ViewKey]:
        for view, shown in self._view_columns.items():
            for row in self._foreign_rows():
                for referenced, side, numbers in (
                    (False, row["relation"], row["columns"]),
                    (True, row["foreign_relation"], row["foreign_columns"]),
                ):
                    if all((side, number) in shown for number in numbers):
                        names = tuple(
                            (
                                self._column_names[side][number],
                                tuple(self._column_names[view][column] for column in shown[side, number]),
                            )
                            for number in numbers
                        )
                        yield ViewKey(self._names[view], self._names[side], row["name"], referenced, names)


def _types(rows: Iterable[Row]) -> dict[int, Type]:
    known = {row["oid"]: row for row in rows}

    def name(oid: int) -> Name:
        return Name(known[oid]["schema"], known[oid]["name"])

    def base(oid: int) -> int:
        while known[oid]["kind"] == "d" and known[oid]["base"]:
            oid = known[oid]["base"]
        return oid

    types: dict[int, Type] = {}
    for oid, row in known.items():
        bottom = base(oid)
        array = known[bottom]["array_oid"]
        types[oid] = Type(name(oid), name(bottom), name(array) if array else None, row["label"])
    return types


def _with_representations(types: dict[int, Type], rows: Iterable[Row]) -> dict[int, Type]:
    for row in rows:
        function = Name(row["schema"], row["name"])
        source, target = types[row["source"]], types[row["target"]]
        if target.name == JSON:
            types[row["source"]] = replace(source, to_json=function)
        elif source.name == JSON:
            types[row["target"]] = replace(target, from_json=function)
        elif source.name == TEXT:
            types[row["target"]] = replace(target, from_text=function)
    return types


def _column(row: Row, kind: Type, labels: Mapping[int, tuple[str, ...]]) -> Column:
    return Column(
        row["name"],
        kind,
        row["nullable"],
        row["default_expression"],
        row["description"],
        row["max_length"],
        labels.get(row["type"], ()),
    )


def _exposed_relationships(
    detected: Iterable[Relationship], computed: Sequence[Relationship], exposed: tuple[str, ...]
) -> dict[Name, tuple[Relationship, ...]]:
    # A computed relationship replaces the detected ones between its table and the table of the same name.
    overridden = {(one.table, one.function) for one in computed}
    by_table: dict[Name, list[Relationship]] = defaultdict(list)
    for one in detected:
        if (one.table, one.foreign) not in overridden:
            by_table[one.table].append(one)
    for one in computed:
        by_table[one.table].append(one)
    return {
        table: tuple(sorted((one for one in members if _is_exposed(one, exposed)), key=_sort_key))
        for table, members in by_table.items()
        if table.schema in exposed
    }


_ORDER = list(Cardinality)


def _sort_key(one: Relationship) -> tuple[object, ...]:
    # The order in which PostgREST lists several relationships.
    junction = one.junction
    names = (junction.table, junction.constraint, junction.foreign_constraint) if junction is not None else ()
    return one.foreign, _ORDER.index(one.cardinality), one.constraint, names, one.columns


def _is_exposed(one: Relationship, exposed: tuple[str, ...]) -> bool:
    junction_hidden = one.junction is not None and one.junction.table.schema not in exposed
    return one.foreign.schema in exposed and not junction_hidden
