"""The sentence about a change of a row that the viewer has open, and fields that fail alone."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import InvalidValueError, NotAllowedError, RefusedError
from db.rows import Values
from tests.ui.samples import snapshot, user
from tests.ui.writes.editors import ModelServer
from ui.base import session
from ui.base.write_queue import Expected
from ui.writes.conflict import Clash, Edit, Editing, PartlySaved, describe_change, write_each

ADA, BO = user("Ada"), user("Bo")
LABELS = {"location": "Location", "title": "Title", "capacity": "Capacity"}


@pytest.fixture(autouse=True)
def viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Bo the viewer."""
    monkeypatch.setattr(session, "my_id", lambda: BO.id)
    monkeypatch.setattr(session, "users", lambda: snapshot([ADA, BO]))


@pytest.mark.parametrize(
    ("fields", "author", "sentence"),
    [
        (["location"], ADA.id, "Ada changed the location 20 s ago."),
        (["title", "location"], ADA.id, "Ada changed the title and location 20 s ago."),
        (["title", "location", "capacity"], BO.id, "You changed the title, location and capacity 20 s ago."),
        ([], None, "Somebody changed something 20 s ago."),
        (["location"], "gone", "Somebody changed the location 20 s ago."),
    ],
)
def test_it_says_who_changed_what_and_when(fields: list[str], author: str | None, sentence: str) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=20.3)
    assert describe_change(LABELS, fields, author, moment) == sentence


ROW: Values = {"title": "t", "location": "l", "capacity": 1}


def save_each(
    mine: Values, refuse: Mapping[str, RefusedError], server: ModelServer
) -> Clash | PartlySaved | None:
    """Save an edit of version 1, of which the database refuses some fields."""

    def write(me: SignedIn, values: Values, version: int) -> Record:
        for name in values:
            if name in refuse:
                raise refuse[name]
        return server.write("bo", values, version)

    def values_of(record: Record) -> Values:
        return cast("Values", {name: record[name] for name in ROW})

    editing = Editing("events", ("e",), values_of, write, lambda _: Expected("events", ("e",), None), LABELS)
    edit = Edit(base=ROW, mine={**ROW, **mine}, version=1)
    return write_each(editing, edit, cast("SignedIn", None), lambda me, record: None)


def test_a_refused_field_does_not_keep_others_from_being_saved() -> None:
    server = ModelServer(ROW)
    bad = {name: InvalidValueError(f"{name} is wrong.", name) for name in ("location", "capacity")}
    result = save_each({"title": "new", "location": "bad", "capacity": 0}, bad, server)
    assert result == PartlySaved({"location": "location is wrong.", "capacity": "capacity is wrong."})
    assert {name: server.read()[name] for name in ROW} == {**ROW, "title": "new"}
    assert save_each({}, bad, server) is None


def test_a_refused_field_fails_alone_also_when_somebody_else_was_quicker() -> None:
    server = ModelServer(ROW)
    server.write("ada", {"location": "hers"}, 1)
    result = save_each(
        {"title": "new", "capacity": 0}, {"capacity": InvalidValueError("No.", "capacity")}, server
    )
    assert result == PartlySaved({"capacity": "No."})
    assert {name: server.read()[name] for name in ROW} == {**ROW, "title": "new", "location": "hers"}


@pytest.mark.parametrize(
    "error", [NotAllowedError(), InvalidValueError("No."), InvalidValueError("No.", "other")]
)
def test_a_refusal_of_the_whole_row_saves_nothing(error: RefusedError) -> None:
    server = ModelServer(ROW)
    with pytest.raises(type(error)):
        save_each({"title": "new"}, {"title": error}, server)
    assert server.read()["version"] == 1
