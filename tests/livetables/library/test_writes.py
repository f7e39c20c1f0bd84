"""The list of somebody's writes, from submitting to the answer."""

import pytest

from livetables.errors import LiveError, WriteError
from livetables.library.database import Database
from livetables.library.specs import Wanted, spec_of
from livetables.library.writes import Table, Writes, same_key
from livetables.tables.snapshot import EMPTY
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.library.test_specs import table
from tests.livetables.support import SignedOut


def test_writes_are_answered_in_their_order(db: Database, proxy: FaultProxy) -> None:
    proxy.writes_stalled = True
    first = db.insert("items", title="first")
    assert first.key is not None
    second = db.update("items", first.key, title="second")
    assert [item["title"] for item in db.rows("items") if item["id"] == first.key[0]] == ["second"]
    proxy.writes_stalled = False
    assert second.wait(30)
    assert first.done
    assert [item["title"] for item in db.rows("items") if item["id"] == first.key[0]] == ["second"]
    assert db.writes.pending("", "items") == frozenset()


def test_what_one_owner_writes_is_over_their_snapshot_alone(db: Database, proxy: FaultProxy) -> None:
    proxy.writes_stalled = True
    write = db.insert("items", title="mine")
    assert len(db.writes.overlay("", "items", EMPTY)) == 1
    assert db.writes.overlay("somebody else", "items", EMPTY) is EMPTY
    assert db.writes.overlay("", "others", EMPTY) is EMPTY
    proxy.writes_stalled = False
    assert write.wait(30)


def test_a_refusal_is_taken_once(db: Database) -> None:
    writes = Writes(db.engine)
    refused = db.insert("items", title="forbidden")
    assert refused.wait(30)
    again = type(refused)(refused.table, refused.key, refused.send, refused.expected)
    writes.add(again, "tab", None)
    assert again.wait(30)
    assert writes.take_refused("tab") == [again]
    assert writes.take_refused("tab") == []
    assert writes.clashes("tab", "items") == []


def test_what_was_refused_to_a_tab_that_is_closed_is_forgotten(db: Database) -> None:
    writes = Writes(db.engine)
    refused = db.insert("items", title="forbidden")
    assert refused.wait(30)
    for owner in ("closed", "open"):
        again = type(refused)(refused.table, refused.key, refused.send)
        db.engine.attach(owner, None)
        writes.add(again, owner, None)
        assert again.wait(30)
    db.engine.detach("closed")
    last = type(refused)(refused.table, refused.key, refused.send)
    writes.add(last, "open", None)
    assert last.wait(30)
    assert writes.take_refused("closed") == []
    assert len(writes.take_refused("open")) == 2


def test_somebody_who_has_signed_out_is_told(db: Database) -> None:
    write = db.insert("items", title="Tea")
    late = type(write)(write.table, write.key, write.send)
    Writes(db.engine).add(late, "ada", SignedOut("ada"))
    assert late.wait(30)
    assert isinstance(late.error, WriteError)


def test_a_key_has_as_many_values_as_columns() -> None:
    items = Table(spec_of(table(), Wanted()), "version")
    assert same_key(items, 7) == same_key(items, ("7",)) == ("7",)
    with pytest.raises(LiveError, match=r"key of items is \(id\)"):
        same_key(items, (1, 2))
