"""Answers to events: one a person, never more than the event has places."""

import pytest

from db import errors
from db.auth.accounts import SignedIn
from db.hub import rsvps
from db.hub.models import Rsvp, RsvpStatus
from db.rows import find
from tests.db.conftest import SignUp
from tests.db.hub.samples import new_event


def test_the_last_place_is_free_again_after_its_answer_is_withdrawn(sign_up: SignUp) -> None:
    me, late = sign_up("Ann"), sign_up("Bob")
    event = new_event(me, capacity=1)
    for status in (RsvpStatus.MAYBE, RsvpStatus.GOING, RsvpStatus.GOING):
        assert Rsvp.from_record(rsvps.answer(me, event.id, status)).status is status
    with pytest.raises(errors.EventFullError):
        rsvps.answer(late, event.id, RsvpStatus.GOING)
    rsvps.withdraw(me, event.id)
    assert Rsvp.from_record(rsvps.answer(late, event.id, RsvpStatus.GOING)).user_id == late.user_id


def test_an_answer_is_written_though_the_database_s_answer_is_lost(lossy: SignedIn) -> None:
    event = new_event(lossy)
    for status in (RsvpStatus.MAYBE, RsvpStatus.GOING):
        assert Rsvp.from_record(rsvps.answer(lossy, event.id, status)).status is status
    rsvps.withdraw(lossy, event.id)
    assert find(lossy, "rsvps", {"event_id": event.id, "user_id": lossy.user_id}) is None
