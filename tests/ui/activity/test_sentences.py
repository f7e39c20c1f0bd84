"""Entries of the change log as sentences."""

from __future__ import annotations

import html
import re

import pytest

from tests.ui.samples import BERLIN, HOSTILE, TODAY, logged, snapshot, user
from ui.activity.fields import Reader
from ui.activity.sentences import sentence_html
from ui.base.people import finder

ANN = user("Ann", id="0a0a0a0a-0000-4000-8000-000000000001")
BO = user("Bo", id="0b0b0b0b-0000-4000-8000-000000000003")
QUIZ = "0e0e0e0e-0000-4000-8000-000000000002"
READER = Reader(BERLIN, TODAY, finder(snapshot([ANN, BO])), {QUIZ: "Quiz"})

Row = dict[str, object]
OWN: Row = {"id": ANN.id, "display_name": "Ann", "bio": "a"}
PICTURED: Row = {"id": BO.id, "picture": "0f0f0f0f-0000-4000-8000-000000000004"}
ANSWER: Row = {"event_id": QUIZ, "user_id": ANN.id, "status": "going"}
MESSAGE: Row = {"author_id": BO.id, "body": "Hello there", "hidden_at": None}
PARTY: Row = {"id": QUIZ, "title": "Quiz", "location": "Bar", "cancelled_at": None}
PRICE: Row = {"provider": "acme", "model": "m", "input_price": 1}

SENTENCES: list[tuple[str, str, str, Row | None, Row | None]] = [
    ("Ann joined", "INSERT", "users", None, OWN),
    ("Ann changed their profile: bio", "UPDATE", "users", OWN, {**OWN, "bio": "b"}),
    ("Ann changed the profile of Bo: role", "UPDATE", "users", {"id": BO.id}, {"id": BO.id, "role": "admin"}),
    ("Ann took down the picture of Bo", "UPDATE", "users", PICTURED, {**PICTURED, "picture": None}),
    ("Ann deleted their account", "DELETE", "users", OWN, None),
    ("Ann deleted the account of Gone", "DELETE", "users", {"id": "x", "display_name": "Gone"}, None),
    ("Ann added the event Quiz", "INSERT", "events", None, PARTY),
    ("Ann changed the event Quiz: location", "UPDATE", "events", PARTY, {**PARTY, "location": "Hall"}),
    ("Ann cancelled Quiz", "UPDATE", "events", PARTY, {**PARTY, "cancelled_at": "2026-11-20"}),
    ("Ann revived Quiz", "UPDATE", "events", {**PARTY, "cancelled_at": "2026-11-20"}, PARTY),
    ("Ann deleted the event Quiz", "DELETE", "events", PARTY, None),
    ("Ann made Bo a co-host of Quiz", "INSERT", "event_cohosts", None, {"event_id": QUIZ, "user_id": BO.id}),
    (
        "Ann removed Bo from the co-hosts of Quiz",
        "DELETE",
        "event_cohosts",
        {"event_id": QUIZ, "user_id": BO.id},
        None,
    ),
    (
        "Ann left the co-hosts of Quiz",
        "DELETE",
        "event_cohosts",
        {"event_id": QUIZ, "user_id": ANN.id},
        None,
    ),
    ("Ann answered Going to Quiz", "INSERT", "rsvps", None, ANSWER),
    (
        "Ann changed their answer to Quiz from Going to Can't go",
        "UPDATE",
        "rsvps",
        ANSWER,
        {**ANSWER, "status": "declined"},
    ),
    (
        "Bo moved up from the waitlist of Quiz",
        "UPDATE",
        "rsvps",
        {**ANSWER, "user_id": BO.id, "status": "waitlisted"},
        {**ANSWER, "user_id": BO.id},
    ),
    (
        "Bo did not confirm a place at Quiz in time",
        "UPDATE",
        "rsvps",
        {**ANSWER, "user_id": BO.id},
        {**ANSWER, "user_id": BO.id, "status": "waitlisted"},
    ),
    (
        "Ann changed their answer to Quiz from On the waitlist to Going",
        "UPDATE",
        "rsvps",
        {**ANSWER, "status": "waitlisted"},
        ANSWER,
    ),
    ("Ann withdrew Bo's answer to Quiz", "DELETE", "rsvps", {**ANSWER, "user_id": BO.id}, None),
    (
        "Ann wrote in the common room Hello there",
        "INSERT",
        "tavern_messages",
        None,
        {**MESSAGE, "author_id": ANN.id},
    ),
    (
        "Ann hid a message of Bo",
        "UPDATE",
        "tavern_messages",
        MESSAGE,
        {**MESSAGE, "body": None, "hidden_at": "2026-11-20"},
    ),
    (
        "Ann showed a message of Bo again",
        "UPDATE",
        "tavern_messages",
        {**MESSAGE, "hidden_at": "2026-11-20"},
        MESSAGE,
    ),
    ("Ann deleted a message of Bo Hello there", "DELETE", "tavern_messages", MESSAGE, None),
    (
        "Ann wrote about Quiz Hello there",
        "INSERT",
        "event_messages",
        None,
        {**MESSAGE, "author_id": ANN.id, "event_id": QUIZ},
    ),
    (
        "Ann hid a message of Bo about Quiz",
        "UPDATE",
        "event_messages",
        {**MESSAGE, "event_id": QUIZ},
        {**MESSAGE, "event_id": QUIZ, "body": None, "hidden_at": "2026-11-20"},
    ),
    ("Ann sent a private message", "INSERT", "private_messages", None, None),
    ("Ann changed a private message", "UPDATE", "private_messages", None, None),
    (
        "Ann changed the price of acme / m: input price",
        "UPDATE",
        "model_prices",
        PRICE,
        {**PRICE, "input_price": 2},
    ),
    ("Ann added a row of lanterns", "INSERT", "lanterns", None, {"light": 1}),
]


def told(markup: str) -> str:
    """Return the text of a sentence."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


@pytest.mark.parametrize(("sentence", "op", "table", "old", "new"), SENTENCES)
def test_what_somebody_did_is_one_sentence(
    sentence: str, op: str, table: str, old: Row | None, new: Row | None
) -> None:
    assert told(sentence_html(logged(op, table, ANN, old, new), READER)) == sentence


def test_what_nobody_did_was_the_system_and_many_fields_are_counted() -> None:
    new: Row = {**PARTY, **{f"field {number}": number for number in range(6)}}
    sentence = told(sentence_html(logged("UPDATE", "events", None, PARTY, new), READER))
    assert sentence == ("The system changed the event Quiz: field 0, field 1, field 2, field 3, 2 more")


def test_text_is_never_markup() -> None:
    rows = [("events", {"id": "x", "title": HOSTILE}), ("tavern_messages", {"body": HOSTILE})]
    shown = [sentence_html(logged("INSERT", table, ANN, None, {**row}), READER) for table, row in rows]
    assert not any("<img" in each for each in shown)
