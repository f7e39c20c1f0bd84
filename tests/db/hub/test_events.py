"""Events: only their organizer and co-hosts change them, and a lost answer changes nothing twice."""

import uuid
from datetime import timedelta

import pytest

from db import errors
from db.auth.accounts import SignedIn
from db.hub import events, rsvps
from db.hub.events import EventDraft
from db.hub.models import Event, RsvpStatus
from tests.db.conftest import SignUp
from tests.db.hub.samples import draft, new_event


def test_an_event_has_the_values_of_its_draft(sign_up: SignUp) -> None:
    written = draft(capacity=7)
    event = Event.from_record(events.create(sign_up("Ann"), str(uuid.uuid4()), written))
    assert EventDraft.of(event) == written


def test_an_impossible_event_is_refused_with_a_reason(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    with pytest.raises(errors.InvalidValueError, match="ends after it starts"):
        new_event(me, ends_at=draft().starts_at - timedelta(hours=1))
    with pytest.raises(errors.InvalidValueError, match="time zone"):
        new_event(me, time_zone="Mars/Olympus")


def test_nobody_can_answer_a_cancelled_event_until_it_is_reinstated(sign_up: SignUp) -> None:
    me, guest = sign_up("Ann"), sign_up("Bob")
    event = new_event(me)
    cancelled = Event.from_record(events.cancel(me, event.id, version=event.version))
    assert cancelled.cancelled_at is not None
    with pytest.raises(errors.InvalidValueError, match="cancelled"):
        rsvps.answer(guest, event.id, RsvpStatus.GOING)
    again = Event.from_record(events.reinstate(me, event.id, version=cancelled.version))
    assert again.cancelled_at is None
    assert rsvps.answer(guest, event.id, RsvpStatus.GOING)["status"] == RsvpStatus.GOING


def test_a_cohost_may_change_an_event_until_removed(sign_up: SignUp) -> None:
    me, friend = sign_up("Ann"), sign_up("Bob")
    event = new_event(me)
    events.add_cohost(me, event.id, friend.user_id)
    record = events.change(friend, event.id, {"location": "Cellar"}, version=event.version)
    assert Event.from_record(record).location == "Cellar"
    events.remove_cohost(me, event.id, friend.user_id)
    with pytest.raises(errors.NotAllowedError):
        events.change(friend, event.id, {"location": "Attic"}, version=event.version + 1)


def test_the_reason_for_cancelling_goes_when_the_event_is_on_again(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    event = new_event(me)
    cancelled = Event.from_record(
        events.cancel(me, event.id, version=event.version, reason="The cook is ill.")
    )
    assert cancelled.cancel_reason == "The cook is ill."
    # As a program does that does not know of reasons.
    again = events.change(me, event.id, {"cancelled_at": None}, version=cancelled.version)
    assert again["cancel_reason"] == ""
    with pytest.raises(errors.InvalidValueError, match="500 characters"):
        events.cancel(me, event.id, version=cancelled.version + 1, reason="x" * 501)


def test_an_event_is_cancelled_once_though_the_answer_is_lost(lossy: SignedIn) -> None:
    event = new_event(lossy)
    cancelled = Event.from_record(events.cancel(lossy, event.id, version=event.version))
    assert (cancelled.version, cancelled.cancelled_at is not None) == (event.version + 1, True)
    again = Event.from_record(events.reinstate(lossy, event.id, version=cancelled.version))
    assert (again.version, again.cancelled_at) == (event.version + 2, None)
