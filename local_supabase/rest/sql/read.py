"""The SQL of reads in PostgREST's form: a statement returns one row with the counts and the whole body."""

# Names in these strings come from `identifier` and `qualified`, values from `Parameters`.
# ruff: noqa: S608

from __future__ import annotations

from typing import Final

from local_supabase.rest.catalog.model import Relationship
from local_supabase.rest.query.media import Format
from local_supabase.rest.query.syntax import Field, SelectField
from local_supabase.rest.sql.conditions import SqlWriter, json_name
from local_supabase.rest.sql.statement import (
    SOURCE,
    comma,
    identifier,
    qualified,
)
from local_supabase.rest.sql.tree import (
    EmbedIsNull,
    Node,
    PlanCondition,
    PlanLogic,
)

ROW: Final = '"_postgrest_t"'
RESPONSE: Final = (
    "nullif(current_setting('response.headers', true), '') AS response_headers, "
    "nullif(current_setting('response.status', true), '') AS response_status"
)
_CSV: Final = (
    "(SELECT coalesce(string_agg(a.k, ','), '') FROM (SELECT json_object_keys(r)::text AS k "
    f"FROM (SELECT row_to_json(hh) AS r FROM {SOURCE} AS hh LIMIT 1) s) a) || E'\\n' || "
    f"coalesce(string_agg(substring({ROW}::text, 2, length({ROW}::text) - 2), E'\\n'), '')"
)
_RAW: Final = f"(array_agg({ROW}.pgrst_scalar::text))[1]"


class QueryWriter(SqlWriter):
    """Writes the queries of a statement."""

    def query(self, node: Node) -> str:
        """Write the query of a resource with its embedded resources."""
        joins = [self._join(child) for child in node.children]
        parts = [
            f"SELECT {comma(self._selected(node))} FROM {self.source(node)}",
            *joins,
            self._where([*self.conditions(node, node.where), *self.join_conditions(node)]),
        ]
        if node.order:
            parts.append("ORDER BY " + comma([self.order(node, term) for term in node.order]))
        if node.window.limit is not None:
            parts.append(f"LIMIT {self.parameters.number(node.window.limit)}")
        if node.window.offset:
            parts.append(f"OFFSET {self.parameters.number(node.window.offset)}")
        return " ".join(part for part in parts if part)

    def _where(self, conditions: list[str]) -> str:
        return "WHERE " + " AND ".join(conditions) if conditions else ""

    def _selected(self, node: Node) -> list[str]:
        fields = node.fields if node.fields or node.children else [SelectField(Field("*"))]
        selected = [self.select(node, item) for item in _expand_star(node, fields)]
        for child in node.children:
            selected += self._embedded(child)
        return selected

    def _embedded(self, child: Node) -> list[str]:
        if child.invisible:
            return []
        aggregate = identifier(child.aggregate)
        if child.item is not None and child.item.spread:
            return [f"{aggregate}.{identifier(name)}" for name in spread_names(child)]
        if child.to_one:
            return [f"row_to_json({aggregate}.*) AS {identifier(child.name)}"]
        return [f"COALESCE({aggregate}.{aggregate}, '[]') AS {identifier(child.name)}"]

    def source(self, node: Node) -> str:
        """Write what follows FROM for a resource."""
        one = node.relationship
        if one is None:
            return node.reference if node.alias is None else f"{SOURCE} AS {node.reference}"
        if one.function is not None:
            return f"{self._call(one, node)} AS {node.reference}"
        table = f"{qualified(one.foreign)} AS {node.reference}"
        if one.junction is not None:
            return f"{table}, {qualified(one.junction.table)} AS {_junction_alias(node)}"
        return table

    def _call(self, one: Relationship, node: Node) -> str:
        assert one.function is not None
        parent = node.parent
        assert parent is not None
        reference = identifier(parent.table.name) if parent.relationship is None else parent.reference
        return f"{qualified(one.function)}({reference}::{qualified(one.table)})"

    def join_conditions(self, node: Node) -> list[str]:
        """Write the conditions that join an embedded resource to its parent's row."""
        one = node.relationship
        if one is None or one.function is not None:
            return []
        parent = node.parent
        assert parent is not None
        if one.junction is None:
            return [
                f"{node.reference}.{identifier(far)} = {parent.reference}.{identifier(near)}"
                for near, far in one.columns
            ]
        middle = _junction_alias(node)
        return [
            *(
                f"{node.reference}.{identifier(f)} = {middle}.{identifier(j)}"
                for f, j in one.junction.foreign_columns
            ),
            *(
                f"{middle}.{identifier(j)} = {parent.reference}.{identifier(c)}"
                for c, j in one.junction.columns
            ),
        ]

    def _join(self, child: Node) -> str:
        aggregate = identifier(child.aggregate)
        inner = child.item is not None and child.item.join == "inner"
        word = "INNER" if inner else "LEFT"
        rows = self.query(child)
        if child.to_one:
            return f"{word} JOIN LATERAL ({rows}) AS {aggregate} ON TRUE"
        condition = f"{aggregate} IS NOT NULL" if inner else "TRUE"
        arrays = [f"json_agg({aggregate}) AS {aggregate}"]
        if child.item is not None and child.item.spread:
            # One array for each column. All of them follow the order of the same rows.
            arrays += [
                f"COALESCE(json_agg({aggregate}.{identifier(name)}), '[]') AS {identifier(name)}"
                for name in spread_names(child)
            ]
        aggregated = f"SELECT {comma(arrays)} FROM ({rows}) AS {aggregate}"
        return f"{word} JOIN LATERAL ({aggregated}) AS {aggregate} ON {condition}"

    def count(self, node: Node) -> str:
        """Write a query that gives one row for each row of the resource, without a window."""
        conditions = [self._count_condition(node, one) for one in node.where]
        conditions += self.join_conditions(node)
        conditions += [
            f"EXISTS ({self.count(child)})"
            for child in node.children
            if child.item is not None and child.item.join == "inner"
        ]
        return f"SELECT 1 FROM {self.source(node)} {self._where(conditions)}".rstrip()

    def _count_condition(self, node: Node, condition: PlanCondition) -> str:
        if isinstance(condition, EmbedIsNull):
            return f"{'' if condition.negated else 'NOT '}EXISTS ({self.count(condition.child)})"
        if isinstance(condition, PlanLogic):
            joined = (" AND " if condition.conjunction else " OR ").join(
                self._count_condition(node, p) for p in condition.parts
            )
            return f"NOT ({joined})" if condition.negated else f"({joined})"
        return self.condition(node, condition)


def _expand_star(node: Node, fields: list[SelectField]) -> list[SelectField]:
    """Replace `*` with all columns if a column needs a function to be shown."""
    if not any(column.type.to_json for column in node.columns.values()):
        return fields
    everything = [SelectField(Field(name)) for name in node.columns]
    return [one for item in fields for one in (everything if item.field.name == "*" else [item])]


def _junction_alias(node: Node) -> str:
    return identifier(f"junction_{node.depth}_{len(node.reference)}")


def spread_names(child: Node) -> list[str]:
    """Return the columns that a spread resource adds to its parent's rows."""
    names: list[str] = []
    for item in child.fields:
        if item.field.name == "*":
            names += child.columns
        else:
            names.append(item.alias or json_name(item.field) or item.field.name)
    for inner in child.children:
        if inner.invisible:
            continue
        if inner.item is not None and inner.item.spread:
            names += spread_names(inner)
        else:
            names.append(inner.name)
    return names


def body(form: Format | None, *, scalar: bool = False, single: bool = False) -> str:
    """Write the aggregate that builds the response's body from all rows.

    Arguments:
        form: the body's format; None writes an empty body.
        scalar: whether the rows are the plain values of a function.
        single: whether the body is one value or row instead of an array.
    """
    if form is None:
        return "''"
    if form is Format.CSV:
        return _CSV
    if form is Format.RAW:
        return _RAW
    rows = f"json_agg({ROW}.pgrst_scalar)" if scalar else f"json_agg({ROW})"
    if form.strips_nulls:
        rows = f"json_strip_nulls({rows})"
    if single or form.singular:
        return f"coalesce(({rows}->0)::text, 'null')"
    return f"coalesce({rows}::text, '[]')"
