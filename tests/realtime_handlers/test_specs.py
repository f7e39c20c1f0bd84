"""Every table's spec: its handler is pure and gives the same rows in any order and with any duplicates."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import realtime_handlers
from livetables.tables.changes import Change, Key, Op
from livetables.tables.rows import Rows
from livetables.tables.spec import AnySpec, Visibility
from realtime_handlers import ALL_SPECS
from tests.support.records import BEGIN, MAKERS, NAMES, record_of, stamps

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy with other things."""


def _history(draw: st.DrawFn, spec: AnySpec) -> tuple[list[Change[Any]], dict[Key, Any]]:
    """Draw changes of a table as Realtime sends them, and the rows the table has after them."""
    changes: list[Change[Any]] = []
    present: dict[Key, tuple[int, datetime, Any]] = {}
    used: set[Key] = set()
    now = BEGIN
    for position in range(1, draw(st.integers(1, 16))):
        now += timedelta(milliseconds=draw(st.integers(2, 40)))
        key = tuple(draw(st.sampled_from(NAMES)) for _ in spec.key)
        text = draw(st.text("abc", min_size=1, max_size=4))
        version, created, _ = present.get(key, (0, now, None))
        if key in present and (spec.name == "change_log" or draw(st.integers(0, 2)) == 0):
            del present[key]
            wire_key = spec.key_of(MAKERS[spec.name](key, text))
            changes.append(spec.deleted(wire_key, committed_at=now, position=position))
            continue
        if key in used and key not in present and spec.recreated_at is None:
            continue
        used.add(key)
        record = {**MAKERS[spec.name](key, text), **stamps(version + 1, created, now)}
        op = Op.UPDATE if version else Op.INSERT
        change = spec.written(record, op=op, committed_at=now, position=position)
        changes.append(change)
        present[key] = (version + 1, created, change)
    return changes, {change.key: change.row for _, _, change in present.values()}


def _applied(spec: AnySpec, changes: list[Change[Any]]) -> Rows[Any]:
    rows: Rows[Any] = Rows()
    for change in changes:
        rows = spec.handler(rows, change)
    return rows


@pytest.mark.parametrize("spec", ALL_SPECS, ids=lambda spec: spec.name)
@UNHURRIED
@given(data=st.data())
def test_any_order_and_any_duplication_give_the_same_rows(spec: AnySpec, data: st.DataObject) -> None:
    changes, present = data.draw(st.composite(lambda draw: _history(draw, spec))())
    repeated = data.draw(st.lists(st.sampled_from(changes), max_size=6)) if changes else []
    shuffled = data.draw(st.permutations(changes + repeated))
    assert dict(_applied(spec, changes)) == present
    assert dict(_applied(spec, shuffled)) == present


@pytest.mark.parametrize("spec", ALL_SPECS, ids=lambda spec: spec.name)
def test_a_handler_does_not_change_the_rows_it_is_given(spec: AnySpec) -> None:
    record = record_of(spec.name)
    empty: Rows[Any] = Rows()
    one = spec.handler(empty, spec.written(record, position=1))
    spec.handler(one, spec.deleted(spec.key_of(record), position=2))
    assert len(empty) == 0
    assert len(one) == 1


def test_only_what_is_private_is_read_by_user() -> None:
    public = {spec.name for spec in ALL_SPECS if spec.visibility is Visibility.PUBLIC}
    assert public == {
        "users",
        "events",
        "event_cohosts",
        "rsvps",
        "tavern_messages",
        "event_messages",
        "rating_roles",
    }


@pytest.mark.parametrize(
    "table", ["users", "events", "rsvps", "tavern_messages", "event_messages", "private_messages"]
)
def test_the_tables_the_app_is_about_have_handlers_of_their_own(table: str) -> None:
    (spec,) = (spec for spec in ALL_SPECS if spec.name == table)
    assert spec.handler is getattr(realtime_handlers, f"handle_{table}_change")
