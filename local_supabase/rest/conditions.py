"""SQL of fields, filters and orders.

PostgREST sends filter values as untyped literals, which Postgres reads as the type of the other side. A
driver's parameters are typed, so every value goes as text and is cast to the very type Postgres would take.
"""

from __future__ import annotations

from typing import Final

from local_supabase.rest.casts import cast_target
from local_supabase.rest.catalog import JSON_TYPE, JSONB_TYPE, TEXT_TYPE, TSVECTOR, Catalog, Name, Type
from local_supabase.rest.sql import Parameters, identifier, qualified
from local_supabase.rest.syntax import (
    Compare,
    Distinct,
    Field,
    Filter,
    FullText,
    In,
    Is,
    IsValue,
    JsonStep,
    OrderTerm,
    Quantifier,
    SelectField,
)
from local_supabase.rest.tree import Branch, EmbedIsNull, Node, Placed

_OPERATORS: Final = {
    "eq": "=",
    "neq": "<>",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "like": "like",
    "ilike": "ilike",
    "match": "~",
    "imatch": "~*",
    "cs": "@>",
    "cd": "<@",
    "ov": "&&",
    "sl": "<<",
    "sr": ">>",
    "nxr": "&<",
    "nxl": "&>",
    "adj": "-|-",
}
_PATTERNS: Final = {"like", "ilike", "match", "imatch"}
_QUERIES: Final = {
    "fts": "to_tsquery",
    "plfts": "plainto_tsquery",
    "phfts": "phraseto_tsquery",
    "wfts": "websearch_to_tsquery",
}
_IS: Final = {
    IsValue.NULL: "IS NULL",
    IsValue.NOT_NULL: "IS NOT NULL",
    IsValue.TRUE: "IS TRUE",
    IsValue.FALSE: "IS FALSE",
    IsValue.UNKNOWN: "IS UNKNOWN",
}


class Writer:
    """Writes the parts of one statement, collecting its parameters."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.parameters = Parameters()

    def column(self, node: Node, name: str) -> str:
        """Name a column of a resource."""
        return f"{node.reference}.*" if name == "*" else f"{node.reference}.{identifier(name)}"

    def type_of(self, node: Node, field: Field) -> Type:
        """Return the type a field's values have; text where nothing is known of it."""
        kind = _column_type(node, field.name)
        if not field.path:
            return kind or TEXT_TYPE
        if field.path[-1].as_text:
            return TEXT_TYPE
        return JSON_TYPE if kind is not None and kind.name == JSON_TYPE.name else JSONB_TYPE

    def field(self, node: Node, field: Field) -> str:
        """Write a column, or a place inside a JSON column."""
        column = self.column(node, field.name)
        if not field.path:
            return column
        kind = _column_type(node, field.name)
        start = column if kind is not None and kind.is_json else f"to_jsonb({column})"
        return start + "".join(self._step(step) for step in field.path)

    def _step(self, step: JsonStep) -> str:
        arrow = "->>" if step.as_text else "->"
        if isinstance(step.operand, int):
            return f"{arrow}{self.parameters.text(str(step.operand))}::int4"
        return f"{arrow}{self.parameters.text(step.operand)}"

    def select(self, node: Node, item: SelectField) -> str:
        """Write a selected field with its cast and its name in the answer."""
        value = self.field(node, item.field)
        name = item.alias or json_name(item.field)
        kind = _column_type(node, item.field.name)
        if kind is not None and kind.to_json is not None and not item.field.path:
            value = f"{qualified(kind.to_json)}({value})"
            name = name or item.field.name
        if item.cast is not None:
            target = cast_target(item.cast, node.table.schema, self.catalog.types)
            value = f"CAST({value} AS {target})"
        return f"{value} AS {identifier(name)}" if name is not None else value

    def order(self, node: Node, term: OrderTerm) -> str:
        """Write one term of an order."""
        value = self.field(node, term.field) if term.relation is None else self._related(node, term)
        direction = {None: "", True: " DESC", False: " ASC"}[term.descending]
        return value + direction + {None: "", True: " NULLS FIRST", False: " NULLS LAST"}[term.nulls_first]

    def _related(self, node: Node, term: OrderTerm) -> str:
        child = next(child for child in node.children if child.name == term.relation)
        column = f"{identifier(child.aggregate)}.{identifier(term.field.name)}"
        if not term.field.path:
            return column
        return f"to_jsonb({column})" + "".join(self._step(step) for step in term.field.path)

    def conditions(self, node: Node, placed: list[Placed]) -> list[str]:
        """Write conditions that all have to hold."""
        return [self.condition(node, one) for one in placed]

    def condition(self, node: Node, placed: Placed) -> str:
        """Write one condition."""
        match placed:
            case Branch():
                joined = (" AND " if placed.conjunction else " OR ").join(
                    self.condition(node, part) for part in placed.parts
                )
                return f"NOT ({joined})" if placed.negated else f"({joined})"
            case EmbedIsNull():
                word = "IS DISTINCT FROM" if placed.negated else "IS NOT DISTINCT FROM"
                return f"{identifier(placed.child.aggregate)} {word} NULL"
            case Filter():
                return self.filter(node, placed)

    def filter(self, node: Node, found: Filter) -> str:
        """Write one filter."""
        text = self._operation(node, found)
        return f"NOT {text}" if found.negated else text

    def _operation(self, node: Node, found: Filter) -> str:
        kind = self.type_of(node, found.field)
        field = self.field(node, found.field)
        match found.operation:
            case Compare():
                return f"{field} {self._compare(found.operation, kind)}"
            case Distinct(value):
                return f"{field} IS DISTINCT FROM {self.parameters.cast(value, kind.base)}"
            case Is(value):
                return f"{field} {_IS[value]}"
            case In(values):
                return f"{field} {self._within(values, kind)}"
            case FullText():
                return self._full_text(field, kind, found.operation)

    def _compare(self, operation: Compare, kind: Type) -> str:
        operator = _OPERATORS[operation.operator]
        value = operation.value
        if operation.operator in {"like", "ilike"}:
            value = value.replace("*", "%")
        pattern = operation.operator in _PATTERNS
        if operation.quantifier is not None:
            word = "ANY" if operation.quantifier is Quantifier.ANY else "ALL"
            array = TEXT_TYPE.array if pattern else kind.array
            return f"{operator} {word}({self.parameters.cast(value, array or Name('pg_catalog', '_text'))})"
        return f"{operator} {self.parameters.text(value) if pattern else self._given(value, kind)}"

    def _given(self, value: str, kind: Type) -> str:
        if kind.from_text is not None:
            return f"{qualified(kind.from_text)}({self.parameters.text(value)})"
        return self.parameters.cast(value, kind.base)

    def _within(self, values: tuple[str, ...], kind: Type) -> str:
        # `in.()` holds for no row.
        wanted = [] if values == ("",) else list(values)
        if kind.from_text is not None:
            return f"= ANY (SELECT {qualified(kind.from_text)}(unnest({self.parameters.texts(wanted)})))"
        array = kind.array or Name("pg_catalog", "_text")
        return f"= ANY ({self.parameters.texts(wanted)}::{qualified(array)})"

    def _full_text(self, field: str, kind: Type, operation: FullText) -> str:
        language = ""
        vector = field
        if operation.language is not None:
            language = f"{self.parameters.text(operation.language)}::regconfig, "
        if kind.base != TSVECTOR:
            vector = f"to_tsvector({language}{field})"
        return (
            f"{vector} @@ {_QUERIES[operation.operator]}({language}{self.parameters.text(operation.value)})"
        )


def _column_type(node: Node, name: str) -> Type | None:
    column = node.columns.get(name)
    return column.type if column is not None else node.computed.get(name)


def json_name(field: Field) -> str | None:
    """Return the name a JSON path's value has in the answer: its last key, else its column."""
    if not field.path:
        return None
    keys = [step.operand for step in field.path if isinstance(step.operand, str)]
    return keys[-1] if keys else field.name
