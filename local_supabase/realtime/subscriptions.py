"""The postgres_changes bindings of joined channels, and which of them a change matches."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import orjson

from local_supabase.identity import Identity
from local_supabase.realtime.comparison import CheckedClause
from local_supabase.realtime.filters import Clause, FilterError, describe, parse

WILDCARD = "*"


class SubscriptionError(ValueError):
    """Parameters that cannot be subscribed to; the client is sent the message."""


class Operation(StrEnum):
    """What happened to a row."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Subscriber(Protocol):
    """A joined channel, as the fan-out sees it."""

    @property
    def identity(self) -> Identity:
        """The role and claims of its newest token, which decide what rows it may see."""

    def send_change(self, ids: Sequence[int], data: bytes) -> None:
        """Push one change; `ids` are the matching bindings, `data` is the change as JSON."""

    def end_binding(self, binding: "Binding", reason: str) -> None:
        """Deactivate a binding that cannot be delivered to, and tell the client the reason."""

    def disconnect(self, code: int) -> None:
        """Close its connection with a WebSocket close code."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """One entry of a join's `postgres_changes`; an `operation` of None stands for all of them."""

    operation: Operation | None
    schema: str
    table: str
    clauses: tuple[Clause, ...]
    select: tuple[str, ...] | None

    def names(self, schema: str, table: str) -> bool:
        """Return whether the parameters name a table."""
        return self.schema in (WILDCARD, schema) and self.table in (WILDCARD, table)

    def describe(self) -> str:
        """Return the parameters as Realtime's error messages show them."""
        select = "nil" if self.select is None else str(orjson.dumps(self.select), "utf-8").replace(",", ", ")
        return (
            f"[event: {self.operation or WILDCARD}, schema: {self.schema}, table: {self.table}, "
            f"filters: {describe(self.clauses)}, select: {select}]"
        )


@dataclass(eq=False, slots=True)
class Binding:
    """An active subscription.

    `checked` caches the clauses as Postgres checked them for each table, or None if they do not fit it.
    `ended` is true after a failure: from then on nothing is delivered.
    """

    id: int
    parameters: Parameters
    subscriber: Subscriber
    checked: dict[int, tuple[CheckedClause, ...] | None]
    ended: bool = False


class Subscriptions:
    """All active bindings, indexed by table."""

    def __init__(self) -> None:
        self._bindings: dict[Binding, None] = {}
        self._by_table: dict[tuple[str, str], dict[Binding, None]] = {}

    def __len__(self) -> int:
        return len(self._bindings)

    def subscribers(self) -> list[Subscriber]:
        """Return every subscriber once."""
        return list(dict.fromkeys(binding.subscriber for binding in self._bindings))

    def add(self, bindings: Iterable[Binding]) -> None:
        """Activate bindings."""
        for binding in bindings:
            self._bindings[binding] = None
            for (schema, table), known in self._by_table.items():
                if binding.parameters.names(schema, table):
                    known[binding] = None

    def remove(self, bindings: Iterable[Binding]) -> None:
        """Deactivate bindings; those that are not active are ignored."""
        for binding in bindings:
            self._bindings.pop(binding, None)
            for known in self._by_table.values():
                known.pop(binding, None)

    def discard_checks(self, oid: int) -> None:
        """Discard the checked clauses of a table whose definition changed, so that they are checked again."""
        for binding in self._bindings:
            binding.checked.pop(oid, None)

    def of_table(self, schema: str, table: str, operation: Operation) -> list[Binding]:
        """Return the bindings for this operation on this table, before filters are applied."""
        known = self._by_table.get((schema, table))
        if known is None:
            known = {b: None for b in self._bindings if b.parameters.names(schema, table)}
            self._by_table[schema, table] = known
        return [b for b in known if b.parameters.operation in (None, operation)]


def binding_id(parameters: object) -> int:
    """Return the id of a binding: the same for the same parameters, and never 0.

    Clients take 0 for no id.
    """
    return zlib.crc32(orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)) % 0x7FFFFFFE + 1


def read_parameters(raw: object) -> Parameters:
    """Read one entry of `postgres_changes`.

    Raises `SubscriptionError` with Realtime's own message when nothing or something unreadable is asked for.
    """
    if not isinstance(raw, dict):
        raise SubscriptionError(_nothing_to_subscribe(raw))
    select = _select(raw.get("select"))
    schema, table = raw.get("schema"), raw.get("table")
    if "filter" in raw and not (isinstance(schema, str) and isinstance(table, str)):
        raise SubscriptionError(_nothing_to_subscribe(raw))
    if "schema" in raw and "table" in raw:
        parameters = _both(raw, schema, table)
    elif isinstance(schema, str):
        parameters = Parameters(_operation(raw.get("event")), schema, WILDCARD, (), None)
    elif isinstance(table, str):
        parameters = Parameters(_operation(raw.get("event")), "public", table, (), None)
    else:
        raise SubscriptionError(_nothing_to_subscribe(raw))
    if select is not None and WILDCARD in (parameters.schema, parameters.table):
        raise SubscriptionError(
            "Column selection is not supported for wildcard subscriptions. "
            "Provide an explicit schema and table name."
        )
    return replace(parameters, select=select)


def _both(raw: Mapping[str, object], schema: object, table: object) -> Parameters:
    if not (isinstance(schema, str) and isinstance(table, str)):
        raise SubscriptionError(_nothing_to_subscribe(raw))
    return Parameters(_operation(raw.get("event")), schema, table, _clauses(raw), None)


def _clauses(raw: Mapping[str, object]) -> tuple[Clause, ...]:
    if "filter" not in raw:
        return ()
    text = raw["filter"]
    if not isinstance(text, str):
        raise SubscriptionError(_nothing_to_subscribe(raw))
    try:
        return parse(text)
    except FilterError as error:
        raise SubscriptionError(f"Error parsing `filter` params: {error}") from error


def _operation(event: object) -> Operation | None:
    if not isinstance(event, str):
        return None
    return next((operation for operation in Operation if operation == event.upper()), None)


def _select(select: object) -> tuple[str, ...] | None:
    if isinstance(select, str):
        raise SubscriptionError(
            "Error parsing `select` params: expected a list of column name strings, "
            'e.g. select: ["col1", "col2"]'
        )
    if not isinstance(select, list):
        return None
    names = sorted({name for name in select if isinstance(name, str)})
    return tuple(names) or None


def _nothing_to_subscribe(raw: object) -> str:
    shown = (
        "<redacted>" if isinstance(raw, dict) and {"user_token", "auth_token"} & raw.keys() else _inspect(raw)
    )
    return (
        "No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: "
        + shown
    )


def _inspect(raw: object) -> str:
    """Write JSON as Elixir shows terms."""
    if isinstance(raw, dict):
        return (
            "%{"
            + ", ".join(f"{_inspect(key)} => {_inspect(value)}" for key, value in sorted(raw.items()))
            + "}"
        )
    if isinstance(raw, list):
        return f"[{', '.join(_inspect(item) for item in raw)}]"
    if raw is None:
        return "nil"
    return orjson.dumps(raw).decode()
