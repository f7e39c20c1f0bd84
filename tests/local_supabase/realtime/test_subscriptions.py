"""Parameters of postgres_changes, their ids, and which bindings want a change."""

from collections.abc import Sequence

import pytest

from local_supabase.identity import Identity
from local_supabase.realtime.filters import Clause, Operator
from local_supabase.realtime.subscriptions import (
    Binding,
    Operation,
    Parameters,
    SubscriptionError,
    Subscriptions,
    binding_id,
    read_parameters,
)


class Nobody:
    """A subscriber that is never asked."""

    @property
    def identity(self) -> Identity:
        raise AssertionError

    def send_change(self, ids: Sequence[int], data: bytes) -> None:
        raise AssertionError

    def end_binding(self, binding: Binding, reason: str) -> None:
        raise AssertionError

    def disconnect(self, code: int) -> None:
        raise AssertionError


CLAUSE = Clause("id", Operator.EQ, "1", negate=False)


@pytest.mark.parametrize(
    ("raw", "parameters"),
    [
        ({"schema": "s", "table": "t"}, Parameters(None, "s", "t", (), None)),
        ({"schema": "s"}, Parameters(None, "s", "*", (), None)),
        ({"table": "t"}, Parameters(None, "public", "t", (), None)),
        ({"event": "update", "table": "t"}, Parameters(Operation.UPDATE, "public", "t", (), None)),
        ({"event": "TRUNCATE", "table": "t"}, Parameters(None, "public", "t", (), None)),
        (
            {"event": "*", "schema": "s", "table": "t", "filter": "id=eq.1", "select": ["b", "a", "b", 1]},
            Parameters(None, "s", "t", (CLAUSE,), ("a", "b")),
        ),
        ({"schema": "s", "table": "t", "filter": " ", "select": []}, Parameters(None, "s", "t", (), None)),
    ],
)
def test_what_is_read(raw: object, parameters: Parameters) -> None:
    assert read_parameters(raw) == parameters


NOTHING = "No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: "


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, NOTHING + "%{}"),
        ({"event": "INSERT", "n": None}, NOTHING + '%{"event" => "INSERT", "n" => nil}'),
        ({"schema": "s", "table": None}, NOTHING + '%{"schema" => "s", "table" => nil}'),
        ({"schema": "s", "filter": "a=eq.1"}, NOTHING + '%{"filter" => "a=eq.1", "schema" => "s"}'),
        ({"user_token": "secret"}, NOTHING + "<redacted>"),
        ("text", NOTHING + '"text"'),
        ({"schema": "s", "table": "t", "filter": "x"}, 'Error parsing `filter` params: ["x"]'),
        (
            {"schema": "s", "table": "t", "select": "a"},
            "Error parsing `select` params: expected a list of column name strings, "
            'e.g. select: ["col1", "col2"]',
        ),
    ],
)
def test_what_is_refused(raw: object, message: str) -> None:
    with pytest.raises(SubscriptionError) as refusal:
        read_parameters(raw)
    assert str(refusal.value) == message


def test_parameters_are_shown_as_the_server_shows_them() -> None:
    shown = read_parameters({"event": "INSERT", "schema": "s", "table": "t", "filter": "id=eq.1"}).describe()
    assert shown == '[event: INSERT, schema: s, table: t, filters: [{"id", "eq", "1", false}], select: nil]'


def test_the_same_parameters_have_the_same_id_which_is_never_zero() -> None:
    assert binding_id({"a": 1, "b": 2}) == binding_id({"b": 2, "a": 1})
    assert binding_id({"a": 1}) != binding_id({"a": 2})
    assert all(0 < binding_id({"n": n}) < 2**31 for n in range(1000))


def binding(raw: dict[str, object]) -> Binding:
    return Binding(1, read_parameters(raw), Nobody(), {})


def test_bindings_are_found_by_table_and_operation() -> None:
    every, inserts = binding({"schema": "*", "table": "*"}), binding({"event": "INSERT", "table": "t"})
    subscriptions = Subscriptions()
    subscriptions.add([every])
    assert subscriptions.of_table("public", "t", Operation.INSERT) == [every]
    subscriptions.add([inserts])
    assert subscriptions.of_table("public", "t", Operation.INSERT) == [every, inserts]
    assert subscriptions.of_table("public", "t", Operation.DELETE) == [every]
    assert subscriptions.of_table("other", "t", Operation.INSERT) == [every]
    subscriptions.remove([every, every])
    assert subscriptions.of_table("public", "t", Operation.INSERT) == [inserts]
    assert len(subscriptions) == 1
