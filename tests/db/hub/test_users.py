"""Profiles: each person changes their own."""

import pytest

from db import errors
from db.hub import users
from db.hub.models import Role, User
from db.rows import find
from tests.db.conftest import SignUp


def test_a_person_changes_their_own_profile_and_nobody_else_does(sign_up: SignUp) -> None:
    me, other = sign_up("Ann"), sign_up("Bob")
    record = find(me, "users", {"id": me.user_id})
    assert record is not None
    profile = User.from_record(record)
    changed = users.change(me, me.user_id, {"bio": "Hello", "avatar": "🦊"}, version=profile.version)
    assert User.from_record(changed).bio == "Hello"
    with pytest.raises(errors.NotAllowedError):
        users.change(other, me.user_id, {"bio": "Hacked"}, version=profile.version + 1)
    with pytest.raises(errors.InvalidValueError, match="An avatar is an emoji"):
        users.change(
            me, me.user_id, {"avatar": "https://elsewhere.example/a.png"}, version=profile.version + 1
        )


def test_only_an_admin_gives_roles(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    with pytest.raises(errors.NotAllowedError, match="Only an admin"):
        users.set_role(me, me.user_id, Role.ADMIN, version=1)
