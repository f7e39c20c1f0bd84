"""Writes on the real database: done once, refused in words, and never a silent loss."""

import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from db import errors, events, private_messages, rsvps, tavern_messages, users
from db.auth import Accounts, SignedIn
from db.clients import Clients
from db.events import EventDraft
from db.models import Event, PrivateMessage, Role, Rsvp, RsvpStatus, TavernMessage, User
from db.rows import find, same_value
from db.settings import Settings
from local_supabase.runtime import StackInfo
from tests.db.conftest import PASSWORD, SignUp
from tests.support.people import give_role


def draft(**changes: object) -> EventDraft:
    starts = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    values: dict[str, object] = {
        "title": "Quiz",
        "description": "",
        "starts_at": starts,
        "ends_at": starts + timedelta(hours=2),
        "time_zone": "Europe/Berlin",
        "location": "Bar",
        "capacity": None,
    }
    return EventDraft(**{**values, **changes})  # type: ignore[arg-type]  # fields by name, from the test


def new_event(me: SignedIn, **changes: object) -> Event:
    return Event.from_record(events.create(me, str(uuid.uuid4()), draft(**changes)))


def said(me: SignedIn, body: str = "Hello") -> TavernMessage:
    return TavernMessage.from_record(tavern_messages.post(me, str(uuid.uuid4()), body))


class LosesAnswers(httpx.BaseTransport):
    """The real network, but for writes to tables the answer gets lost on the way back."""

    def __init__(self) -> None:
        self._network = httpx.HTTPTransport()
        self.lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._network.handle_request(request)
        if "/rest/" in request.url.path and request.method != "GET":
            response.read()
            self.lost += 1
            raise httpx.ReadError("the line went dead", request=request)
        return response

    def close(self) -> None:
        self._network.close()


@pytest.fixture
def lossy(settings: Settings, sign_up: SignUp) -> SignedIn:
    transport = LosesAnswers()
    accounts = Accounts(Clients(settings, transport))
    return accounts.sign_in(sign_up("Lost").email, PASSWORD)


def test_a_message_is_written_once_however_often_it_is_sent(sign_up: SignUp) -> None:
    me, message_id = sign_up("Ann"), str(uuid.uuid4())
    first = tavern_messages.post(me, message_id, "Hello")
    assert tavern_messages.post(me, message_id, "Hello") == first


def test_somebody_elses_id_cannot_be_taken(sign_up: SignUp) -> None:
    message = said(sign_up("Ann"))
    with pytest.raises(errors.Duplicate):
        tavern_messages.post(sign_up("Bob"), message.id, "Hello")


def test_editing_and_deleting_ones_own_message(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    message = said(me)
    edited = TavernMessage.from_record(
        tavern_messages.edit(me, message.id, "Goodbye", version=message.version)
    )
    assert (edited.body, edited.version) == ("Goodbye", message.version + 1)
    tavern_messages.remove(me, message.id)
    tavern_messages.remove(me, message.id)
    with pytest.raises(errors.Gone):
        tavern_messages.edit(me, message.id, "Too late", version=edited.version)


def test_somebody_elses_message_is_theirs(sign_up: SignUp) -> None:
    message, me = said(sign_up("Ann")), sign_up("Bob")
    with pytest.raises(errors.NotAllowed):
        tavern_messages.edit(me, message.id, "Mine now", version=message.version)
    with pytest.raises(errors.NotAllowed):
        tavern_messages.remove(me, message.id)


def test_an_admin_hides_a_message_and_shows_it_again(stack: StackInfo, sign_up: SignUp) -> None:
    admin, message = sign_up("Root"), said(sign_up("Ann"), "Rude words")
    give_role(stack, admin.user_id, "admin")
    hidden = TavernMessage.from_record(tavern_messages.hide(admin, message.id, version=message.version))
    assert (hidden.body, hidden.hidden_by) == (None, admin.user_id)
    shown = TavernMessage.from_record(tavern_messages.unhide(admin, message.id, version=hidden.version))
    assert (shown.body, shown.hidden_at) == ("Rude words", None)


def test_words_that_the_schema_refuses(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    with pytest.raises(errors.Invalid, match=r"1 to 2,000 characters") as refused:
        said(me, "   ")
    assert refused.value.field == "body"
    with pytest.raises(errors.Invalid, match="ends after it starts"):
        new_event(me, ends_at=draft().starts_at - timedelta(hours=1))
    with pytest.raises(errors.Invalid, match="time zone"):
        new_event(me, time_zone="Mars/Olympus")


def test_two_people_change_one_event(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    event = new_event(me)
    events.change(me, event.id, {"title": "First"}, version=event.version)
    with pytest.raises(errors.Conflict) as conflict:
        events.change(me, event.id, {"title": "Second"}, version=event.version)
    assert Event.from_record(conflict.value.current).title == "First"


def test_a_change_made_twice_by_mistake_counts_once(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    event = new_event(me)
    starts = event.starts_at + timedelta(minutes=5)
    values = {"title": "Same", "starts_at": starts.astimezone(UTC).isoformat()}
    first = events.change(me, event.id, values, version=event.version)
    assert events.change(me, event.id, values, version=event.version) == first


def test_calling_off_and_putting_back_on(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    event = new_event(me)
    cancelled = Event.from_record(events.cancel(me, event.id, version=event.version))
    assert cancelled.cancelled_at is not None
    with pytest.raises(errors.Invalid, match="cancelled"):
        rsvps.answer(sign_up("Bob"), event.id, RsvpStatus.GOING)
    assert Event.from_record(events.reinstate(me, event.id, version=cancelled.version)).cancelled_at is None


def test_a_cohost_may_change_an_event_until_removed(sign_up: SignUp) -> None:
    me, friend = sign_up("Ann"), sign_up("Bob")
    event = new_event(me)
    events.add_cohost(me, event.id, friend.user_id)
    record = events.change(friend, event.id, {"location": "Cellar"}, version=event.version)
    assert Event.from_record(record).location == "Cellar"
    events.remove_cohost(me, event.id, friend.user_id)
    with pytest.raises(errors.NotAllowed):
        events.change(friend, event.id, {"location": "Attic"}, version=event.version + 1)


def test_answering_changing_ones_mind_and_the_last_place(sign_up: SignUp) -> None:
    me, late = sign_up("Ann"), sign_up("Bob")
    event = new_event(me, capacity=1)
    for status in (RsvpStatus.MAYBE, RsvpStatus.GOING, RsvpStatus.GOING):
        assert Rsvp.from_record(rsvps.answer(me, event.id, status)).status is status
    with pytest.raises(errors.EventFull):
        rsvps.answer(late, event.id, RsvpStatus.GOING)
    rsvps.withdraw(me, event.id)
    rsvps.answer(late, event.id, RsvpStatus.GOING)


def test_private_messages_are_read_by_the_other_one_only(sign_up: SignUp) -> None:
    me, other, third = sign_up("Ann"), sign_up("Bob"), sign_up("Eve")
    sent = PrivateMessage.from_record(private_messages.send(me, str(uuid.uuid4()), other.user_id, "Psst"))
    assert sent.read_at is None
    assert find(third, "private_messages", {"id": sent.id}) is None
    assert private_messages.mark_read(third, me.user_id) == []
    read = [PrivateMessage.from_record(each) for each in private_messages.mark_read(other, me.user_id)]
    assert [each.id for each in read] == [sent.id]
    assert read[0].read_at is not None
    assert private_messages.mark_read(other, me.user_id) == []
    with pytest.raises(errors.NotAllowed):
        private_messages.remove(other, sent.id)
    private_messages.remove(me, sent.id)


def test_ones_own_profile_and_nobody_elses(sign_up: SignUp) -> None:
    me, other = sign_up("Ann"), sign_up("Bob")
    record = find(me, "users", {"id": me.user_id})
    assert record is not None
    profile = User.from_record(record)
    changed = users.change(me, me.user_id, {"bio": "Hello", "avatar": "🦊"}, version=profile.version)
    assert User.from_record(changed).bio == "Hello"
    with pytest.raises(errors.NotAllowed):
        users.change(other, me.user_id, {"bio": "Hacked"}, version=profile.version + 1)
    with pytest.raises(errors.NotAllowed, match="Only an admin"):
        users.set_role(me, me.user_id, Role.ADMIN, version=profile.version + 1)
    with pytest.raises(errors.Invalid, match="emoji or an https address"):
        users.change(me, me.user_id, {"avatar": "http://insecure"}, version=profile.version + 1)


def test_an_insert_whose_answer_was_lost_is_found_out(lossy: SignedIn) -> None:
    message = said(lossy, "Did you hear me?")
    assert message.body == "Did you hear me?"


def test_a_change_whose_answer_was_lost_is_found_out(lossy: SignedIn) -> None:
    message = said(lossy)
    edited = tavern_messages.edit(lossy, message.id, "Louder", version=message.version)
    assert TavernMessage.from_record(edited).version == message.version + 1
    tavern_messages.remove(lossy, message.id)
    assert find(lossy, "tavern_messages", {"id": message.id}) is None


def test_an_answer_to_an_event_that_was_lost_is_found_out(lossy: SignedIn) -> None:
    event = new_event(lossy)
    for status in (RsvpStatus.MAYBE, RsvpStatus.GOING):
        assert Rsvp.from_record(rsvps.answer(lossy, event.id, status)).status is status
    rsvps.withdraw(lossy, event.id)
    assert find(lossy, "rsvps", {"event_id": event.id, "user_id": lossy.user_id}) is None


def test_calling_off_is_found_out_and_not_repeated(lossy: SignedIn) -> None:
    event = new_event(lossy)
    cancelled = Event.from_record(events.cancel(lossy, event.id, version=event.version))
    assert (cancelled.version, cancelled.cancelled_at is not None) == (event.version + 1, True)
    again = Event.from_record(events.reinstate(lossy, event.id, version=cancelled.version))
    assert (again.version, again.cancelled_at) == (event.version + 2, None)


def test_hiding_is_found_out_though_the_database_says_when(stack: StackInfo, lossy: SignedIn) -> None:
    give_role(stack, lossy.user_id, "admin")
    message = said(lossy, "Rude words")
    hidden = TavernMessage.from_record(tavern_messages.hide(lossy, message.id, version=message.version))
    assert (hidden.body, hidden.version) == (None, message.version + 1)
    shown = TavernMessage.from_record(tavern_messages.unhide(lossy, message.id, version=hidden.version))
    assert shown.body == "Rude words"


def test_marking_as_read_is_found_out(lossy: SignedIn, sign_up: SignUp) -> None:
    other = sign_up("Bob")
    private_messages.send(other, str(uuid.uuid4()), lossy.user_id, "Psst")
    read = [PrivateMessage.from_record(each) for each in private_messages.mark_read(lossy, other.user_id)]
    assert [each.read_at is not None for each in read] == [True]


def test_an_expired_token_is_replaced_and_the_write_goes_on(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    me._session.access_token = f"{me._session.access_token[:-4]}xxxx"
    assert said(me).body == "Hello"


def test_after_signing_out_nothing_is_written(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Ann")
    accounts.sign_out(me, everywhere=True)
    with pytest.raises(errors.SignedOut):
        said(me)


def test_numbers_mean_the_same_however_they_are_written() -> None:
    assert same_value(2, "2.00")
    assert same_value(0.1, "0.10")
    assert not same_value(2, "3.00")
    assert not same_value(True, "1")
    assert not same_value(2, "two")


def test_times_mean_the_same_however_they_are_written() -> None:
    assert same_value("2026-11-20T18:00:00+00:00", "2026-11-20T19:00:00+01:00")
    assert not same_value("2026-11-20T18:00:00+00:00", "2026-11-20T18:00:00+01:00")
    assert not same_value("2026-11-20T18:00:00", "2026-11-20T19:00:00+01:00")
    assert not same_value("Hello", None)
