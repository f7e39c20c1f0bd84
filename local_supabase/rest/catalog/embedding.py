"""Finds the relationship of an embedded resource in `select`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from local_supabase.rest.catalog.model import Cardinality, Catalog, Relationship
from local_supabase.rest.errors import RestError
from local_supabase.rest.fuzzy import closest, ranked
from local_supabase.rest.names import Name


def find_relationship(catalog: Catalog, origin: Name, target: str, hint: str | None) -> Relationship:
    """Return the relationship between a table and the target that a request names.

    Arguments:
        catalog: the catalog.
        origin: the table.
        target: the name of a table, a view, a foreign key or a foreign key's column.
        hint: the name of a foreign key, a column or a junction, to choose among several relationships.

    Raises:
        RestError: PGRST200, there is no such relationship; PGRST201, there are several.
    """
    candidates = catalog.relationships.get(origin, ())
    found = [relationship for relationship in candidates if _matches(relationship, target, hint)]
    if not found:
        raise _no_relationship(catalog, origin, target, hint)
    if len(found) > 1:
        raise _ambiguous(origin, target, found)
    return found[0]


def _matches(relationship: Relationship, target: str, hint: str | None) -> bool:
    if relationship.function is not None:
        return target == relationship.function.name
    named = target == relationship.foreign.name
    if relationship.to_self:
        return _matches_self(relationship, target, hint, named=named)
    if hint is not None:
        return named and _matches_hint(relationship, hint)
    return named or (
        not relationship.foreign_is_view
        and (target == _constraint(relationship) or target == _near_column(relationship))
    )


def _matches_self(relationship: Relationship, target: str, hint: str | None, *, named: bool) -> bool:
    if hint is None:
        to_many = named and relationship.cardinality is Cardinality.ONE_TO_MANY
        return to_many or (
            relationship.cardinality is Cardinality.MANY_TO_ONE and target == _near_column(relationship)
        )
    return named and relationship.cardinality is Cardinality.ONE_TO_MANY and hint == _far_column(relationship)


def _matches_hint(relationship: Relationship, hint: str) -> bool:
    if relationship.junction is not None:
        return hint == relationship.junction.table.name
    return hint in {_constraint(relationship), _near_column(relationship), _far_column(relationship)}


def _constraint(relationship: Relationship) -> str | None:
    return relationship.constraint if relationship.junction is None else None


def _near_column(relationship: Relationship) -> str | None:
    return relationship.columns[0][0] if len(relationship.columns) == 1 else None


def _far_column(relationship: Relationship) -> str | None:
    return relationship.columns[0][1] if len(relationship.columns) == 1 else None


def _no_relationship(catalog: Catalog, origin: Name, target: str, hint: str | None) -> RestError:
    using = f"' using the hint '{hint}" if hint is not None else ""
    return RestError(
        400,
        "PGRST200",
        f"Could not find a relationship between '{origin.name}' and '{target}' in the schema cache",
        details=(
            f"Searched for a foreign key relationship between '{origin.name}' and '{target}{using}' "
            f"in the schema '{origin.schema}', but no matches were found."
        ),
        hint=_suggestion(catalog, origin, target),
    )


def _suggestion(catalog: Catalog, origin: Name, target: str) -> str | None:
    candidates = catalog.relationships.get(origin, ())
    if candidates:
        scored = ranked((relationship.foreign.name for relationship in candidates), target)
        better = next((name for score, name in scored if score < 1), None)
        return f"Perhaps you meant '{better}' instead of '{target}'." if better else None
    parents = [
        table.name
        for table, relationships in catalog.relationships.items()
        if table.schema == origin.schema and relationships
    ]
    parent = closest(parents, origin.name)
    return f"Perhaps you meant '{parent}' instead of '{origin.name}'." if parent else None


def _ambiguous(origin: Name, target: str, found: Sequence[Relationship]) -> RestError:
    choices = ", ".join(f"'{relationship.foreign.name}!{_choice(relationship)}'" for relationship in found)
    return RestError(
        300,
        "PGRST201",
        f"Could not embed because more than one relationship was found for '{origin.name}' and '{target}'",
        details=[_description(relationship) for relationship in found],
        hint=(
            f"Try changing '{target}' to one of the following: {choices}. "
            "Find the desired relationship in the 'details' key."
        ),
    )


def _choice(relationship: Relationship) -> str:
    return relationship.junction.table.name if relationship.junction is not None else relationship.constraint


def _description(relationship: Relationship) -> dict[str, str]:
    return {
        "cardinality": relationship.cardinality.value,
        "embedding": f"{relationship.table.name} with {relationship.foreign.name}",
        "relationship": _path_text(relationship),
    }


def _path_text(relationship: Relationship) -> str:
    if relationship.junction is not None:
        middle = relationship.junction
        return (
            f"{middle.table.name} using {middle.constraint}{_list(c for _, c in middle.columns)} "
            f"and {middle.foreign_constraint}{_list(c for _, c in middle.foreign_columns)}"
        )
    return (
        f"{relationship.constraint} "
        f"using {relationship.table.name}{_list(c for c, _ in relationship.columns)} "
        f"and {relationship.foreign.name}{_list(c for _, c in relationship.columns)}"
    )


def _list(columns: Iterable[str]) -> str:
    return "(" + ", ".join(columns) + ")"
