from typing import Any

import pytest

from local_supabase.rest.catalog.model import PG, Cardinality, Column, Returns, Type
from local_supabase.rest.catalog.routines import computed_functions, routines
from local_supabase.rest.names import Name

TEXT, INT, TRIGGER, PROJECT = 25, 23, 2279, 9001


def _type(name: str) -> Type:
    return Type(Name(PG, name), Name(PG, name), None, name)


class _Objects:
    def __init__(self) -> None:
        self.types = {TEXT: _type("text"), INT: _type("int4"), TRIGGER: _type("trigger")}
        self.types[PROJECT] = Type(Name("public", "projects"), Name("public", "projects"), None, "projects")
        self.type_relations: dict[int, Any] = {
            PROJECT: {"oid": 1, "schema": "public", "name": "projects", "kind": "r"}
        }
        self.columns = {1: {"id": Column("id", self.types[INT])}}


def _row(name: str, returns: int, inputs: list[int], **values: object) -> dict[str, object]:
    row = {
        "schema": "public", "name": name, "names": None, "modes": None, "inputs": inputs, "types": None,
        "defaults": 0, "returns": returns, "set_of": False, "one_row": False, "volatility": "s",
        "settings": None, "description": None,
    }  # fmt: skip
    return {**row, **values}


def test_parameters_have_names_and_the_last_ones_defaults() -> None:
    row = _row("add", INT, [INT, INT], names=["a", "b"], defaults=1)
    (found,) = routines([row], _Objects(), ("public",))[Name("public", "add")]
    assert [(one.name, one.required) for one in found.parameters] == [("a", True), ("b", False)]
    assert (found.returns, found.single) == (Returns.SCALAR, True)


def test_a_function_that_returns_rows_of_a_table_has_its_columns() -> None:
    row = _row("all_projects", PROJECT, [], set_of=True, settings=["statement_timeout=1s", "jit=off"])
    (found,) = routines([row], _Objects(), ("public",))[Name("public", "all_projects")]
    assert (found.target, list(found.columns)) == (Name("public", "projects"), ["id"])
    assert (found.returns, found.single, found.timeout) == (Returns.COMPOSITE, False, "1s")


@pytest.mark.parametrize(
    "row",
    [
        _row("touch", TRIGGER, []),
        _row("elsewhere", INT, [], schema="hidden"),
        _row("two_unnamed", INT, [TEXT, TEXT]),
        _row("unnamed_int", INT, [INT]),
    ],
)
def test_functions_that_cannot_be_called_are_left_out(row: dict[str, object]) -> None:
    assert routines([row], _Objects(), ("public",)) == {}


def test_the_overload_with_the_fewest_parameters_comes_first() -> None:
    rows = [_row("f", INT, [INT, INT], names=["a", "b"]), _row("f", INT, [INT], names=["a"])]
    found = routines(rows, _Objects(), ("public",))[Name("public", "f")]
    assert [len(one.parameters) for one in found] == [1, 2]


def test_a_function_of_a_row_is_a_column_or_a_relationship() -> None:
    rows = [
        _row("shout", TEXT, [PROJECT]),
        _row("next", PROJECT, [PROJECT], set_of=True, one_row=True),
        _row("others", PROJECT, [PROJECT], set_of=True),
    ]
    related, fields = computed_functions(rows, _Objects())
    assert list(fields[Name("public", "projects")]) == ["shout"]
    assert [one.cardinality for one in related] == [Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY]
