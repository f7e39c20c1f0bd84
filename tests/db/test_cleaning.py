"""Admins see who has written how much, and delete what one person wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db import cleaning, errors
from db.cleaning import Selection
from db.hub import tavern_messages
from local_supabase.stack.runtime import StackInfo
from tests.db.conftest import SignUp
from tests.support.people import give_role


def test_an_admin_counts_and_deletes_what_one_person_wrote(sign_up: SignUp, stack: StackInfo) -> None:
    flooder, admin = sign_up("Flooder"), sign_up("Admin")
    give_role(stack, admin.user_id, "admin")
    flooder.clients.table("tavern_messages", flooder.access_token()).insert(
        [{"author_id": flooder.user_id, "body": f"{number}"} for number in range(5010)]
    ).execute()
    [counted] = [one for one in cleaning.writes_by_person(admin) if one.user_id == flooder.user_id][:1]
    assert (counted.table_name, counted.written) == ("tavern_messages", 5010)
    everything = Selection(flooder.user_id, tavern_messages.TABLE, datetime.now(UTC) + timedelta(minutes=1))
    assert cleaning.count(admin, everything) == 5010
    with pytest.raises(errors.NotAllowedError):
        cleaning.delete(flooder, everything)
    assert cleaning.delete(admin, everything) == 5010  # in two batches
    assert cleaning.count(admin, everything) == 0


def test_nobody_else_sees_who_writes_how_much(sign_up: SignUp) -> None:
    with pytest.raises(errors.NotAllowedError, match="Only admins"):
        cleaning.writes_by_person(sign_up("Curious"))
