"""The running tab, outside of any."""

import pytest

from livetables.errors import LiveError
from livetables.library import session
from livetables.library.database import Database
from tests.livetables.support import SignedOut


def test_outside_of_a_tab_a_program_is_one(db: Database) -> None:
    session.use(db)
    session.bind(SignedOut("ada"))
    assert session.database() is db
    assert session.owner() == "ada"
    session.bind(None)
    assert (session.user(), session.owner()) == (None, "")


def test_without_a_database_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_outside", {})
    with pytest.raises(LiveError, match=r"live\.connect"):
        session.database()
