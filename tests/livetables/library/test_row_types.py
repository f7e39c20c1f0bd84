"""Rows as dicts, dataclasses and pydantic models."""

import copy
import pickle
from dataclasses import dataclass
from datetime import UTC, datetime
from types import CodeType
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from livetables.library.row_types import Row, as_record, fields_of, fingerprint, reader, value_of

ID = "6f0a9a52-6d39-4a3a-9b39-3a3b7a7b1d1f"
RECORD = {"id": ID, "title": "Tea", "made_at": "2026-12-02T08:00:00+00:00", "version": 3}


@dataclass
class Item:
    """A row as a dataclass, without the column `title`."""

    id: UUID
    made_at: datetime
    version: int


class ItemModel(BaseModel):
    """A row as a pydantic model."""

    id: UUID
    made_at: datetime
    version: int


@pytest.mark.parametrize("row_type", [Item, ItemModel])
def test_columns_become_the_types_of_the_fields(row_type: type) -> None:
    row = reader(row_type)(RECORD)
    assert isinstance(row, row_type)
    assert (value_of(row, "id"), value_of(row, "made_at")) == (UUID(ID), datetime(2026, 12, 2, 8, tzinfo=UTC))


def test_without_a_type_rows_are_dicts_with_all_columns() -> None:
    assert reader(None)(RECORD) == RECORD


@pytest.mark.parametrize("row_type", [Item, ItemModel])
def test_the_fields_of_a_type_are_known(row_type: type) -> None:
    assert sorted(fields_of(row_type) or ()) == ["id", "made_at", "version"]
    assert fields_of(None) is None


@pytest.mark.parametrize("row_type", [Item, ItemModel])
def test_a_row_becomes_json_again(row_type: type) -> None:
    record = as_record(reader(row_type)(RECORD))
    assert (record["id"], record["version"]) == (ID, 3)
    assert datetime.fromisoformat(str(record["made_at"])) == datetime(2026, 12, 2, 8, tzinfo=UTC)


def test_a_column_that_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="version"):
        reader(Item)({**RECORD, "version": "x"})


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.__setitem__("title", "x"),
        lambda row: row.update(title="x"),
        lambda row: row.pop("title"),
        lambda row: row.__ior__({"title": "x"}),
        lambda row: row.clear(),
    ],
    ids=["item", "update", "pop", "or", "clear"],
)
def test_a_shared_row_cannot_be_changed(change: Any) -> None:
    row = Row(RECORD)
    with pytest.raises(TypeError, match=r"db\.update"):
        change(row)
    assert row == RECORD


def test_a_row_can_be_copied_and_pickled() -> None:
    row = Row(RECORD)
    assert copy.deepcopy(row) == pickle.loads(pickle.dumps(row)) == row
    assert type(dict(row)) is dict


def _defined(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    code: CodeType = compile(source, "app.py", "exec")
    exec(code, names)
    return names


SCRIPT = """
from dataclasses import dataclass

@dataclass
class Item:
    id: str
    @property
    def shout(self): return self.id.upper()

def handler(rows, change): return rows.apply(change)
"""


@pytest.mark.parametrize("name", ["Item", "handler"])
def test_what_another_run_of_the_script_defines_again_is_the_same(name: str) -> None:
    one, other = (_defined(source)[name] for source in (SCRIPT, f"\n\n{SCRIPT}"))
    assert one is not other
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("Item", "id: str", "id: int"),
        ("Item", "upper()", "lower()"),
        ("handler", "rows.apply(change)", "rows"),
    ],
)
def test_what_was_edited_is_another(name: str, before: str, after: str) -> None:
    edited = _defined(SCRIPT.replace(before, after))
    assert fingerprint(edited[name]) != fingerprint(_defined(SCRIPT)[name])
