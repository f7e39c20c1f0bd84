"""The read plan: a tree of the request's resources with their relationships, conditions, orders and windows.

The rules and their order follow PostgREST's Plan module. A request that does not fit the catalog is refused
here, before any SQL is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from local_supabase.rest.catalog.embedding import find_relationship
from local_supabase.rest.catalog.model import Catalog, Column, Relationship, Type
from local_supabase.rest.errors import no_aggregates, not_embedded, order_not_to_one
from local_supabase.rest.names import Name
from local_supabase.rest.query.query_string import Query
from local_supabase.rest.query.ranges import Window
from local_supabase.rest.query.syntax import (
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
from local_supabase.rest.sql.statement import identifier

_LONGEST_ALIAS = 60


@dataclass(frozen=True, slots=True)
class EmbedIsNull:
    """`rel=is.null`: whether an embedded resource has no row."""

    child: Node
    negated: bool


@dataclass(frozen=True, slots=True)
class PlanLogic:
    """`and` or `or` over conditions."""

    conjunction: bool
    negated: bool
    parts: tuple[PlanCondition, ...]


PlanCondition: TypeAlias = Filter | EmbedIsNull | PlanLogic


@dataclass(slots=True, eq=False)
class Node:
    """One resource: the one that the path names (the root) or an embedded one."""

    table: Name
    columns: Mapping[str, Column]
    computed: Mapping[str, Type]
    # Quoted SQL: the table's qualified name or an alias.
    reference: str
    item: SelectRelation | None = None
    relationship: Relationship | None = None
    parent: Node | None = None
    alias: str | None = None
    aggregate: str = ""
    depth: int = 0
    fields: list[SelectField] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    where: list[PlanCondition] = field(default_factory=list)
    order: tuple[OrderTerm, ...] = ()
    window: Window = field(default_factory=Window)

    @property
    def name(self) -> str:
        """The resource's name in its parent's rows and in the paths of parameters."""
        if self.item is None:
            return self.table.name
        return self.item.alias or self.item.name

    @property
    def invisible(self) -> bool:
        """Whether the request selects nothing of the resource (`rel()`): it only serves conditions."""
        return not self.fields and all(child.invisible for child in self.children)

    @property
    def to_one(self) -> bool:
        """Whether a parent row has at most one row of this resource."""
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
    """Add a query's embedded resources, conditions, orders and windows to the root, and return the root.

    Arguments:
        catalog: where relationships and columns are looked up.
        root: the node of the resource that the path names.
        query: the parsed query string.
        filters: whether the root's own filters apply to the read. A write applies them itself.
        ranges: whether windows apply.
        max_rows: the most rows of each resource; None is no limit.

    Raises:
        RestError: PGRST108, 118, 120, 123, 200, 201.
    """
    _add_items(catalog, root, query.select)
    for path, condition in query.filters:
        if filters or path:
            node = _node_at(root, path)
            node.where.append(condition)
    for path, tree in query.logic:
        if filters or path:
            node = _node_at(root, path)
            node.where.append(plan_condition(tree))
    # If a resource has several orders, the first one applies.
    for path, terms in reversed(query.orders):
        _node_at(root, path).order = terms
    if ranges:
        _set_windows(root, query)
        _limit_windows(root, max_rows)
    _resolve_references(root)
    return root


def _add_items(catalog: Catalog, node: Node, items: tuple[SelectItem, ...]) -> None:
    for item in items:
        if isinstance(item, SelectField):
            if item.aggregate is not None:
                raise no_aggregates()
            node.fields.append(item)
            continue
        child = _embedded_node(catalog, node, item)
        node.children.append(child)
        _add_items(catalog, child, item.items)


def _embedded_node(catalog: Catalog, parent: Node, item: SelectRelation) -> Node:
    found = find_relationship(catalog, parent.table, item.name, item.hint)
    depth = parent.depth + 1
    alias = _unused_name(f"{found.foreign.name}_{depth}", f"embed_{depth}", _aliases_above(parent))
    # Two with the same name have the same alias, and Postgres refuses them as it does for PostgREST (42712).
    name = item.alias or item.name
    taken = {alias, *(sibling.aggregate for sibling in parent.children if sibling.name != name)}
    aggregate = _unused_name(f"{found.table.name}_{name}_{depth}", f"embedded_{depth}", taken)
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
    """Return the names of the node and its ancestors, which an inner alias must not hide."""
    names = set()
    while node is not None:
        names.add(node.alias or node.table.name)
        node = node.parent
    return names


def _unused_name(name: str, short_name: str, taken: set[str]) -> str:
    # Postgres cuts names at 63 bytes, so two longer names could become the same one.
    chosen = name if len(name.encode()) < _LONGEST_ALIAS else short_name
    while chosen in taken:
        chosen += "_"
    return chosen


def _node_at(root: Node, path: EmbedPath) -> Node:
    node = root
    for name in path:
        found = next(
            (c for c in node.children if c.item is not None and name in {c.item.name, c.item.alias}), None
        )
        if found is None:
            raise not_embedded(name)
        node = found
    return node


def plan_condition(tree: Condition) -> PlanCondition:
    """Convert a parsed condition into one of the plan."""
    if isinstance(tree, Filter):
        return tree
    return PlanLogic(tree.conjunction, tree.negated, tuple(plan_condition(part) for part in tree.parts))


def _set_windows(root: Node, query: Query) -> None:
    for path, window in query.windows:
        if path:
            _node_at(root, path).window = window


def _limit_windows(node: Node, max_rows: int | None) -> None:
    if max_rows is not None:
        node.window = node.window.at_most(max_rows)
    for child in node.children:
        _limit_windows(child, max_rows)


def _resolve_references(node: Node) -> None:
    """Resolve the embedded resources that orders and null conditions name."""
    for term in node.order:
        if term.relation is not None:
            _check_order(node, term.relation)
    node.where = [_resolve_condition(node, condition) for condition in node.where]
    for child in node.children:
        _resolve_references(child)


def _check_order(node: Node, relation: str) -> None:
    target = next((child for child in node.children if child.name == relation), None)
    if target is None:
        raise not_embedded(relation)
    if not target.to_one:
        raise order_not_to_one(node.table.name, target.name)


def _resolve_condition(node: Node, condition: PlanCondition) -> PlanCondition:
    if isinstance(condition, PlanLogic):
        parts = tuple(_resolve_condition(node, part) for part in condition.parts)
        return PlanLogic(condition.conjunction, condition.negated, parts)
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
