"""Finds the functions that can be called, and those that act as columns or relationships of a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from local_supabase.rest.catalog.model import (
    PG,
    Cardinality,
    Column,
    Parameter,
    Relationship,
    Returns,
    Routine,
    Type,
    Volatility,
)
from local_supabase.rest.names import Name

Row: TypeAlias = Mapping[str, Any]  # a row of statements.FUNCTIONS
_INPUT: Final = {"i", "b", "v"}
_OUTPUT: Final = {"o", "b", "t"}
_UNCALLABLE: Final = {Name(PG, "trigger"), Name(PG, "event_trigger")}
_UNNAMED: Final = {Name(PG, name) for name in ("bytea", "json", "jsonb", "text", "xml")}
_VOID: Final = Name(PG, "void")
# The name of the only column of a function that returns a plain value.
SCALAR: Final = "pgrst_scalar"
# Written without a length, these types have a length of one, so parameters take the wider type.
_LENGTHLESS: Final = {
    Name(PG, "bit"): Name(PG, "varbit"),
    Name(PG, "_bit"): Name(PG, "_varbit"),
    Name(PG, "bpchar"): Name(PG, "varchar"),
    Name(PG, "_bpchar"): Name(PG, "_varchar"),
}


class Objects(Protocol):
    """The types and relations by object id."""

    types: dict[int, Type]
    type_relations: dict[int, Mapping[str, Any]]
    columns: dict[int, dict[str, Column]]


def routines(
    rows: Sequence[Row], objects: Objects, exposed: tuple[str, ...]
) -> dict[Name, tuple[Routine, ...]]:
    """Return the callable functions of the exposed schemas. The overloads of a name are in one tuple."""
    found: dict[Name, list[Routine]] = defaultdict(list)
    for row in rows:
        if row["schema"] not in exposed or objects.types[row["returns"]].name in _UNCALLABLE:
            continue
        parameters = tuple(_parameters(row, objects.types))
        unnamed = [parameter for parameter in parameters if not parameter.name]
        if len(unnamed) > 1 or (unnamed and (parameters[0].name or parameters[0].type.name not in _UNNAMED)):
            continue
        name = Name(row["schema"], row["name"])
        found[name].append(_routine(name, row, parameters, objects))
    return {name: tuple(sorted(members, key=_fewest)) for name, members in found.items()}


def _fewest(routine: Routine) -> tuple[int, list[tuple[str, str]]]:
    return len(routine.parameters), [(p.name, p.type.label) for p in routine.parameters]


def _parameters(row: Row, types: Mapping[int, Type]) -> Iterator[Parameter]:
    kinds = row["types"] or row["inputs"]
    modes = row["modes"] or ["i"] * len(kinds)
    names = row["names"] or [""] * len(kinds)
    inputs = [(n, k, m) for n, k, m in zip(names, kinds, modes, strict=False) if m in _INPUT]
    required = len(inputs) - row["defaults"]
    for place, (name, kind, mode) in enumerate(inputs):
        yield Parameter(name, _lengthless(types[kind], types), place < required, mode == "v")


def _lengthless(kind: Type, types: Mapping[int, Type]) -> Type:
    wider = _LENGTHLESS.get(kind.name)
    return kind if wider is None else Type(wider, wider, kind.array, kind.label)


def _routine(name: Name, row: Row, parameters: tuple[Parameter, ...], objects: Objects) -> Routine:
    returned = objects.types[row["returns"]]
    relation = objects.type_relations.get(row["returns"]) or _domain_relation(returned, objects)
    columns = dict(_out_columns(row, objects.types))
    composite = relation is not None or bool(columns)
    if relation is not None:
        columns = objects.columns[relation["oid"]]
    kind = Returns.COMPOSITE if composite else Returns.SCALAR
    if not composite:
        columns = {SCALAR: Column(SCALAR, returned)}
    if returned.name == _VOID:
        kind = Returns.VOID
    target = Name(relation["schema"], relation["name"]) if relation is not None else None
    return Routine(
        name,
        parameters,
        kind,
        row["set_of"],
        returned.name,
        target,
        Volatility(row["volatility"]),
        columns,
        _timeout(row["settings"]),
        row["description"],
    )


def _domain_relation(returned: Type, objects: Objects) -> Mapping[str, Any] | None:
    if returned.name == returned.base:
        return None
    for row in objects.type_relations.values():
        if (row["schema"], row["name"]) == returned.base:
            return row
    return None


def _out_columns(row: Row, types: Mapping[int, Type]) -> Iterator[tuple[str, Column]]:
    if not row["modes"]:
        return
    places = zip(row["names"] or [], row["types"], row["modes"], strict=False)
    for place, (name, kind, mode) in enumerate(places, start=1):
        if mode in _OUTPUT:
            yield name or f"column{place}", Column(name, types[kind])


def _timeout(settings: Sequence[str] | None) -> str | None:
    # Of a function's own settings, a hosted project applies only this one to the whole transaction.
    for setting in settings or ():
        name, _, value = setting.partition("=")
        if name == "statement_timeout":
            return value
    return None


def computed_functions(
    rows: Sequence[Row], objects: Objects
) -> tuple[list[Relationship], dict[Name, dict[str, Type]]]:
    """Return the computed relationships and computed columns: functions whose one argument is a row."""
    related: list[Relationship] = []
    fields: dict[Name, dict[str, Type]] = defaultdict(dict)
    for row in rows:
        if len(row["inputs"]) != 1:
            continue
        table = objects.type_relations.get(row["inputs"][0])
        if table is None or table["kind"] == "c":
            continue
        name = Name(table["schema"], table["name"])
        target = objects.type_relations.get(row["returns"])
        if target is None or target["kind"] == "c":
            fields[name][row["name"]] = objects.types[row["returns"]]
            continue
        single = not row["set_of"] or row["one_row"]
        related.append(
            Relationship(
                name,
                Name(target["schema"], target["name"]),
                Cardinality.MANY_TO_ONE if single else Cardinality.ONE_TO_MANY,
                function=Name(row["schema"], row["name"]),
            )
        )
    return related, fields
