"""Private messages as conversations."""

from tests.ui.samples import BERLIN, HOSTILE, HOSTILE_HTML, TODAY, private, snapshot, user
from ui.base.people import finder
from ui.messages import inbox

ANN, BOB, CAT = user("Ann"), user("Bob"), user("Cat")


def test_messages_are_grouped_by_the_other_person_newest_first() -> None:
    messages = snapshot(
        [
            private("hello", ANN, BOB, read=True),
            private("hi", BOB, ANN, minutes=1),
            private("psst", CAT, ANN, minutes=2),
        ]
    )
    found = inbox.conversations(messages, ANN.id)
    assert [each.other_id for each in found] == [CAT.id, BOB.id]
    assert [each.body for each in found[1].messages] == ["hello", "hi"]


def test_only_messages_to_me_are_unread() -> None:
    messages = snapshot(
        [
            private("mine", ANN, BOB),
            private("read", BOB, ANN, minutes=1, read=True),
            private("new", BOB, ANN, minutes=2),
        ]
    )
    assert inbox.conversations(messages, ANN.id)[0].unread == 1
    assert inbox.conversation_with(messages, ANN.id, CAT.id) is None


def test_the_list_shows_the_last_message_and_marks_the_open_conversation() -> None:
    messages = snapshot([private("hello", BOB, ANN), private("bye", ANN, BOB, minutes=1)])
    found = inbox.conversations(messages, ANN.id)
    html = inbox.list_html(found, finder(snapshot([ANN, BOB])), ANN.id, BOB.id, BERLIN, TODAY)
    assert "You: bye" in html
    assert 'aria-current="true"' in html
    assert ">1<span" in html


def test_a_thread_marks_my_messages_and_those_that_were_read() -> None:
    messages = snapshot([private("hello", ANN, BOB, read=True), private("hi", BOB, ANN, minutes=1)])
    conversation = inbox.conversation_with(messages, ANN.id, BOB.id)
    assert conversation is not None
    html = inbox.thread_html(conversation, ANN.id, BERLIN, TODAY)
    assert html.count("tv-bubble mine") == 1
    assert "19:30 · read" in html


def test_text_is_never_markup() -> None:
    messages = snapshot([private(HOSTILE, BOB, ANN)])
    found = inbox.conversations(messages, ANN.id)
    people = finder(snapshot([user("Bob", display_name=HOSTILE)]))
    shown = inbox.list_html(found, people, ANN.id, None, BERLIN, TODAY)
    shown += inbox.thread_html(found[0], ANN.id, BERLIN, TODAY)
    assert "<img src=x" not in shown
    assert HOSTILE_HTML in shown
