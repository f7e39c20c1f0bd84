"""The read plan: the resources of a request as a tree, their relationships found, their conditions placed.

The rules, and their order, are those of PostgREST's Plan module: what cannot be placed is refused here,
before any SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from local_supabase.rest.catalog import Catalog, Column, Name, Relationship, Type
from local_supabase.rest.embedding import find_relationship
from local_supabase.rest.errors import no_aggregates, not_embedded, order_not_to_one
from local_supabase.rest.query import Query
from local_supabase.rest.ranges import Window
from local_supabase.rest.sql import identifier
from local_supabase.rest.syntax import (
    Condition,
    EmbedPath,
    Filter,
    Is,
    IsValue,
    OrderTerm,
    SelectField,
    SelectItem,
    SelectRelation,
)

_LONGEST_ALIAS = 60


@dataclass(frozen=True, slots=True)
class EmbedIsNull:
    """`rel=is.null`: a condition on whether an embedded resource has any row."""

    child: Node
    negated: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """`and` or `or` over placed conditions."""

    conjunction: bool
    negated: bool
    parts: tuple[Placed, ...]


Placed: TypeAlias = Filter | EmbedIsNull | Branch


@dataclass(slots=True, eq=False)
class Node:
    """One resource: the request's own (the root) or an embedded one."""

    table: Name
    columns: Mapping[str, Column]
    computed: Mapping[str, Type]
    # How the resource is called in SQL: already quoted, a table's qualified name or an alias.
    reference: str
    item: SelectRelation | None = None
    relationship: Relationship | None = None
    parent: Node | None = None
    alias: str | None = None
    aggregate: str = ""
    depth: int = 0
    fields: list[SelectField] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    where: list[Placed] = field(default_factory=list)
    order: tuple[OrderTerm, ...] = ()
    window: Window = field(default_factory=Window)

    @property
    def name(self) -> str:
        """The name under which the resource is in its parent's rows, and in the paths of parameters."""
        if self.item is None:
            return self.table.name
        return self.item.alias or self.item.name

    @property
    def invisible(self) -> bool:
        """Whether nothing of the resource was selected (`rel()`): it only serves conditions."""
        return not self.fields and all(child.invisible for child in self.children)

    @property
    def to_one(self) -> bool:
        """Whether the parent has at most one of it."""
        return self.relationship is not None and self.relationship.to_one


def build(
    catalog: Catalog,
    root: Node,
    query: Query,
    *,
    filters: bool,
    ranges: bool,
    max_rows: int | None,
) -> Node:
    """Hang the embedded resources, conditions, orders and windows of a query under its root.

    `filters` says whether the root's own filters and logic belong to the reading (not so for writes),
    `ranges` whether windows do.

    Raises:
        RestError: PGRST108, 118, 120, 123, 200, 201.
    """
    _grow(catalog, root, query.select)
    for path, condition in query.filters:
        if filters or path:
            node = _at(root, path)
            node.where.append(condition)
    for path, tree in query.logic:
        if filters or path:
            node = _at(root, path)
            node.where.append(place(tree))
    # Of several orders for one resource the first counts.
    for path, terms in reversed(query.orders):
        _at(root, path).order = terms
    if ranges:
        _open_windows(root, query)
        _limit(root, max_rows)
    _settle(root)
    return root


def _grow(catalog: Catalog, node: Node, items: tuple[SelectItem, ...]) -> None:
    for item in items:
        if isinstance(item, SelectField):
            if item.aggregate is not None:
                raise no_aggregates()
            node.fields.append(item)
            continue
        child = _child(catalog, node, item)
        node.children.append(child)
        _grow(catalog, child, item.items)


def _child(catalog: Catalog, parent: Node, item: SelectRelation) -> Node:
    found = find_relationship(catalog, parent.table, item.name, item.hint)
    if item.spread and not found.to_one:
        # A to-many spread gives arrays made by an aggregate, and aggregates are off.
        raise no_aggregates()
    depth = parent.depth + 1
    alias = _unlike(f"{found.foreign.name}_{depth}", f"embed_{depth}", _aliases_above(parent))
    taken = {alias, *(sibling.aggregate for sibling in parent.children)}
    aggregate = _unlike(f"{found.table.name}_{item.alias or item.name}_{depth}", f"embedded_{depth}", taken)
    return Node(
        found.foreign,
        catalog.columns_of(found.foreign),
        catalog.computed.get(found.foreign, {}),
        identifier(alias),
        item,
        found,
        parent,
        alias,
        aggregate,
        depth,
    )


def _aliases_above(node: Node | None) -> set[str]:
    """Collect what must not be hidden by an inner name: the names of all resources further out."""
    names = set()
    while node is not None:
        names.add(node.alias or node.table.name)
        node = node.parent
    return names


def _unlike(name: str, otherwise: str, taken: set[str]) -> str:
    # Postgres cuts names at 63 bytes; a name that would be cut could meet another one.
    chosen = name if len(name.encode()) < _LONGEST_ALIAS else otherwise
    while chosen in taken:
        chosen += "_"
    return chosen


def _at(root: Node, path: EmbedPath) -> Node:
    node = root
    for name in path:
        found = next(
            (c for c in node.children if c.item is not None and name in {c.item.name, c.item.alias}), None
        )
        if found is None:
            raise not_embedded(name)
        node = found
    return node


def place(tree: Condition) -> Placed:
    """Take a parsed condition over into a plan."""
    if isinstance(tree, Filter):
        return tree
    return Branch(tree.conjunction, tree.negated, tuple(place(part) for part in tree.parts))


def _open_windows(root: Node, query: Query) -> None:
    for path, window in query.windows:
        if path:
            _at(root, path).window = window


def _limit(node: Node, max_rows: int | None) -> None:
    if max_rows is not None:
        node.window = node.window.at_most(max_rows)
    for child in node.children:
        _limit(child, max_rows)


def _settle(node: Node) -> None:
    """Point orders and null conditions at the embedded resources they name."""
    for term in node.order:
        if term.relation is not None:
            _check_order(node, term.relation)
    node.where = [_settled(node, condition) for condition in node.where]
    for child in node.children:
        _settle(child)


def _check_order(node: Node, relation: str) -> None:
    target = next((child for child in node.children if child.name == relation), None)
    if target is None:
        raise not_embedded(relation)
    if not target.to_one:
        raise order_not_to_one(node.table.name, target.name)


def _settled(node: Node, condition: Placed) -> Placed:
    if isinstance(condition, Branch):
        parts = tuple(_settled(node, part) for part in condition.parts)
        return Branch(condition.conjunction, condition.negated, parts)
    if not isinstance(condition, Filter) or condition.field.path:
        return condition
    child = next((child for child in node.children if child.name == condition.field.name), None)
    if child is None:
        return condition
    match condition.operation:
        case Is(IsValue.NULL):
            return EmbedIsNull(child, condition.negated)
        case Is(IsValue.NOT_NULL):
            return EmbedIsNull(child, not condition.negated)
        case _:
            return condition
