"""Builds the catalog from what the system catalogs answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from local_supabase.rest import catalog_sql as sql
from local_supabase.rest.catalog import (
    JSON,
    TEXT,
    Cardinality,
    Catalog,
    Column,
    Name,
    Relationship,
    Table,
    Type,
)
from local_supabase.rest.relationships import ViewKey, derive
from local_supabase.rest.routines import computed_functions, routines
from local_supabase.rest.views import base_columns

Row: TypeAlias = Mapping[str, Any]  # a catalog row: its shape is the select list in catalog_sql


class Reader(Protocol):
    """A connection, as far as it is needed here."""

    async def fetch(self, query: str, *args: object) -> Sequence[Any]:
        """Return the rows of a query."""


async def load(connection: Reader, schemas: Sequence[str]) -> Catalog:
    """Read the whole catalog; of the schemas to expose, those that are there are exposed."""
    there = await connection.fetch(sql.SCHEMAS, list(schemas))
    found = {row["name"]: row["description"] or "" for row in there}
    exposed = tuple(name for name in schemas if name in found) or tuple(schemas[:1]) or ("public",)
    builder = _Builder(
        types=await connection.fetch(sql.TYPES),
        representations=await connection.fetch(sql.REPRESENTATIONS),
        enums=await connection.fetch(sql.ENUMS),
        relations=await connection.fetch(sql.RELATIONS),
        columns=await connection.fetch(sql.COLUMNS),
        constraints=await connection.fetch(sql.CONSTRAINTS),
        views=await connection.fetch(sql.VIEWS),
    )
    functions = await connection.fetch(sql.FUNCTIONS)
    settings = await connection.fetch(sql.ROLE_SETTINGS)
    return builder.catalog(exposed, functions, settings, found)


class _Builder:
    """Joins the rows by their object ids."""

    def __init__(
        self,
        *,
        types: Iterable[Row],
        representations: Iterable[Row],
        enums: Iterable[Row],
        relations: Sequence[Row],
        columns: Iterable[Row],
        constraints: Sequence[Row],
        views: Iterable[Row],
    ) -> None:
        self.types = _represented(_types(types), representations)
        self.type_relations = {row["type"]: row for row in relations if row["type"]}
        self.relations = {row["oid"]: row for row in relations}
        self.names = {row["oid"]: Name(row["schema"], row["name"]) for row in relations}
        self.numbers: dict[int, dict[int, str]] = defaultdict(dict)
        labels = {row["type"]: tuple(row["labels"]) for row in enums}
        self.columns: dict[int, dict[str, Column]] = defaultdict(dict)
        for row in columns:
            self.numbers[row["relation"]][row["number"]] = row["name"]
            self.columns[row["relation"]][row["name"]] = _column(row, self.types[row["type"]], labels)
        self.constraints = constraints
        self.shown = base_columns({row["relation"]: row["definition"] for row in views})
        self.uniques: dict[int, list[frozenset[int]]] = defaultdict(list)
        self.keys: dict[int, tuple[int, ...]] = {}
        for row in constraints:
            if row["kind"] in {"p", "u"}:
                self.uniques[row["relation"]].append(frozenset(row["columns"]))
            if row["kind"] == "p":
                self.keys[row["relation"]] = tuple(row["columns"])

    def catalog(
        self,
        exposed: tuple[str, ...],
        functions: Sequence[Row],
        settings: Iterable[Row],
        descriptions: Mapping[str, str],
    ) -> Catalog:
        tables = {name: table for name, table in self._tables() if name.schema in exposed}
        all_keys = {name: table.key for name, table in tables.items()}
        found = derive(self._foreign_keys(), self._view_keys(), all_keys)
        computed, fields = computed_functions(functions, self)
        roles: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in settings:
            roles[row["role"]].append((row["name"], row["value"]))
        return Catalog(
            schemas=exposed,
            tables=tables,
            relationships=_visible(found, computed, exposed),
            routines=routines(functions, self, exposed),
            computed=fields,
            role_settings={role: tuple(values) for role, values in roles.items()},
            types=frozenset(kind.name for kind in self.types.values()),
            schema_descriptions=descriptions,
        )

    def _tables(self) -> Iterator[tuple[Name, Table]]:
        for oid, row in self.relations.items():
            if row["kind"] == "c" or row["is_partition"]:
                continue
            yield (
                self.names[oid],
                Table(
                    self.names[oid],
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
            return tuple(self.numbers[oid][number] for number in self.keys.get(oid, ()))
        shown = self.shown.get(oid, {})
        for source in dict.fromkeys(relation for relation, _ in shown):
            key = self.keys.get(source)
            if key and all((source, number) in shown for number in key):
                return tuple(self.numbers[oid][shown[source, number][0]] for number in key)
        return ()

    def _foreign_keys(self) -> Iterator[Relationship]:
        for row in self._foreign_rows():
            relation, foreign = row["relation"], row["foreign_relation"]
            unique = frozenset(row["columns"]) in self.uniques[relation]
            yield Relationship(
                self.names[relation],
                self.names[foreign],
                Cardinality.ONE_TO_ONE if unique else Cardinality.MANY_TO_ONE,
                row["name"],
                tuple(
                    (self.numbers[relation][near], self.numbers[foreign][far])
                    for near, far in zip(row["columns"], row["foreign_columns"], strict=True)
                ),
            )

    def _foreign_rows(self) -> Iterator[Row]:
        for row in self.constraints:
            if row["kind"] == "f" and row["relation"] in self.names and row["foreign_relation"] in self.names:
                yield row

    def _view_keys(self) -> Iterator[ViewKey]:
        for view, shown in self.shown.items():
            for row in self._foreign_rows():
                for referenced, side, numbers in (
                    (False, row["relation"], row["columns"]),
                    (True, row["foreign_relation"], row["foreign_columns"]),
                ):
                    if all((side, number) in shown for number in numbers):
                        names = tuple(
                            (
                                self.numbers[side][number],
                                tuple(self.numbers[view][column] for column in shown[side, number]),
                            )
                            for number in numbers
                        )
                        yield ViewKey(self.names[view], self.names[side], row["name"], referenced, names)


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


def _represented(types: dict[int, Type], rows: Iterable[Row]) -> dict[int, Type]:
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


def _visible(
    found: Iterable[Relationship], computed: Sequence[Relationship], exposed: tuple[str, ...]
) -> dict[Name, tuple[Relationship, ...]]:
    # A function of the row takes the place of what is detected between its table and a table of its own name.
    overridden = {(one.table, one.function) for one in computed}
    by_table: dict[Name, list[Relationship]] = defaultdict(list)
    for one in found:
        if (one.table, one.foreign) not in overridden:
            by_table[one.table].append(one)
    for one in computed:
        by_table[one.table].append(one)
    return {
        table: tuple(sorted((one for one in members if _exposed(one, exposed)), key=_place))
        for table, members in by_table.items()
        if table.schema in exposed
    }


_ORDER = list(Cardinality)


def _place(one: Relationship) -> tuple[object, ...]:
    # The order in which PostgREST names several relationships.
    middle = one.junction
    names = (middle.table, middle.constraint, middle.foreign_constraint) if middle is not None else ()
    return one.foreign, _ORDER.index(one.cardinality), one.constraint, names, one.columns


def _exposed(one: Relationship, exposed: tuple[str, ...]) -> bool:
    junction_hidden = one.junction is not None and one.junction.table.schema not in exposed
    return one.foreign.schema in exposed and not junction_hidden
