"""Finds the relationship that an embedded resource in `select` means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from local_supabase.rest.catalog import Cardinality, Catalog, Name, Relationship
from local_supabase.rest.errors import RestError
from local_supabase.rest.fuzzy import closest, ranked


def find_relationship(catalog: Catalog, origin: Name, target: str, hint: str | None) -> Relationship:
    """Return the one relationship between a table and what the request calls its target.

    The target is a table's or view's name, a foreign key's name or its column; a hint chooses among several.

    Raises:
        RestError: PGRST200, there is none; PGRST201, there are several.
    """
    known = catalog.relationships.get(origin, ())
    found = [one for one in known if _means(one, target, hint)]
    if not found:
        raise _missing(catalog, origin, target, hint)
    if len(found) > 1:
        raise _ambiguous(origin, target, found)
    return found[0]


def _means(one: Relationship, target: str, hint: str | None) -> bool:
    if one.function is not None:
        return target == one.function.name
    named = target == one.foreign.name
    if one.to_self:
        return _means_self(one, target, hint, named=named)
    if hint is not None:
        return named and _hinted(one, hint)
    return named or (not one.foreign_is_view and (target == _constraint(one) or target == _near_column(one)))


def _means_self(one: Relationship, target: str, hint: str | None, *, named: bool) -> bool:
    if hint is None:
        to_many = named and one.cardinality is Cardinality.ONE_TO_MANY
        return to_many or (one.cardinality is Cardinality.MANY_TO_ONE and target == _near_column(one))
    return named and one.cardinality is Cardinality.ONE_TO_MANY and hint == _far_column(one)


def _hinted(one: Relationship, hint: str) -> bool:
    if one.junction is not None:
        return hint == one.junction.table.name
    return hint in {_constraint(one), _near_column(one), _far_column(one)}


def _constraint(one: Relationship) -> str | None:
    return one.constraint if one.junction is None else None


def _near_column(one: Relationship) -> str | None:
    return one.columns[0][0] if len(one.columns) == 1 else None


def _far_column(one: Relationship) -> str | None:
    return one.columns[0][1] if len(one.columns) == 1 else None


def _missing(catalog: Catalog, origin: Name, target: str, hint: str | None) -> RestError:
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
    known = catalog.relationships.get(origin, ())
    if known:
        scored = ranked((one.foreign.name for one in known), target)
        better = next((name for score, name in scored if score < 1), None)
        return f"Perhaps you meant '{better}' instead of '{target}'." if better else None
    parents = [
        table.name for table, ones in catalog.relationships.items() if table.schema == origin.schema and ones
    ]
    parent = closest(parents, origin.name)
    return f"Perhaps you meant '{parent}' instead of '{origin.name}'." if parent else None


def _ambiguous(origin: Name, target: str, found: Sequence[Relationship]) -> RestError:
    choices = ", ".join(f"'{one.foreign.name}!{_choice(one)}'" for one in found)
    return RestError(
        300,
        "PGRST201",
        f"Could not embed because more than one relationship was found for '{origin.name}' and '{target}'",
        details=[_described(one) for one in found],
        hint=(
            f"Try changing '{target}' to one of the following: {choices}. "
            "Find the desired relationship in the 'details' key."
        ),
    )


def _choice(one: Relationship) -> str:
    return one.junction.table.name if one.junction is not None else one.constraint


def _described(one: Relationship) -> dict[str, str]:
    return {
        "cardinality": one.cardinality.value,
        "embedding": f"{one.table.name} with {one.foreign.name}",
        "relationship": _way(one),
    }


def _way(one: Relationship) -> str:
    if one.junction is not None:
        middle = one.junction
        return (
            f"{middle.table.name} using {middle.constraint}{_list(c for _, c in middle.columns)} "
            f"and {middle.foreign_constraint}{_list(c for _, c in middle.foreign_columns)}"
        )
    return (
        f"{one.constraint} using {one.table.name}{_list(c for c, _ in one.columns)} "
        f"and {one.foreign.name}{_list(c for _, c in one.columns)}"
    )


def _list(columns: Iterable[str]) -> str:
    return "(" + ", ".join(columns) + ")"
