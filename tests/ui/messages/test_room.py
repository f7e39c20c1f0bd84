"""The common room as HTML."""

import re
from datetime import timedelta

from db.hub.models import EventMessage, Role
from livetables.tables.snapshot import Snapshot
from tests.ui.samples import BERLIN, HOSTILE, HOSTILE_HTML, NOW, TODAY, message, snapshot, user
from ui.base import times
from ui.base.html import join
from ui.messages.kinds import Message
from ui.messages.room import PIECES, Newest, newest_until, room_pieces

ANN, BOB = user("Ann", role=Role.ADMIN), user("Bob")
PEOPLE = snapshot([ANN, BOB])


def about(event_id: str, body: str, *, minutes: float = 0) -> EventMessage:
    """Return a message of Ann about an event."""
    moment = NOW + timedelta(minutes=minutes)
    return EventMessage(f"e{minutes}", event_id, ANN.id, body, None, None, None, 1, moment, moment)


def room(*messages: object, count: int = 50) -> str:
    return join(room_pieces(snapshot(messages), PEOPLE, Newest(count), BERLIN, TODAY))  # type: ignore[arg-type]  # messages


def test_messages_are_shown_in_order_however_they_arrived() -> None:
    html = room(message("second", ANN, minutes=2), message("first", BOB))
    assert html.index("first") < html.index("second")


def test_the_newest_are_shown() -> None:
    html = room(*(message(f"number {minute};", ANN, minutes=minute) for minute in range(100)), count=3)
    shown = [int(number) for number in re.findall(r"number (\d+);", html)]
    assert 3 <= len(shown) <= 3 + PIECES
    assert shown == list(range(100))[-len(shown) :]


def test_a_discussion_shows_what_is_said_about_its_event() -> None:
    quiz = [about("quiz", "Who brings pens?"), about("quiz", "I do", minutes=1)]
    said: Snapshot[Message] = snapshot([*quiz, about("ball", "Which shoes?", minutes=2)])
    html = join(room_pieces(said, PEOPLE, Newest(50, "quiz"), BERLIN, TODAY))
    assert html.index("Who brings pens?") < html.index("I do")
    assert "Which shoes?" not in html


def test_messages_close_together_stand_under_one_name() -> None:
    together = room(message("a", ANN), message("b", ANN, minutes=2))
    separate = room(message("a", ANN), message("b", ANN, minutes=20))
    assert (together.count("tv-head"), separate.count("tv-head")) == (1, 2)


def test_days_are_separated_in_the_viewers_zone() -> None:
    html = room(message("a", ANN, minutes=-24 * 60), message("b", ANN), message("c", ANN, minutes=5 * 60))
    assert re.findall(r"<span>(Yesterday|Today|Tomorrow)</span>", html) == ["Yesterday", "Today", "Tomorrow"]


def test_the_clock_is_the_viewers() -> None:
    assert ">19:30<" in room(message("a", ANN))


def test_text_and_names_are_never_markup() -> None:
    people = snapshot([user("Ann", display_name=HOSTILE)])
    html = join(room_pieces(snapshot([message(HOSTILE, ANN)]), people, Newest(50), BERLIN, TODAY))
    assert "<img src=x" not in html
    assert html.count(HOSTILE_HTML) == 2


def test_a_hidden_message_has_no_text_and_can_only_be_shown_again() -> None:
    html = room(message(None, ANN, hidden_at=NOW, hidden_by=BOB.id))
    assert "hidden by a moderator" in html
    assert re.findall(r'data-action="(\w+)"', html) == ["unhide"]


def test_an_edited_message_says_so() -> None:
    assert "(edited)" in room(message("a", ANN, edited_at=NOW))
    assert "(edited)" not in room(message("a", ANN))


def test_a_message_outlives_its_authors_profile() -> None:
    html = room(message("farewell", user("Gone")))
    assert "Somebody" in html
    assert "farewell" in html


def test_the_pieces_are_built_once_for_all_viewers_in_a_region() -> None:
    messages: Snapshot[Message] = snapshot([message("a", ANN)])
    first = room_pieces(messages, PEOPLE, Newest(50), BERLIN, TODAY)
    assert room_pieces(messages, PEOPLE, Newest(50), BERLIN, TODAY) is first
    tokyo = BERLIN.in_zone(times.zone_named("Asia/Tokyo"))
    elsewhere = room_pieces(messages, PEOPLE, Newest(50), tokyo, TODAY)
    assert elsewhere != first


def test_a_new_message_changes_one_piece_until_all_are_used_up() -> None:
    said = [message(f"number {minute};", ANN, minutes=10_000 + minute) for minute in range(100)]
    changed: list[int] = []
    before = room_pieces(snapshot(said), PEOPLE, Newest(80), BERLIN, TODAY)
    for minute in range(100, 300):
        said.append(message(f"number {minute};", ANN, minutes=10_000 + minute))
        pieces = room_pieces(snapshot(said), PEOPLE, Newest(80), BERLIN, TODAY)
        assert len(pieces) == PIECES + 1
        assert f"number {minute};" in join(pieces)
        changed.append(sum(old != new for old, new in zip(before, pieces, strict=True)))
        before = pieces
    assert sum(count != 1 for count in changed) <= 200 // PIECES + 1


def test_a_message_is_reached_by_so_many_of_the_newest() -> None:
    author = user("Ada")
    loaded: Snapshot[Message] = snapshot(
        [message(f"{minutes}", author, minutes=minutes) for minutes in range(5)]
    )
    assert [newest_until(loaded, "", f"m{minutes}") for minutes in (4, 0)] == [1, 5]
    assert newest_until(loaded, "", "gone") is None
    assert newest_until(loaded, "an event", "m0") is None
