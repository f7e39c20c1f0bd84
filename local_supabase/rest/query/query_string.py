"""Parses the query string of a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote_plus, unquote_plus

from local_supabase.rest.errors import RestError
from local_supabase.rest.query.caps import check_caps
from local_supabase.rest.query.filters import parse_filter, parse_logic, parse_operation
from local_supabase.rest.query.grammar import (
    parse_columns,
    parse_key,
    parse_order,
    parse_select,
)
from local_supabase.rest.query.ranges import Window, window
from local_supabase.rest.query.syntax import (
    Condition,
    EmbedPath,
    Filter,
    OrderTerm,
    SelectItem,
)

Pairs: TypeAlias = Sequence[tuple[str, str | None]]
_RESERVED: Final = {"select", "columns", "on_conflict"}
_EMBEDDABLE: Final = {"order", "limit", "offset", "and", "or"}


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query string. Filters, orders and windows have the path of their resource, () for the root.

    Arguments:
        select: the selected fields and embedded resources.
        filters: the filters.
        logic: the conditions by `and` and `or`.
        orders: the orders.
        windows: the limits and offsets.
        columns: the columns that a write takes from the body.
        on_conflict: the columns of the unique constraint of an upsert.
        arguments: the arguments of a function called by GET.
        filter_names: the names of all filter parameters.
        canonical: the query string with its parameters sorted by name.
    """

    select: tuple[SelectItem, ...]
    filters: tuple[tuple[EmbedPath, Filter], ...]
    logic: tuple[tuple[EmbedPath, Condition], ...]
    orders: tuple[tuple[EmbedPath, tuple[OrderTerm, ...]], ...]
    windows: tuple[tuple[EmbedPath, Window], ...]
    columns: tuple[str, ...] | None
    on_conflict: tuple[str, ...] | None
    arguments: tuple[tuple[str, str], ...]
    filter_names: frozenset[str]
    canonical: str

    @property
    def window(self) -> Window:
        """The limit and offset of the root."""
        return next((found for path, found in self.windows if not path), Window())


def split(raw: str) -> list[tuple[str, str | None]]:
    """Decode a query string into pairs of name and value, in order. The value of a name without `=` is None.

    The gateway has already checked the parameter `apikey`, so it is left out.
    """
    pairs: list[tuple[str, str | None]] = []
    for part in raw.replace(";", "&").split("&") if ";" in raw else raw.split("&"):
        if not part:
            continue
        name, equals, value = part.partition("=")
        if name != "apikey":
            pairs.append((unquote_plus(name), unquote_plus(value) if equals else None))
    return pairs


def parse_query(raw: str, *, arguments: bool = False) -> Query:
    """Parse a query string.

    Arguments:
        raw: the query string.
        arguments: whether parameters that are no filters are arguments of a function called by GET.

    Raises:
        RestError: PGRST100, a parameter does not follow the grammar.
    """
    return parse_pairs(split(raw), arguments=arguments)


def parse_pairs(pairs: Pairs, *, arguments: bool = False) -> Query:
    """Parse a query string that was split into pairs; see `parse_query`.

    Raises:
        RestError: PGRST100.
    """
    check_caps(pairs)
    given = [(name, value) for name, value in pairs if value is not None]
    first = dict(reversed([pair for pair in pairs if pair[0] in _RESERVED]))
    select, columns, on_conflict = first.get("select"), first.get("columns"), first.get("on_conflict")
    orders = tuple((_path(name), parse_order(value)) for name, value in given if _last(name) == "order")
    logic = tuple(parse_logic(name, value) for name, value in given if _last(name) in {"and", "or"})
    named = None if columns is None else parse_columns(columns, "columns")
    items = parse_select("*" if select is None else select)
    filters, rest = _filters(given, arguments=arguments)
    return Query(
        select=items,
        filters=tuple(filters),
        logic=logic,
        orders=orders,
        windows=_windows(given),
        columns=named,
        on_conflict=None if on_conflict is None else parse_columns(on_conflict, "on_conflict"),
        arguments=tuple(rest),
        filter_names=frozenset(name for name, _ in given if is_filter(name)),
        canonical=canonical(pairs),
    )


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _path(name: str) -> EmbedPath:
    return parse_key(name)[0]


def is_filter(name: str) -> bool:
    """Whether a parameter of this name is a filter or an argument."""
    return name not in _RESERVED and _last(name) not in _EMBEDDABLE


def _filters(
    given: list[tuple[str, str]], *, arguments: bool
) -> tuple[list[tuple[EmbedPath, Filter]], list[tuple[str, str]]]:
    filters: list[tuple[EmbedPath, Filter]] = []
    rest: list[tuple[str, str]] = []
    for name, value in given:
        if not is_filter(name):
            continue
        if arguments and not _has_operation(value):
            rest.append((parse_key(name)[1].name, value))
        else:
            filters.append(parse_filter(name, value))
    return filters, rest


_STARTS: Final = ("not.", "in.", "is.")


def _has_operation(value: str) -> bool:
    try:
        parse_operation(value)
    except RestError:
        # A value such as `in.5` starts like a filter: it is a wrong filter, not an argument.
        return value.startswith(_STARTS)
    return True


def _windows(given: list[tuple[str, str]]) -> tuple[tuple[EmbedPath, Window], ...]:
    limits: dict[str, str] = {}
    offsets: dict[str, str] = {}
    for name, value in given:
        parent, _, last = name.rpartition(".")
        if last in {"limit", "offset"}:
            (limits if last == "limit" else offsets)[parent] = value
    parents = dict.fromkeys([*limits, *offsets])
    return tuple(
        (_path(f"{parent}.limit") if parent else (), window(limits.get(parent), offsets.get(parent)))
        for parent in parents
    )


def canonical(pairs: Pairs) -> str:
    """Return the pairs as a query string, sorted by name."""
    ordered = sorted(pairs, key=lambda pair: pair[0])
    return "&".join(f"{quote_plus(name)}={quote_plus(value or '')}" for name, value in ordered)
