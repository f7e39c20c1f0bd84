"""The SQL of fields, filters and orders.

PostgREST sends filter values as untyped literals, which take the type of the other operand. Parameters are
typed, so each value is sent as text and cast to the type that Postgres would have chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from local_supabase.rest.catalog.model import JSON_TYPE, JSONB_TYPE, TEXT_TYPE, TSVECTOR, Catalog, Type
from local_supabase.rest.names import Name
from local_supabase.rest.query.syntax import (
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
from local_supabase.rest.sql.casts import cast_target
from local_supabase.rest.sql.statement import Parameters, identifier, qualified
from local_supabase.rest.sql.tree import (
    EmbedIsNull,
    Node,
    PlanCondition,
    PlanLogic,
)

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


class SqlWriter:
    """Writes the parts of one statement and collects its parameters.

    Arguments:
        catalog: the catalog that names and types come from.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.parameters = Parameters()

    def column(self, node: Node, name: str) -> str:
        """Return the reference to a column of a resource."""
        return f"{node.reference}.*" if name == "*" else f"{node.reference}.{identifier(name)}"

    def type_of(self, node: Node, field: Field) -> Type:
        """Return the type of a field's values; text if the catalog does not know the field."""
        kind = _column_type(node, field.name)
        if not field.path:
            return kind or TEXT_TYPE
        if field.path[-1].as_text:
            return TEXT_TYPE
        return JSON_TYPE if kind is not None and kind.name == JSON_TYPE.name else JSONB_TYPE

    def field(self, node: Node, field: Field) -> str:
        """Write a column, or a path inside a JSON column."""
        column = self.column(node, field.name)
        if not field.path:
            return column
        kind = _column_type(node, field.name)
        start = column if kind is not None and kind.is_json else f"to_jsonb({column})"
        return start + "".join(self._json_step(step) for step in field.path)

    def _json_step(self, step: JsonStep) -> str:
        arrow = "->>" if step.as_text else "->"
        if isinstance(step.operand, int):
            return f"{arrow}{self.parameters.text(str(step.operand))}::int4"
        return f"{arrow}{self.parameters.text(step.operand)}"

    def select(self, node: Node, item: SelectField) -> str:
        """Write a selected field with its cast and its name in the response.

        Raises:
            RestError: 42704, the cast names an unknown type.
        """
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
        return f"to_jsonb({column})" + "".join(self._json_step(step) for step in term.field.path)

    def conditions(self, node: Node, conditions: Sequence[PlanCondition]) -> list[str]:
        """Write each condition on a resource."""
        return [self.condition(node, condition) for condition in conditions]

    def condition(self, node: Node, condition: PlanCondition) -> str:
        """Write one condition."""
        match condition:
            case PlanLogic():
                joined = (" AND " if condition.conjunction else " OR ").join(
                    self.condition(node, part) for part in condition.parts
                )
                return f"NOT ({joined})" if condition.negated else f"({joined})"
            case EmbedIsNull():
                word = "IS DISTINCT FROM" if condition.negated else "IS NOT DISTINCT FROM"
                return f"{identifier(condition.child.aggregate)} {word} NULL"
            case Filter():
                return self.filter(node, condition)

    def filter(self, node: Node, condition: Filter) -> str:
        """Write one filter."""
        text = self._operation(node, condition)
        return f"NOT {text}" if condition.negated else text

    def _operation(self, node: Node, condition: Filter) -> str:
        kind = self.type_of(node, condition.field)
        field = self.field(node, condition.field)
        match condition.operation:
            case Compare():
                return f"{field} {self._compare(condition.operation, kind)}"
            case Distinct(value):
                return f"{field} IS DISTINCT FROM {self.parameters.cast(value, kind.base)}"
            case Is(value):
                return f"{field} {_IS[value]}"
            case In(values):
                return f"{field} {self._in_list(values, kind)}"
            case FullText():
                return self._full_text(field, kind, condition.operation)

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
        return f"{operator} {self.parameters.text(value) if pattern else self._operand(value, kind)}"

    def _operand(self, value: str, kind: Type) -> str:
        if kind.from_text is not None:
            return f"{qualified(kind.from_text)}({self.parameters.text(value)})"
        return self.parameters.cast(value, kind.base)

    def _in_list(self, values: tuple[str, ...], kind: Type) -> str:
        # `in.()` parses as one empty value and matches no row.
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
    """Return the response's name for a JSON path: its last key, else its column. None without a path."""
    if not field.path:
        return None
    keys = [step.operand for step in field.path if isinstance(step.operand, str)]
    return keys[-1] if keys else field.name
