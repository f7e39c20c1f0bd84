"""Private messages: between two people, and nobody else."""

import uuid

import pytest

from db import errors
from db.auth.accounts import SignedIn
from db.hub import private_messages
from db.hub.models import PrivateMessage
from db.rows import find
from tests.db.conftest import SignUp


def test_only_the_recipient_marks_a_message_as_read_and_only_the_sender_deletes_it(sign_up: SignUp) -> None:
    me, other, third = sign_up("Ann"), sign_up("Bob"), sign_up("Eve")
    sent = PrivateMessage.from_record(private_messages.send(me, str(uuid.uuid4()), other.user_id, "Psst"))
    assert sent.read_at is None
    assert find(third, "private_messages", {"id": sent.id}) is None
    assert private_messages.mark_read(third, [sent.id]) == []
    unseen = str(uuid.uuid4())
    private_messages.send(me, unseen, other.user_id, "Further up")
    read = [PrivateMessage.from_record(each) for each in private_messages.mark_read(other, [sent.id])]
    assert [each.id for each in read] == [sent.id]
    assert read[0].read_at is not None
    assert private_messages.mark_read(other, [sent.id]) == []
    not_shown = find(other, "private_messages", {"id": unseen})
    assert not_shown is not None
    assert not_shown["read_at"] is None
    with pytest.raises(errors.NotAllowedError):
        private_messages.remove(other, sent.id)
    private_messages.remove(me, sent.id)
    assert find(me, "private_messages", {"id": sent.id}) is None


def test_messages_are_marked_as_read_though_the_answer_is_lost(lossy: SignedIn, sign_up: SignUp) -> None:
    other = sign_up("Bob")
    sent = str(uuid.uuid4())
    private_messages.send(other, sent, lossy.user_id, "Psst")
    read = [PrivateMessage.from_record(each) for each in private_messages.mark_read(lossy, [sent])]
    assert [each.read_at is not None for each in read] == [True]
