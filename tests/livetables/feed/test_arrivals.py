"""The rows that a stream has brought lately."""

from typing import Any

from livetables.feed.arrivals import LATEST, MOST, Arrivals
from livetables.tables.changes import Change
from tests.livetables.things import record, spec

THINGS = spec("things")


def brought(*names: str) -> list[Change[Any]]:
    return [THINGS.written(record(name, name), position=1) for name in names]


def test_rows_are_remembered_until_they_are_deleted_taken_or_too_old() -> None:
    now = [0.0]
    arrivals = Arrivals(lambda: now[0])
    arrivals.note(brought("1", "2", "3"))
    arrivals.note([THINGS.deleted(("2",), position=2)])
    now[0] = LATEST
    arrivals.note(brought("1", "4"))
    now[0] = LATEST + 1
    assert arrivals.take() == [(THINGS.name, ("1",)), (THINGS.name, ("4",))]
    assert arrivals.take() == []


def test_only_the_newest_rows_are_remembered() -> None:
    arrivals = Arrivals(lambda: 0.0)
    arrivals.note(brought(*map(str, range(MOST + 5))))
    taken = arrivals.take()
    assert (len(taken), taken[0]) == (MOST, (THINGS.name, ("5",)))
