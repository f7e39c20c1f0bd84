"""Derives the relationships between tables and views from foreign keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from local_supabase.rest.catalog.model import Cardinality, Junction, Relationship
from local_supabase.rest.names import Name


@dataclass(frozen=True, slots=True)
class ViewKey:
    """One side of a foreign key, all columns of which a view shows.

    Arguments:
        view: the view.
        table: the table of that side.
        constraint: the foreign key's name.
        referenced: whether it is the referenced side.
        columns: the table's columns, each with the view's columns that show it.
    """

    view: Name
    table: Name
    constraint: str
    referenced: bool
    columns: tuple[tuple[str, tuple[str, ...]], ...]

    def expanded(self) -> Iterator[dict[str, str]]:
        """Yield each mapping of the table's columns to the view's, which may show a column repeatedly."""
        names = [column for column, _ in self.columns]
        for shown in product(*(shown for _, shown in self.columns)):
            yield dict(zip(names, shown, strict=True))


def derive(
    foreign_keys: Iterable[Relationship], view_keys: Iterable[ViewKey], keys: Mapping[Name, tuple[str, ...]]
) -> list[Relationship]:
    """Return all relationships: of tables and views, in both directions, and through junctions.

    Arguments:
        foreign_keys: the relationships of the foreign keys, from the referencing table.
        view_keys: the sides of foreign keys that views show.
        keys: the primary keys of tables and views. The key of a junction contains both foreign keys' columns.
    """
    forward = list(foreign_keys)
    forward += list(_of_views(forward, list(view_keys)))
    return [*forward, *_through_junctions(forward, keys), *(_inverse(found) for found in forward)]


def _of_views(forward: list[Relationship], view_keys: list[ViewKey]) -> Iterator[Relationship]:
    for found in forward:
        near = [k for k in view_keys if not k.referenced and _belongs(k, found.table, found)]
        far = [k for k in view_keys if k.referenced and _belongs(k, found.foreign, found)]
        for key in near:
            for names in key.expanded():
                columns = tuple((names[c], f) for c, f in found.columns)
                yield replace(found, table=key.view, columns=columns, is_view=True)
        for key in far:
            for names in key.expanded():
                columns = tuple((c, names[f]) for c, f in found.columns)
                yield replace(found, foreign=key.view, columns=columns, foreign_is_view=True)
        for key, other in product(near, far):
            for names, others in product(key.expanded(), other.expanded()):
                columns = tuple((names[c], others[f]) for c, f in found.columns)
                yield replace(
                    found,
                    table=key.view,
                    foreign=other.view,
                    columns=columns,
                    is_view=True,
                    foreign_is_view=True,
                )


def _belongs(key: ViewKey, table: Name, found: Relationship) -> bool:
    return key.table == table and key.constraint == found.constraint


def _inverse(found: Relationship) -> Relationship:
    to_many = found.cardinality is Cardinality.MANY_TO_ONE
    return replace(
        found,
        table=found.foreign,
        foreign=found.table,
        cardinality=Cardinality.ONE_TO_MANY if to_many else Cardinality.ONE_TO_ONE,
        columns=tuple((f, c) for c, f in found.columns),
        is_view=found.foreign_is_view,
        foreign_is_view=found.is_view,
    )


def _through_junctions(
    forward: list[Relationship], keys: Mapping[Name, tuple[str, ...]]
) -> Iterator[Relationship]:
    by_table: dict[Name, list[Relationship]] = {}
    for found in forward:
        if found.cardinality is Cardinality.MANY_TO_ONE:
            by_table.setdefault(found.table, []).append(found)
    for table, members in by_table.items():
        key = set(keys.get(table, ()))
        for one, other in product(members, members):
            columns = {c for c, _ in one.columns} | {c for c, _ in other.columns}
            if one.constraint == other.constraint or not columns <= key:
                continue
            junction = Junction(
                table,
                one.constraint,
                other.constraint,
                tuple((f, c) for c, f in one.columns),
                tuple((f, c) for c, f in other.columns),
            )
            yield Relationship(
                one.foreign,
                other.foreign,
                Cardinality.MANY_TO_MANY,
                junction=junction,
                is_view=one.foreign_is_view,
                foreign_is_view=other.foreign_is_view,
            )
