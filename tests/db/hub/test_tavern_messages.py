"""Messages in the common room: written once, changed only by their author, hidden only by admins."""

import uuid

import pytest

from db import errors
from db.auth.accounts import SignedIn
from db.hub import tavern_messages
from db.hub.models import TavernMessage
from db.rows import find
from local_supabase.stack.runtime import StackInfo
from tests.db.conftest import SignUp
from tests.db.hub.samples import new_message
from tests.support.people import give_role


def test_a_message_is_written_once_however_often_it_is_posted(sign_up: SignUp) -> None:
    me, message_id = sign_up("Ann"), str(uuid.uuid4())
    first = tavern_messages.post(me, message_id, "Hello")
    assert tavern_messages.post(me, message_id, "Hello") == first


def test_an_empty_message_is_refused_with_a_reason(sign_up: SignUp) -> None:
    with pytest.raises(errors.InvalidValueError, match=r"1 to 2,000 characters") as refused:
        new_message(sign_up("Ann"), "   ")
    assert refused.value.field == "body"


def test_a_person_edits_and_deletes_their_own_message(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    message = new_message(me)
    edited = TavernMessage.from_record(
        tavern_messages.edit(me, message.id, "Goodbye", version=message.version)
    )
    assert (edited.body, edited.version) == ("Goodbye", message.version + 1)
    tavern_messages.remove(me, message.id)
    tavern_messages.remove(me, message.id)
    with pytest.raises(errors.GoneError):
        tavern_messages.edit(me, message.id, "Too late", version=edited.version)


def test_nobody_else_edits_or_deletes_it(sign_up: SignUp) -> None:
    message, me = new_message(sign_up("Ann")), sign_up("Bob")
    with pytest.raises(errors.NotAllowedError):
        tavern_messages.edit(me, message.id, "Mine now", version=message.version)
    with pytest.raises(errors.NotAllowedError):
        tavern_messages.remove(me, message.id)


def test_an_admin_hides_a_message_and_shows_it_again(stack: StackInfo, sign_up: SignUp) -> None:
    admin, message = sign_up("Root"), new_message(sign_up("Ann"), "Rude words")
    give_role(stack, admin.user_id, "admin")
    hidden = TavernMessage.from_record(tavern_messages.hide(admin, message.id, version=message.version))
    assert (hidden.body, hidden.hidden_by) == (None, admin.user_id)
    shown = TavernMessage.from_record(tavern_messages.unhide(admin, message.id, version=hidden.version))
    assert (shown.body, shown.hidden_at) == ("Rude words", None)


def test_a_message_is_edited_and_deleted_though_the_answer_is_lost(lossy: SignedIn) -> None:
    message = new_message(lossy)
    edited = tavern_messages.edit(lossy, message.id, "Louder", version=message.version)
    assert TavernMessage.from_record(edited).version == message.version + 1
    tavern_messages.remove(lossy, message.id)
    assert find(lossy, "tavern_messages", {"id": message.id}) is None


def test_a_message_is_hidden_though_the_answer_is_lost_and_the_database_sets_the_time(
    stack: StackInfo, lossy: SignedIn
) -> None:
    give_role(stack, lossy.user_id, "admin")
    message = new_message(lossy, "Rude words")
    hidden = TavernMessage.from_record(tavern_messages.hide(lossy, message.id, version=message.version))
    assert (hidden.body, hidden.version) == (None, message.version + 1)
    shown = TavernMessage.from_record(tavern_messages.unhide(lossy, message.id, version=hidden.version))
    assert shown.body == "Rude words"
