"""Messages about an event: written once, changed only by their author, hidden by its hosts."""

import uuid

import pytest

from db import errors
from db.auth.accounts import SignedIn
from db.hub import event_messages
from db.hub.models import EventMessage
from db.rows import find
from tests.db.conftest import SignUp
from tests.db.hub.samples import new_event


def said(me: SignedIn, event_id: str, body: str = "Hello") -> EventMessage:
    """Post a message."""
    return EventMessage.from_record(event_messages.post(me, str(uuid.uuid4()), event_id, body))


def test_a_message_is_written_once_however_often_it_is_posted(sign_up: SignUp) -> None:
    me, message_id = sign_up("Ann"), str(uuid.uuid4())
    event = new_event(me)
    first = event_messages.post(me, message_id, event.id, "Hello")
    assert event_messages.post(me, message_id, event.id, "Hello") == first


def test_an_empty_message_is_refused_with_a_reason(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    with pytest.raises(errors.InvalidValueError, match=r"1 to 2,000 characters") as refused:
        said(me, new_event(me).id, "   ")
    assert refused.value.field == "body"


def test_a_message_about_an_event_that_is_gone_is_refused(sign_up: SignUp) -> None:
    with pytest.raises(errors.DatabaseError):
        said(sign_up("Ann"), str(uuid.uuid4()))


def test_a_host_hides_a_message_and_shows_it_again_and_others_do_not(sign_up: SignUp) -> None:
    host, author = sign_up("Host"), sign_up("Ann")
    message = said(author, new_event(host).id, "Rude words")
    with pytest.raises(errors.NotAllowedError):
        event_messages.hide(author, message.id, version=message.version)
    hidden = EventMessage.from_record(event_messages.hide(host, message.id, version=message.version))
    assert (hidden.body, hidden.hidden_by) == (None, host.user_id)
    shown = EventMessage.from_record(event_messages.unhide(host, message.id, version=hidden.version))
    assert (shown.body, shown.hidden_at) == ("Rude words", None)


def test_a_message_is_posted_edited_and_deleted_though_the_answers_are_lost(lossy: SignedIn) -> None:
    message = said(lossy, new_event(lossy).id)
    edited = event_messages.edit(lossy, message.id, "Louder", version=message.version)
    assert EventMessage.from_record(edited).version == message.version + 1
    event_messages.remove(lossy, message.id)
    assert find(lossy, "event_messages", {"id": message.id}) is None
